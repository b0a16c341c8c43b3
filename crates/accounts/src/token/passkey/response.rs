//! What `PublicKeyCredential.toJSON()` gives (WebAuthn L3 §5.1.1): the shape and the size of it, nothing else.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{Part, PasskeyError};
use super::json::Object;

/// Octets of the JSON: above what the parts may be together, in base64url and with what is ignored.
const JSON_MAX: usize = 32 * 1024;
const CREDENTIAL_ID_MAX: usize = 1023;
const CLIENT_DATA_MAX: usize = 4 * 1024;
const ATTESTATION_OBJECT_MAX: usize = 8 * 1024;
/// Octets of authenticator data, also inside an attestation object.
pub(crate) const AUTHENTICATOR_DATA_MAX: usize = 4 * 1024;
const SIGNATURE_MAX: usize = 1024;
const USER_HANDLE_MAX: usize = 64;

/// How a browser reaches an authenticator, as far as the standard has names for it (§5.8.4).
const TRANSPORTS: [&str; 6] = ["ble", "hybrid", "internal", "nfc", "smart-card", "usb"];

/// A `RegistrationResponseJSON`. Nothing in it is verified yet.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    pub(crate) credential_id: Vec<u8>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) attestation_object: Vec<u8>,
    pub(crate) transports: Vec<String>,
}

/// An `AuthenticationResponseJSON`. Nothing in it is verified yet.
#[derive(Clone, Debug)]
pub(crate) struct Assertion {
    credential_id: Vec<u8>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) authenticator_data: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    user_handle: Option<Vec<u8>>,
}

impl Registration {
    /// Members that are not needed are ignored, such as `clientExtensionResults` and `response.publicKey`.
    ///
    /// # Errors
    /// `Malformed`, `TooLong`, `CredentialType`, `CredentialIdLength`, `CredentialIdMismatch`.
    pub(crate) fn parse(json: &str) -> Result<Self, PasskeyError> {
        let credential: Credential<Attested> = bounded(json)?;
        let Attested { client_data, attestation_object, transports } = credential.response.0;
        Ok(Self {
            credential_id: credential_id(&credential.id, &credential.raw_id, &credential.kind)?,
            client_data: decode(Part::ClientData, &client_data, CLIENT_DATA_MAX)?,
            attestation_object: decode(Part::AttestationObject, &attestation_object, ATTESTATION_OBJECT_MAX)?,
            transports: known(transports.unwrap_or_default()),
        })
    }
}

impl Assertion {
    /// Members that are not needed are ignored, such as `clientExtensionResults` and `authenticatorAttachment`.
    ///
    /// # Errors
    /// `Malformed`, `TooLong`, `CredentialType`, `CredentialIdLength`, `CredentialIdMismatch`.
    pub(crate) fn parse(json: &str) -> Result<Self, PasskeyError> {
        let credential: Credential<Asserted> = bounded(json)?;
        let Asserted { client_data, authenticator_data, signature, user_handle } = credential.response.0;
        let user_handle = user_handle.filter(|handle| !handle.is_empty());
        let decode_handle = |handle: String| decode(Part::UserHandle, &handle, USER_HANDLE_MAX);
        Ok(Self {
            credential_id: credential_id(&credential.id, &credential.raw_id, &credential.kind)?,
            client_data: decode(Part::ClientData, &client_data, CLIENT_DATA_MAX)?,
            authenticator_data: decode(Part::AuthenticatorData, &authenticator_data, AUTHENTICATOR_DATA_MAX)?,
            signature: decode(Part::Signature, &signature, SIGNATURE_MAX)?,
            user_handle: user_handle.map(decode_handle).transpose()?,
        })
    }

    /// Which stored key it has to be verified with.
    pub(crate) fn credential_id(&self) -> &[u8] {
        &self.credential_id
    }

    /// Whom the authenticator keeps the credential for. Not signed: compare it with the owner of the credential, and never
    /// look somebody up by it.
    pub(crate) fn user_handle(&self) -> Option<&[u8]> {
        self.user_handle.as_deref()
    }
}

#[derive(Deserialize)]
struct Credential<R> {
    id: String,
    #[serde(rename = "rawId")]
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: Object<R>,
}

#[derive(Deserialize)]
struct Attested {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "attestationObject")]
    attestation_object: String,
    transports: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Asserted {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(rename = "authenticatorData")]
    authenticator_data: String,
    signature: String,
    #[serde(rename = "userHandle")]
    user_handle: Option<String>,
}

fn bounded<T: DeserializeOwned>(json: &str) -> Result<T, PasskeyError> {
    if json.len() > JSON_MAX {
        return Err(PasskeyError::TooLong(Part::Credential));
    }
    let read: Result<Object<T>, _> = serde_json::from_str(json);
    read.map(|Object(read)| read).map_err(|_| PasskeyError::Malformed(Part::Credential))
}

fn credential_id(id: &str, raw_id: &str, kind: &str) -> Result<Vec<u8>, PasskeyError> {
    if kind != "public-key" {
        return Err(PasskeyError::CredentialType);
    }
    if id != raw_id {
        return Err(PasskeyError::CredentialIdMismatch);
    }
    match decode(Part::CredentialId, id, CREDENTIAL_ID_MAX) {
        Ok(id) if id.is_empty() => Err(PasskeyError::CredentialIdLength),
        Err(PasskeyError::TooLong(_)) => Err(PasskeyError::CredentialIdLength),
        other => other,
    }
}

/// Octets in the one spelling that base64url without padding has for them (RFC 4648 §3.5, §5).
fn decode(part: Part, text: &str, octets_max: usize) -> Result<Vec<u8>, PasskeyError> {
    if text.len() > BASE64URL_NOPAD.encode_len(octets_max) {
        return Err(PasskeyError::TooLong(part));
    }
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| PasskeyError::Malformed(part))
}

/// The names that the standard has, each once: six at most.
fn known(given: Vec<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for name in given {
        if TRANSPORTS.contains(&name.as_str()) && !kept.contains(&name) {
            kept.push(name);
        }
    }
    kept
}
