//! An authenticator and a browser in software: makes what the two send when a passkey is made or used, piece by piece.

#![expect(clippy::missing_panics_doc, reason = "a test whose authenticator cannot work has failed")]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// The user was present: a flag of authenticator data, as the following are.
pub const UP: u8 = 1;
/// The user was verified.
pub const UV: u8 = 1 << 2;
/// The credential may be backed up.
pub const BE: u8 = 1 << 3;
/// The credential is backed up.
pub const BS: u8 = 1 << 4;
/// A credential follows.
pub const AT: u8 = 1 << 6;
/// Extensions follow.
pub const ED: u8 = 1 << 7;

/// What a browser is asked for, and the page that asks.
pub trait Ceremony {
    /// The relying party.
    fn rp_id(&self) -> &str;
    /// Where the page comes from.
    fn origin(&self) -> &str;
    /// What is to be signed.
    fn challenge(&self) -> &[u8];
}

/// A ceremony by the options that a server gives to a page: `PublicKeyCredentialCreationOptionsJSON` or
/// `PublicKeyCredentialRequestOptionsJSON`.
pub struct Asked {
    rp_id: String,
    origin: String,
    challenge: Vec<u8>,
}

impl Asked {
    /// By these options, on a page of this origin.
    pub fn new(options: &Value, origin: &str) -> Self {
        let rp_id = options["rpId"].as_str().or(options["rp"]["id"].as_str()).expect("a relying party");
        let challenge = options["challenge"].as_str().expect("a challenge");
        let challenge = BASE64URL_NOPAD.decode(challenge.as_bytes()).expect("base64url");
        Self { rp_id: rp_id.to_owned(), origin: origin.to_owned(), challenge }
    }
}

impl Ceremony for Asked {
    fn rp_id(&self) -> &str {
        &self.rp_id
    }

    fn origin(&self) -> &str {
        &self.origin
    }

    fn challenge(&self) -> &[u8] {
        &self.challenge
    }
}

/// One credential, and where it lives.
pub struct Authenticator {
    /// Names the credential.
    pub credential_id: Vec<u8>,
    /// The model.
    pub aaguid: [u8; 16],
    /// Sent as they are; `AT` is added when a credential is made.
    pub flags: u8,
    /// How often it was used, where it counts.
    pub sign_count: u32,
    /// Whom it is for.
    pub user_handle: Option<Vec<u8>>,
    /// What signs.
    pub key: Key,
}

/// Its private half.
pub enum Key {
    /// -7
    Es256(EcdsaKeyPair),
    /// -8
    Ed25519(Ed25519KeyPair),
    /// -257
    Rs256(RsaKeyPair),
}

impl Authenticator {
    /// A new credential that may be backed up and is, with user verification: what a phone makes. The algorithm is a number of
    /// IANA's register "COSE Algorithms": -7, -8 or -257.
    pub fn new(algorithm: impl Into<i64>) -> Self {
        let key = match algorithm.into() {
            -7 => Key::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key")),
            -8 => Key::Ed25519(Ed25519KeyPair::generate().expect("a key")),
            -257 => Key::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key")),
            other => panic!("no algorithm {other}"),
        };
        let mut made = Self {
            credential_id: Vec::new(),
            aaguid: [0; 16],
            flags: UP | UV | BE | BS,
            sign_count: 0,
            user_handle: None,
            key,
        };
        made.credential_id = sha256(&made.public_key())[..20].to_vec();
        made
    }

    /// The answer to `navigator.credentials.create()`.
    pub fn registers(&self, expected: &impl Ceremony) -> Value {
        let client_data = client_data("webauthn.create", expected);
        let object = attestation_object(&self.data(expected.rp_id(), true));
        let response = json!({
            "clientDataJSON": encode(client_data.as_bytes()),
            "attestationObject": encode(&object),
            "transports": ["hybrid", "internal"],
        });
        self.credential(&response)
    }

    /// The answer to `navigator.credentials.get()`.
    pub fn asserts(&self, expected: &impl Ceremony) -> Value {
        let client_data = client_data("webauthn.get", expected);
        self.asserts_with(client_data.as_bytes(), &self.data(expected.rp_id(), false))
    }

    /// An assertion of any client data and authenticator data, truly signed.
    pub fn asserts_with(&self, client_data: &[u8], data: &[u8]) -> Value {
        let response = json!({
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(data),
            "signature": encode(&self.sign(client_data, data)),
            "userHandle": self.user_handle.as_deref().map(encode),
        });
        self.credential(&response)
    }

