//! What the authenticator says and signs (WebAuthn L3 §6.1).

use super::cbor::{self, Value};
use super::error::{Part, PasskeyError};

/// Authenticator data, borrowed from what was sent.
pub(crate) struct AuthenticatorData<'a> {
    /// SHA-256 of the relying party's id.
    pub(crate) rp_id_hash: &'a [u8; 32],
    pub(crate) flags: Flags,
    pub(crate) sign_count: u32,
    /// There when a credential was made, and in an assertion when the authenticator likes.
    pub(crate) credential: Option<AttestedCredential<'a>>,
}

/// The credential that was made (§6.5.1).
pub(crate) struct AttestedCredential<'a> {
    pub(crate) aaguid: &'a [u8; 16],
    pub(crate) id: &'a [u8],
    /// The `COSE_Key` as it was sent.
    pub(crate) public_key: &'a [u8],
    /// The same, read.
    pub(crate) key: Value<'a>,
}

/// The reserved bits 1 and 5 say nothing.
#[derive(Clone, Copy)]
pub(crate) struct Flags(u8);

impl Flags {
    /// UP
    pub(crate) fn user_present(self) -> bool {
        self.has(0)
    }

    /// UV
    pub(crate) fn user_verified(self) -> bool {
        self.has(2)
    }

    /// BE
    pub(crate) fn backup_eligible(self) -> bool {
        self.has(3)
    }

    /// BS
    pub(crate) fn backed_up(self) -> bool {
        self.has(4)
    }

    /// AT
    fn with_credential(self) -> bool {
        self.has(6)
    }

    /// ED
    fn with_extensions(self) -> bool {
        self.has(7)
    }

    fn has(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all of it: what the flags announce is there, and nothing else.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, PasskeyError> {
        let (rp_id_hash, rest) = split(bytes)?;
        let ([flags], rest) = split(rest)?;
        let (sign_count, rest) = split(rest)?;
        let flags = Flags(*flags);
        let (credential, rest) = if flags.with_credential() {
            let (credential, rest) = AttestedCredential::read_first(rest)?;
            (Some(credential), rest)
        } else {
            (None, rest)
        };
        let rest = if flags.with_extensions() { after_extensions(rest)? } else { rest };
        if !rest.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Self { rp_id_hash, flags, sign_count: u32::from_be_bytes(*sign_count), credential })
    }
}

impl<'a> AttestedCredential<'a> {
    fn read_first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PasskeyError> {
        let (aaguid, rest) = split(bytes)?;
        let (length, rest) = split(rest)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(MALFORMED)?;
        let (key, after) =
            cbor::read_first(rest).map_err(|error| PasskeyError::Cbor(Part::PublicKey, error))?;
        let public_key = &rest[..rest.len() - after.len()];
        Ok((Self { aaguid, id, public_key, key }, after))
    }
}

/// What extensions say is not asked for and not looked at; it is a map.
fn after_extensions(bytes: &[u8]) -> Result<&[u8], PasskeyError> {
    let (extensions, rest) =
        cbor::read_first(bytes).map_err(|error| PasskeyError::Cbor(Part::AuthenticatorData, error))?;
    extensions.entries().map(|_| rest).ok_or(MALFORMED)
}

const MALFORMED: PasskeyError = PasskeyError::Malformed(Part::AuthenticatorData);

fn split<const N: usize>(bytes: &[u8]) -> Result<(&[u8; N], &[u8]), PasskeyError> {
    bytes.split_first_chunk().ok_or(MALFORMED)
}
