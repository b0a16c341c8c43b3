//! Passkeys: verifies what browsers and authenticators send when one is made and when one is used (WebAuthn L3 §7.1, §7.2).
//!
//! Without clock, entropy or store. Who hands in the challenge takes it back first, so that it counts once, and finds the
//! account by the credential alone; what a sign count means is decided there, too.
//!
//! Asked for is attestation `none`: no maker vouches for an authenticator. Everything is read strictly, so that each proof
//! has one spelling: base64url without padding, canonical CBOR, no member or key twice, nothing left over.

mod authenticator_data;
mod cbor;
mod client_data;
mod cose;
mod error;
mod json;
mod response;

#[cfg(test)]
pub(crate) mod authenticator;
#[cfg(test)]
mod tests;

use aws_lc_rs::digest;
use subtle::ConstantTimeEq as _;

use authenticator_data::AuthenticatorData;
use client_data::ClientData;
use cose::PublicKey;

pub(crate) use cose::Algorithm;
pub(crate) use error::{Part, PasskeyError};
pub(crate) use response::{Assertion, Registration};

/// What a ceremony is checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected<'a> {
    /// The relying party: the host of the one origin, or a suffix of it.
    pub(crate) rp_id: &'a str,
    /// The one origin, as browsers write it: no slash at the end, no default port.
    pub(crate) origin: &'a str,
    /// The octets that were handed out for this ceremony.
    pub(crate) challenge: &'a [u8],
}

/// A credential that was made, to be stored with its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewPasskey {
    /// 1 to 1,023 octets. Whether it is somebody's already is for the store to say (§7.1).
    pub(crate) credential_id: Vec<u8>,
    /// The `COSE_Key` as it was received.
    pub(crate) public_key: Vec<u8>,
    pub(crate) algorithm: Algorithm,
    pub(crate) sign_count: u32,
    /// The model of the authenticator, as far as it tells; nobody vouches for it.
    pub(crate) aaguid: [u8; 16],
    /// Always so today; stored, because it is a fact of the moment of creation.
    pub(crate) user_verified: bool,
    pub(crate) backup_eligible: bool,
    pub(crate) backed_up: bool,
    /// Names that the standard knows; a hint for browsers, sent by the browser.
    pub(crate) transports: Vec<String>,
}

/// What was stored of a credential.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredKey<'a> {
    /// The `COSE_Key` as it was received.
    pub(crate) public_key: &'a [u8],
    /// Whether it might be backed up when it was made; `None` where that is not known.
    pub(crate) backup_eligible: Option<bool>,
}

/// What an assertion says about its credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asserted {
    /// Always 0 with most passkeys. Not compared here.
    pub(crate) sign_count: u32,
    pub(crate) backed_up: bool,
    /// Always so today.
    pub(crate) user_verified: bool,
}

/// The credential that a registration is about, if it is a proof for this ceremony (§7.1).
///
/// # Errors
/// A [`PasskeyError`] for every rule that it breaks; user verification is required.
pub(crate) fn verify_registration(
    expected: &Expected<'_>,
    given: &Registration,
) -> Result<NewPasskey, PasskeyError> {
    check_client_data(expected, "webauthn.create", &given.client_data)?;
    let data = AuthenticatorData::read(unattested(&given.attestation_object)?)?;
    check_authenticator_data(expected, &data)?;
    let credential = data.credential.ok_or(PasskeyError::NoCredential)?;
    // Of 1 to 1,023 octets, as that outside is.
    if credential.id != given.credential_id {
        return Err(PasskeyError::CredentialIdMismatch);
    }
    Ok(NewPasskey {
        credential_id: credential.id.to_vec(),
        algorithm: PublicKey::from_value(&credential.key)?.algorithm(),
        public_key: credential.public_key.to_vec(),
        sign_count: data.sign_count,
        aaguid: *credential.aaguid,
        user_verified: data.flags.user_verified(),
        backup_eligible: data.flags.backup_eligible(),
        backed_up: data.flags.backed_up(),
        transports: given.transports.clone(),
    })
}

/// What an assertion says, if the owner of the key made it for this ceremony (§7.2).
///
/// # Errors
/// A [`PasskeyError`] for every rule that it breaks; user verification is required.
pub(crate) fn verify_assertion(
    expected: &Expected<'_>,
    key: &StoredKey<'_>,
    given: &Assertion,
) -> Result<Asserted, PasskeyError> {
    check_client_data(expected, "webauthn.get", &given.client_data)?;
    let data = AuthenticatorData::read(&given.authenticator_data)?;
    check_authenticator_data(expected, &data)?;
    if key.backup_eligible.is_some_and(|eligible| eligible != data.flags.backup_eligible()) {
        return Err(PasskeyError::BackupEligibilityChanged);
    }
    let signed = [&given.authenticator_data[..], &sha256(&given.client_data)].concat();
    PublicKey::read(key.public_key)?.verify(&signed, &given.signature)?;
    Ok(Asserted {
        sign_count: data.sign_count,
        backed_up: data.flags.backed_up(),
        user_verified: data.flags.user_verified(),
    })
}

fn check_client_data(expected: &Expected<'_>, ceremony: &str, json: &[u8]) -> Result<(), PasskeyError> {
    let given = ClientData::read(json)?;
    if given.ceremony != ceremony {
        return Err(PasskeyError::CeremonyType);
    }
    if !bool::from(given.challenge.ct_eq(expected.challenge)) {
        return Err(PasskeyError::Challenge);
    }
    if given.origin != expected.origin {
        return Err(PasskeyError::Origin);
    }
    if given.cross_origin || given.has_top_origin {
        return Err(PasskeyError::CrossOrigin);
    }
    Ok(())
}

fn check_authenticator_data(
    expected: &Expected<'_>,
    given: &AuthenticatorData<'_>,
) -> Result<(), PasskeyError> {
    if *given.rp_id_hash != sha256(expected.rp_id.as_bytes()) {
        return Err(PasskeyError::RpId);
    }
    if !given.flags.user_present() {
        return Err(PasskeyError::UserNotPresent);
    }
    if !given.flags.user_verified() {
        return Err(PasskeyError::UserNotVerified);
    }
    if given.flags.backed_up() && !given.flags.backup_eligible() {
        return Err(PasskeyError::BackedUpIneligible);
    }
    Ok(())
}

/// The authenticator data in an attestation object that attests nothing (§6.5.4, §8.7).
fn unattested(attestation_object: &[u8]) -> Result<&[u8], PasskeyError> {
    const MALFORMED: PasskeyError = PasskeyError::Malformed(Part::AttestationObject);
    let object =
        cbor::read(attestation_object).map_err(|error| PasskeyError::Cbor(Part::AttestationObject, error))?;
    let format = object.named("fmt").ok_or(MALFORMED)?;
    if *format != cbor::Value::Text("none") {
        return Err(PasskeyError::AttestationFormat);
    }
    let statement = object.named("attStmt").and_then(cbor::Value::entries).ok_or(MALFORMED)?;
    if !statement.is_empty() {
        return Err(PasskeyError::AttestationStatement);
    }
    let data = object.named("authData").and_then(cbor::Value::bytes).ok_or(MALFORMED)?;
    if data.len() > response::AUTHENTICATOR_DATA_MAX {
        return Err(PasskeyError::TooLong(Part::AuthenticatorData));
    }
    Ok(data)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