    /// The JSON form of a credential.
    pub fn credential(&self, response: &Value) -> Value {
        let id = encode(&self.credential_id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
    }

    /// Authenticator data as the fields say, with the credential or without.
    pub fn data(&self, rp_id: &str, with_credential: bool) -> Vec<u8> {
        if !with_credential {
            return authenticator_data(rp_id, self.flags, self.sign_count, &[]);
        }
        let credential = attested(&self.aaguid, &self.credential_id, &self.public_key());
        authenticator_data(rp_id, self.flags | AT, self.sign_count, &credential)
    }

    /// The `COSE_Key`.
    pub fn public_key(&self) -> Vec<u8> {
        map(&self.public_key_entries())
    }

    /// The entries of the `COSE_Key`, each key and value in CBOR.
    pub fn public_key_entries(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let label = |label: i64, value: Vec<u8>| (integer(label), value);
        match &self.key {
            Key::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                vec![
                    label(1, integer(2)),
                    label(3, integer(-7)),
                    label(-1, integer(1)),
                    label(-2, bytes(x)),
                    label(-3, bytes(y)),
                ]
            }
            Key::Ed25519(pair) => vec![
                label(1, integer(1)),
                label(3, integer(-8)),
                label(-1, integer(6)),
                label(-2, bytes(pair.public_key().as_ref())),
            ],
            Key::Rs256(pair) => {
                let (n, e) = modulus_and_exponent(pair.public_key().as_ref());
                vec![
                    label(1, integer(3)),
                    label(3, integer(-257)),
                    label(-1, bytes(&n)),
                    label(-2, bytes(&e)),
                ]
            }
        }
    }

    /// A signature over both.
    pub fn sign(&self, client_data: &[u8], data: &[u8]) -> Vec<u8> {
        let message = [data, &sha256(client_data)].concat();
        match &self.key {
            Key::Es256(pair) => {
                pair.sign(&SystemRandom::default(), &message).expect("a signature").as_ref().to_vec()
            }
            Key::Ed25519(pair) => pair.sign(&message).as_ref().to_vec(),
            Key::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::default(), &message, &mut signature)
                    .expect("a signature");
                signature
            }
        }
    }
}

/// Client data as browsers write it.
pub fn client_data(ceremony: &str, expected: &impl Ceremony) -> String {
    let (origin, challenge) = (expected.origin(), encode(expected.challenge()));
    format!(r#"{{"type":"{ceremony}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
}

/// Authenticator data with anything after its fixed part.
pub fn authenticator_data(rp_id: &str, flags: u8, sign_count: u32, rest: &[u8]) -> Vec<u8> {
    [&sha256(rp_id.as_bytes())[..], &[flags], &sign_count.to_be_bytes(), rest].concat()
}

/// Attested credential data.
pub fn attested(aaguid: &[u8; 16], credential_id: &[u8], public_key: &[u8]) -> Vec<u8> {
    let length = u16::try_from(credential_id.len()).expect("a short id");
    [&aaguid[..], &length.to_be_bytes(), credential_id, public_key].concat()
}

/// An attestation object of the format `none`.
pub fn attestation_object(data: &[u8]) -> Vec<u8> {
    map(&[(text("fmt"), text("none")), (text("attStmt"), map(&[])), (text("authData"), bytes(data))])
}

/// Base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

/// A CBOR integer.
pub fn integer(value: i64) -> Vec<u8> {
    if value < 0 { head(1, !value) } else { head(0, value) }
}

/// A CBOR byte string.
pub fn bytes(value: &[u8]) -> Vec<u8> {
    [head(2, i64::try_from(value.len()).expect("short")), value.to_vec()].concat()
}

/// A CBOR text.
pub fn text(value: &str) -> Vec<u8> {
    [head(3, i64::try_from(value.len()).expect("short")), value.as_bytes().to_vec()].concat()
}

/// A CBOR map of entries that are CBOR already, in the order given.
pub fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let entries_in_a_row = entries.iter().flat_map(|(key, value)| [key.clone(), value.clone()].concat());
    head(5, i64::try_from(entries.len()).expect("few")).into_iter().chain(entries_in_a_row).collect()
}

fn head(major: u8, number: i64) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let (info, used) = match number {
        0..24 => return vec![major << 5 | octets[7]],
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    [&[major << 5 | info], &octets[8 - used..]].concat()
}

/// From `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }` (RFC 8017 §A.1.1).
fn modulus_and_exponent(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (sequence, _) = der_value(der);
    let (modulus, rest) = der_value(sequence);
    let (exponent, _) = der_value(rest);
    let without_sign = |number: &[u8]| number.iter().copied().skip_while(|octet| *octet == 0).collect();
    (without_sign(modulus), without_sign(exponent))
}

/// The contents of the first element, and what follows it.
fn der_value(der: &[u8]) -> (&[u8], &[u8]) {
    let octets = if der[1] < 0x80 { 0 } else { usize::from(der[1] & 0x7f) };
    let length = match octets {
        0 => usize::from(der[1]),
        _ => der[2..2 + octets].iter().fold(0, |length, octet| length << 8 | usize::from(*octet)),
    };
    der[2 + octets..].split_at(length)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}
