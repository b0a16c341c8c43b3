//! One test for each kind of key, one for each refusal, what strangers send, and a second opinion.

mod ceremonies;
mod differences;
mod draft;
mod harmful;
mod keys;
mod mutations;
mod second_opinion;
mod spellings;

use serde_json::{Value, json};

use super::authenticator::*;
use super::*;

const EXPECTED: Expected<'static> =
    Expected { rp_id: "example.org", origin: "https://accounts.example.org", challenge: &[7; 32] };

fn phone() -> Authenticator {
    Authenticator::new(Algorithm::Es256)
}

fn register(credential: &Value) -> Result<NewPasskey, PasskeyError> {
    verify_registration(&EXPECTED, &Registration::parse(&credential.to_string())?)
}

fn assert_with(authenticator: &Authenticator, credential: &Value) -> Result<Asserted, PasskeyError> {
    let key = StoredKey { public_key: &authenticator.public_key(), backup_eligible: None };
    verify_assertion(&EXPECTED, &key, &Assertion::parse(&credential.to_string())?)
}

/// A registration of that authenticator data.
fn registration_of(authenticator: &Authenticator, data: &[u8]) -> Result<NewPasskey, PasskeyError> {
    register(&with(authenticator.registers(&EXPECTED), "attestationObject", &attestation_object(data)))
}

/// A registration of a phone whose key is that.
fn registration_with_key(key: &[u8]) -> Result<NewPasskey, PasskeyError> {
    let phone = phone();
    let credential = attested(&phone.aaguid, &phone.credential_id, key);
    registration_of(&phone, &authenticator_data("example.org", UP | UV | AT, 0, &credential))
}

/// The same with another part of `response`.
fn with(mut credential: Value, part: &str, bytes: &[u8]) -> Value {
    credential["response"][part] = json!(encode(bytes));
    credential
}

/// Both ceremonies are refused once their JSON was changed.
fn both(change: impl Fn(&mut Value), reason: PasskeyError) {
    let phone = phone();
    let (mut registration, mut assertion) = (phone.registers(&EXPECTED), phone.asserts(&EXPECTED));
    change(&mut registration);
    change(&mut assertion);
    assert_eq!(register(&registration), Err(reason));
    assert_eq!(assert_with(&phone, &assertion), Err(reason));
}

/// Both ceremonies, truly signed, with client data made from what a browser would write.
fn with_client_data(change: impl Fn(&str) -> String, reason: Option<PasskeyError>) {
    let phone = phone();
    let made = change(&client_data("webauthn.create", &EXPECTED));
    let registration = with(phone.registers(&EXPECTED), "clientDataJSON", made.as_bytes());
    let used = change(&client_data("webauthn.get", &EXPECTED));
    let assertion = phone.asserts_with(used.as_bytes(), &phone.data("example.org", false));
    assert_eq!(register(&registration).err(), reason, "{made}");
    assert_eq!(assert_with(&phone, &assertion).err(), reason, "{used}");
}

/// Both ceremonies with those flags.
fn with_flags(flags: u8, reason: PasskeyError) {
    let phone = Authenticator { flags, ..phone() };
    assert_eq!(register(&phone.registers(&EXPECTED)), Err(reason));
    assert_eq!(assert_with(&phone, &phone.asserts(&EXPECTED)), Err(reason));
}
