//! Each proof has one spelling, and everything has a bound.

use allocation_counter::measure;
use proptest::prelude::*;

use super::cbor::CborError;
use super::*;

#[test]
fn malformed_client_data_is_refused() {
    let refused = |change: fn(&str) -> String| {
        with_client_data(change, Some(PasskeyError::Malformed(Part::ClientData)));
    };
    // A member twice, also in another spelling.
    refused(|json| json.replacen('{', r#"{"type":"webauthn.get","#, 1));
    refused(|json| json.replacen('{', r#"{"\u006frigin":"https://accounts.example.org","#, 1));
    refused(|json| json.replacen('{', r#"{"crossOrigin":false,"#, 1));
    refused(|json| json.replace(r#""origin""#, r#""origins""#));
    refused(|json| json.replace("false", "0"));
    refused(|json| json.replace("false", "null"));
    refused(|json| format!("{json}{json}"));
    refused(|json| format!("[{json}]"));
    refused(|_| String::new());
    // The members in order, without their names.
    refused(|json| {
        json.replace(r#""type":"#, "")
            .replace(r#""challenge":"#, "")
            .replace(r#""origin":"#, "")
            .replace(r#""crossOrigin":"#, "")
            .replace('{', "[")
            .replace('}', "]")
    });
    let not_utf8 = json!(encode(b"{\"\xff\":0}"));
    both(|it| it["response"]["clientDataJSON"] = not_utf8.clone(), PasskeyError::Malformed(Part::ClientData));
}

#[test]
fn malformed_json_is_refused() {
    let refused = |change: fn(&mut Value)| both(change, PasskeyError::Malformed(Part::Credential));
    refused(|it| *it = json!([it]));
    refused(|it| *it = json!([it["id"], it["rawId"], it["type"], it["response"]]));
    refused(|it| it["response"] = json!([it["response"]["clientDataJSON"], "", "", null]));
    refused(|it| drop(it.as_object_mut().unwrap().remove("rawId")));
    refused(|it| it["response"]["clientDataJSON"] = Value::Null);
    let twice = phone().registers(&EXPECTED).to_string().replacen('{', r#"{"id":"AAAA","#, 1);
    assert_eq!(Registration::parse(&twice).err(), Some(PasskeyError::Malformed(Part::Credential)));
}

#[test]
fn another_spelling_of_base64url_is_refused() {
    let registration = phone().registers(&EXPECTED);
    for part in ["clientDataJSON", "attestationObject"] {
        for spelling in ["AA==", "AB", "A", "A+/A", "AA AA", "AAA\n"] {
            let mut changed = registration.clone();
            changed["response"][part] = json!(spelling);
            let reason = register(&changed).err();
            assert!(matches!(reason, Some(PasskeyError::Malformed(_))), "{spelling}: {reason:?}");
        }
    }
    let malformed = PasskeyError::Malformed(Part::CredentialId);
    both(|it| (it["id"], it["rawId"]) = (json!("AAA="), json!("AAA=")), malformed);
}

#[test]
fn every_part_has_a_bound() {
    let phone = phone();
    let of = |length| vec![0; length];
    let made = |part, length| register(&with(phone.registers(&EXPECTED), part, &of(length))).err();
    let used = |part, length| assert_with(&phone, &with(phone.asserts(&EXPECTED), part, &of(length))).err();
    let too_long = |part| Some(PasskeyError::TooLong(part));
    assert_eq!(made("clientDataJSON", 4097), too_long(Part::ClientData));
    assert_eq!(made("attestationObject", 8193), too_long(Part::AttestationObject));
    assert_eq!(used("clientDataJSON", 4097), too_long(Part::ClientData));
    assert_eq!(used("authenticatorData", 4097), too_long(Part::AuthenticatorData));
    assert_eq!(used("signature", 1025), too_long(Part::Signature));
    assert_eq!(used("signature", 1024), Some(PasskeyError::Signature));
    let data = [phone.data("example.org", true), of(4096)].concat();
    assert_eq!(registration_of(&phone, &data).err(), too_long(Part::AuthenticatorData));
    both(|it| it["note"] = json!("x".repeat(32 * 1024)), PasskeyError::TooLong(Part::Credential));
}

#[test]
fn an_attestation_object_that_is_not_canonical_is_refused() {
    let phone = phone();
    let format = (text("fmt"), text("none"));
    let statement = (text("attStmt"), map(&[]));
    let data = (text("authData"), bytes(&phone.data("example.org", true)));
    let object = |entries: &[&(Vec<u8>, Vec<u8>)]| map(&entries.iter().copied().cloned().collect::<Vec<_>>());
    let refused =
        |object: &[u8]| register(&with(phone.registers(&EXPECTED), "attestationObject", object)).err();
    let cbor = |error| Some(PasskeyError::Cbor(Part::AttestationObject, error));
    let good = object(&[&format, &statement, &data]);
    assert_eq!(refused(&good), None);
    assert_eq!(refused(&object(&[&statement, &format, &data])), cbor(CborError::KeyOrder));
    assert_eq!(refused(&object(&[&format, &format, &statement, &data])), cbor(CborError::DuplicateKey));
    assert_eq!(refused(&[&good[..], &[0]].concat()), cbor(CborError::Trailing));
    assert_eq!(refused(&good[..good.len() - 1]), cbor(CborError::Short));
    let malformed = Some(PasskeyError::Malformed(Part::AttestationObject));
    assert_eq!(refused(&object(&[&format, &statement])), malformed);
    assert_eq!(refused(&object(&[&format, &data])), malformed);
    assert_eq!(refused(&object(&[&statement, &data])), malformed);
    assert_eq!(refused(&[0x80]), malformed);
}

#[test]
fn truncated_authenticator_data_is_refused() {
    let phone = phone();
    let data = phone.data("example.org", true);
    for length in 0..data.len() {
        assert!(registration_of(&phone, &data[..length]).is_err(), "{length}");
    }
    let longer = [data, vec![0]].concat();
    assert_eq!(registration_of(&phone, &longer), Err(PasskeyError::Malformed(Part::AuthenticatorData)));
}

/// Values in hexadecimal, each after the one reason for which it is refused.
const REFUSED: [(CborError, &[&str]); 11] = [
    (
        CborError::Short,
        &["", "18", "5bffffffffffffffff00", "9bffffffffffffffff00", "bbffffffffffffffff0000", "a101"],
    ),
    (CborError::Trailing, &["0000"]),
    (CborError::Indefinite, &["1c", "5d", "7e", "9fff", "bfff", "5f4100ff"]),
    (
        CborError::NotShortest,
        &["1817", "1900ff", "1a0000ffff", "1b00000000ffffffff", "580100", "980100", "b8010000"],
    ),
    (CborError::TooLarge, &["1b8000000000000000", "3b8000000000000000", "3bffffffffffffffff"]),
    (CborError::NotUtf8, &["61ff", "62c080"]),
    (CborError::Unsupported, &["c000", "e0", "f7", "f818", "f93c00", "ff"]),
    (CborError::Key, &["a1410000", "a1f500", "a1a000"]),
    (CborError::DuplicateKey, &["a201000100", "a26161006161f6"]),
    (CborError::KeyOrder, &["a220000100", "a262616100616200", "a2616200616100", "a203000100"]),
    (CborError::TooDeep, &["8181818180", "a101a101a101a101a0"]),
];

#[test]
fn cbor_has_one_spelling() {
    let read = |hexadecimal: &str| {
        let octets = data_encoding::HEXLOWER.decode(hexadecimal.as_bytes()).unwrap();
        cbor::read(&octets).map(|value| format!("{value:?}"))
    };
    for accepted in
        ["1818", "1b7fffffffffffffff", "3b7fffffffffffffff", "81818180", "a3010220036161f6", "a16161f5"]
    {
        assert!(read(accepted).is_ok(), "{accepted}");
    }
    for (reason, values) in REFUSED {
        for value in values {
            assert_eq!(read(value), Err(reason), "{value}");
        }
    }
    assert_eq!(read("3b0000000100000000").as_deref(), Ok("Integer(-4294967297)"));
}

/// Octets that open CBOR values more often than chance would have it.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let heads = [0x00, 0x20, 0x40, 0x58, 0x60, 0x81, 0x9a, 0x9b, 0xa1, 0xa2, 0xba, 0xbb, 0xbf, 0xf5, 0xff];
    prop::collection::vec(prop_oneof![prop::sample::select(heads.to_vec()), any::<u8>()], 0..300)
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused_in_bounded_room(octets in octets()) {
        let done = measure(|| drop(cbor::read(&octets)));
        let length = octets.len() as u64;
        prop_assert!(done.count_total <= 1 + 2 * length, "{done:?} for {length} octets");
        prop_assert!(done.bytes_total <= 512 * (1 + length), "{done:?} for {length} octets");
    }

    // Small values, so that arrays and maps come out whole.
    #[test]
    fn what_is_read_is_read_in_bounded_room(length in 0..6000_usize, open in 0x98..0x9a_u8) {
        let mut octets = vec![open];
        octets.extend(&length.to_be_bytes()[if open == 0x98 { 7 } else { 6 }..]);
        octets.resize(octets.len() + length, 0);
        let done = measure(|| drop(cbor::read(&octets)));
        prop_assert!(done.bytes_total <= 512 * (1 + octets.len() as u64), "{done:?} for {length} values");
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>(), part in "[A-Za-z0-9_-]{0,200}") {
        let _ = (Registration::parse(&text), Assertion::parse(&text));
        let phone = phone();
        let credential = phone.credential(&json!({
            "clientDataJSON": part, "attestationObject": part, "authenticatorData": part, "signature": part,
            "userHandle": text, "transports": [text],
        }));
        let _ = (register(&credential), assert_with(&phone, &credential));
    }

    #[test]
    fn any_parts_are_verified_or_refused(json in any::<Vec<u8>>(), octets in octets(), flags in any::<u8>()) {
        let phone = phone();
        let data = authenticator_data("example.org", flags, 0, &octets);
        let _ = (client_data::ClientData::read(&json), PublicKey::read(&octets), registration_of(&phone, &data));
        let _ = register(&with(phone.registers(&EXPECTED), "attestationObject", &octets));
        let json = super::client_data("webauthn.get", &EXPECTED);
        let _ = assert_with(&phone, &phone.asserts_with(json.as_bytes(), &data));
    }
}
