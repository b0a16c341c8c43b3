//! A ceremony in its pieces, to be changed before or after it is put together.

use super::*;

/// Numbers that look like chance and come again with the same seed (`SplitMix64`).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % bound as u64).unwrap()
    }

    pub(super) fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    pub(super) fn octets(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.octet()).collect()
    }

    pub(super) fn flip(&mut self, octets: &mut [u8]) {
        let bit = self.below(octets.len() * 8);
        octets[bit / 8] ^= 1 << (bit % 8);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Ceremony {
    Create,
    Get,
}

/// What an authenticator and a browser are about to send. What is changed here is truly signed.
pub(super) struct Draft<'a> {
    pub(super) ceremony: Ceremony,
    authenticator: &'a Authenticator,
    pub(super) client_data: Vec<u8>,
    pub(super) rp_id: String,
    pub(super) flags: u8,
    pub(super) sign_count: u32,
    pub(super) aaguid: [u8; 16],
    /// The id outside, and that in the authenticator data.
    pub(super) ids: [Vec<u8>; 2],
    /// The `COSE_Key`: the new one, or the stored one.
    pub(super) key: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the authenticator data has the credential in it, whatever the flags say.
    pub(super) with_credential: bool,
    /// What follows the credential, or the fixed part.
    pub(super) tail: Vec<u8>,
    /// Puts an attestation object around authenticator data.
    pub(super) object: fn(&[u8]) -> Vec<u8>,
    pub(super) user_handle: Option<Vec<u8>>,
    /// What is stored of the credential besides the key.
    pub(super) stored_count: u32,
    pub(super) stored_eligible: Option<bool>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(ceremony: Ceremony, authenticator: &'a Authenticator) -> Self {
        let (of, at) = match ceremony {
            Ceremony::Create => ("webauthn.create", AT),
            Ceremony::Get => ("webauthn.get", 0),
        };
        Self {
            ceremony,
            authenticator,
            client_data: client_data(of, &EXPECTED).into_bytes(),
            rp_id: EXPECTED.rp_id.to_owned(),
            flags: authenticator.flags | at,
            sign_count: 0,
            aaguid: authenticator.aaguid,
            ids: [authenticator.credential_id.clone(), authenticator.credential_id.clone()],
            key: authenticator.public_key_entries(),
            with_credential: at != 0,
            tail: Vec::new(),
            object: attestation_object,
            user_handle: None,
            stored_count: 0,
            stored_eligible: None,
        }
    }

    /// Replaces every occurrence of a text in the client data, of which there is one at least.
    pub(super) fn replace(&mut self, from: &str, to: &str) {
        let before = String::from_utf8(self.client_data.clone()).unwrap();
        assert!(before.contains(from), "{from} in {before}");
        self.client_data = before.replace(from, to).into_bytes();
    }

    /// Writes a member of the client data before all others.
    pub(super) fn insert(&mut self, member: &str) {
        let rest = self.client_data.split_off(1);
        self.client_data = [b"{", member.as_bytes(), b",", &rest].concat();
    }

    /// The JSON of the credential.
    pub(super) fn credential(&self) -> Value {
        let mut rest = if self.with_credential {
            attested(&self.aaguid, &self.ids[1], &map(&self.key))
        } else {
            Vec::new()
        };
        rest.extend(&self.tail);
        let data = authenticator_data(&self.rp_id, self.flags, self.sign_count, &rest);
        let response = match self.ceremony {
            Ceremony::Create => json!({
                "clientDataJSON": encode(&self.client_data),
                "attestationObject": encode(&(self.object)(&data)),
                "transports": ["internal"],
            }),
            Ceremony::Get => json!({
                "clientDataJSON": encode(&self.client_data),
                "authenticatorData": encode(&data),
                "signature": encode(&self.authenticator.sign(&self.client_data, &data)),
                "userHandle": self.user_handle.as_deref().map(encode),
            }),
        };
        let mut credential = self.authenticator.credential(&response);
        credential["id"] = json!(encode(&self.ids[0]));
        credential["rawId"] = credential["id"].clone();
        credential
    }

    /// What this module says of a credential.
    pub(super) fn verdict(&self, credential: &Value) -> Result<(), PasskeyError> {
        let json = credential.to_string();
        match self.ceremony {
            Ceremony::Create => verify_registration(&EXPECTED, &Registration::parse(&json)?).map(drop),
            Ceremony::Get => {
                let key = StoredKey { public_key: &map(&self.key), backup_eligible: self.stored_eligible };
                verify_assertion(&EXPECTED, &key, &Assertion::parse(&json)?).map(|_| ())
            }
        }
    }
}
