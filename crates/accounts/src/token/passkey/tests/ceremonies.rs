//! What a ceremony is about: who, where, when and with what.

use super::*;

#[test]
fn a_passkey_of_each_kind_is_made_and_used() {
    for algorithm in Algorithm::ALL {
        let mut authenticator =
            Authenticator { sign_count: 3, aaguid: [9; 16], ..Authenticator::new(algorithm) };
        let passkey = NewPasskey {
            credential_id: authenticator.credential_id.clone(),
            public_key: authenticator.public_key(),
            algorithm,
            sign_count: 3,
            aaguid: [9; 16],
            user_verified: true,
            backup_eligible: true,
            backed_up: true,
            transports: vec!["hybrid".to_owned(), "internal".to_owned()],
        };
        assert_eq!(register(&authenticator.registers(&EXPECTED)), Ok(passkey));
        authenticator.sign_count = 4;
        authenticator.flags = UP | UV | BE;
        let used = assert_with(&authenticator, &authenticator.asserts(&EXPECTED));
        assert_eq!(used, Ok(Asserted { sign_count: 4, backed_up: false, user_verified: true }));
    }
}

/// Recorded with Chromium 156 and its virtual authenticator, with the challenge of all other tests.
#[test]
fn what_a_browser_sends_is_accepted() {
    let recorded: Value = serde_json::from_str(include_str!("chromium.json")).unwrap();
    let expected = Expected { rp_id: "localhost", origin: recorded["origin"].as_str().unwrap(), ..EXPECTED };
    let ceremonies = recorded["ceremonies"].as_array().unwrap();
    assert_eq!(ceremonies.len(), Algorithm::ALL.len());
    for ceremony in ceremonies {
        let registration = Registration::parse(&ceremony["made"].to_string()).unwrap();
        let passkey = verify_registration(&expected, &registration).unwrap();
        assert_eq!(passkey.algorithm.number(), ceremony["algorithm"].as_i64().unwrap());
        assert_eq!((passkey.sign_count, passkey.transports), (1, vec!["internal".to_owned()]));
        assert!(passkey.user_verified && passkey.backup_eligible && passkey.backed_up);
        let assertion = Assertion::parse(&ceremony["used"].to_string()).unwrap();
        assert_eq!(assertion.credential_id(), passkey.credential_id);
        assert_eq!(assertion.user_handle(), Some(&[5; 64][..]));
        let key = StoredKey { public_key: &passkey.public_key, backup_eligible: Some(true) };
        let asserted = Asserted { sign_count: 2, backed_up: true, user_verified: true };
        assert_eq!(verify_assertion(&expected, &key, &assertion), Ok(asserted));
    }
}

#[test]
fn an_assertion_names_its_credential_and_its_user() {
    let handle = |user_handle| {
        let phone = Authenticator { user_handle, ..phone() };
        let assertion = Assertion::parse(&phone.asserts(&EXPECTED).to_string()).unwrap();
        assert_eq!(assertion.credential_id(), phone.credential_id);
        assertion.user_handle().map(<[u8]>::to_vec)
    };
    assert_eq!(handle(Some(vec![1; 64])), Some(vec![1; 64]));
    assert_eq!(handle(None), None);
    // Some browsers sent an empty one where there is none.
    assert_eq!(handle(Some(Vec::new())), None);
    let long = Authenticator { user_handle: Some(vec![1; 65]), ..phone() };
    let refused = assert_with(&long, &long.asserts(&EXPECTED));
    assert_eq!(refused, Err(PasskeyError::TooLong(Part::UserHandle)));
}

#[test]
fn only_known_transports_are_kept() {
    let kept = |transports: Value| {
        let mut registration = phone().registers(&EXPECTED);
        registration["response"]["transports"] = transports;
        register(&registration).map(|passkey| passkey.transports.join(" "))
    };
    let mixed = json!(["usb", "cable", "usb", "<b>", "smart-card"]);
    assert_eq!(kept(mixed), Ok("usb smart-card".to_owned()));
    assert_eq!(kept(Value::Null), Ok(String::new()));
    assert_eq!(kept(json!("usb")), Err(PasskeyError::Malformed(Part::Credential)));
}

#[test]
fn client_data_may_say_more_and_in_another_order() {
    with_client_data(|json| json.replace('{', "\u{feff}{ \"hint\": {\"type\": [1]},\n"), None);
    with_client_data(|json| json.replace(r#","crossOrigin":false"#, ""), None);
    with_client_data(|json| json.replace("https://", r"https:\/\/"), None);
}

#[test]
fn extensions_and_reserved_flags_are_passed_over() {
    let phone = phone();
    let extensions = map(&[(text("credProtect"), integer(2)), (text("hmac-secret"), vec![0xf5])]);
    let credential = attested(&phone.aaguid, &phone.credential_id, &phone.public_key());
    let data = |flags, parts: &[&[u8]]| {
        authenticator_data("example.org", UP | UV | flags | 0b0010_0010, 0, &parts.concat())
    };
    let made = data(AT | ED, &[&credential, &extensions]);
    assert!(registration_of(&phone, &made).is_ok());
    // A credential is allowed in an assertion, too.
    for used in [made, data(AT, &[&credential]), data(ED, &[&extensions]), data(ED, &[&map(&[])])] {
        let json = client_data("webauthn.get", &EXPECTED);
        assert!(assert_with(&phone, &phone.asserts_with(json.as_bytes(), &used)).is_ok());
    }
    let refused = |flags, after: &[u8]| registration_of(&phone, &data(flags, &[&credential, after])).err();
    let malformed = Some(PasskeyError::Malformed(Part::AuthenticatorData));
    assert_eq!(refused(AT, &extensions), malformed);
    assert_eq!(refused(AT | ED, &[0x80]), malformed);
    let short = PasskeyError::Cbor(Part::AuthenticatorData, cbor::CborError::Short);
    assert_eq!(refused(AT | ED, &[]), Some(short));
}

#[test]
fn another_ceremony_is_refused() {
    let phone = phone();
    let (registration, assertion) = (phone.registers(&EXPECTED), phone.asserts(&EXPECTED));
    let exchanged = |to: &Value, from: &Value| {
        let mut to = to.clone();
        to["response"]["clientDataJSON"] = from["response"]["clientDataJSON"].clone();
        to
    };
    let reason = Some(PasskeyError::CeremonyType);
    assert_eq!(register(&exchanged(&registration, &assertion)).err(), reason);
    assert_eq!(assert_with(&phone, &exchanged(&assertion, &registration)).err(), reason);
    with_client_data(|json| json.replace("webauthn.", "Webauthn."), reason);
}

#[test]
fn another_challenge_is_refused() {
    let challenge = encode(EXPECTED.challenge);
    let instead = |to: &str, reason| with_client_data(|json| json.replace(&challenge, to), Some(reason));
    instead(&encode(&[8; 32]), PasskeyError::Challenge);
    instead(&encode(&[7; 31]), PasskeyError::Challenge);
    instead("", PasskeyError::Challenge);
    // Other spellings of the right one.
    let malformed = PasskeyError::Malformed(Part::ClientData);
    instead(&format!("{challenge}="), malformed);
    instead(&format!("{}d", &challenge[..42]), malformed);
}

#[test]
fn another_origin_is_refused() {
    for origin in [
        "https://example.org",
        "http://accounts.example.org",
        "https://accounts.example.org/",
        "https://accounts.example.org:443",
        "https://Accounts.example.org",
        "https://accounts.example.org.attacker.example",
        "null",
        "",
    ] {
        with_client_data(|json| json.replace(EXPECTED.origin, origin), Some(PasskeyError::Origin));
    }
}

#[test]
fn a_frame_of_another_site_is_refused() {
    let reason = Some(PasskeyError::CrossOrigin);
    with_client_data(|json| json.replace("false", "true"), reason);
    with_client_data(|json| json.replace("false", r#"true,"topOrigin":"https://example.org""#), reason);
    with_client_data(|json| json.replace("false", r#"false,"topOrigin":null"#), reason);
}

#[test]
fn another_relying_party_is_refused() {
    let phone = phone();
    let elsewhere = Expected { rp_id: "example.com", ..EXPECTED };
    assert_eq!(register(&phone.registers(&elsewhere)), Err(PasskeyError::RpId));
    assert_eq!(assert_with(&phone, &phone.asserts(&elsewhere)), Err(PasskeyError::RpId));
}

#[test]
fn who_is_absent_or_unverified_is_refused() {
    with_flags(UV, PasskeyError::UserNotPresent);
    with_flags(UP | BE, PasskeyError::UserNotVerified);
}

#[test]
fn a_backup_without_eligibility_is_refused() {
    with_flags(UP | UV | BS, PasskeyError::BackedUpIneligible);
}

#[test]
fn eligibility_for_backup_never_changes() {
    let phone = phone();
    let assertion = Assertion::parse(&phone.asserts(&EXPECTED).to_string()).unwrap();
    let refused = |backup_eligible| {
        let key = StoredKey { public_key: &phone.public_key(), backup_eligible };
        verify_assertion(&EXPECTED, &key, &assertion).err()
    };
    assert_eq!(refused(Some(true)), None);
    assert_eq!(refused(Some(false)), Some(PasskeyError::BackupEligibilityChanged));
}

#[test]
fn what_is_no_public_key_is_refused() {
    both(|it| it["type"] = json!("Public-Key"), PasskeyError::CredentialType);
}

#[test]
fn credential_ids_have_1_to_1023_octets() {
    let refused = |length: usize| {
        let authenticator = Authenticator { credential_id: vec![1; length], ..phone() };
        let registered = register(&authenticator.registers(&EXPECTED)).err();
        assert_eq!(assert_with(&authenticator, &authenticator.asserts(&EXPECTED)).err(), registered);
        registered
    };
    assert_eq!((refused(1), refused(1023)), (None, None));
    for length in [0, 1024, 2000] {
        assert_eq!(refused(length), Some(PasskeyError::CredentialIdLength), "{length}");
    }
}

#[test]
fn two_ids_are_refused() {
    both(|it| it["rawId"] = json!("AAAA"), PasskeyError::CredentialIdMismatch);
    let mut registration = phone().registers(&EXPECTED);
    registration["id"] = json!("AAAA");
    registration["rawId"] = json!("AAAA");
    assert_eq!(register(&registration), Err(PasskeyError::CredentialIdMismatch));
}

#[test]
fn a_registration_without_credential_is_refused() {
    let phone = phone();
    let refused = registration_of(&phone, &phone.data("example.org", false));
    assert_eq!(refused, Err(PasskeyError::NoCredential));
}

#[test]
fn attestation_is_none() {
    let phone = phone();
    let data = bytes(&phone.data("example.org", true));
    let refused = |format: &str, statement: &[u8]| {
        let (format, statement) = ((text("fmt"), text(format)), (text("attStmt"), statement.to_vec()));
        let object = map(&[format, statement, (text("authData"), data.clone())]);
        register(&with(phone.registers(&EXPECTED), "attestationObject", &object)).err()
    };
    let statement = map(&[(text("alg"), integer(-7))]);
    assert_eq!(refused("none", &map(&[])), None);
    assert_eq!(refused("packed", &statement), Some(PasskeyError::AttestationFormat));
    assert_eq!(refused("None", &map(&[])), Some(PasskeyError::AttestationFormat));
    assert_eq!(refused("none", &statement), Some(PasskeyError::AttestationStatement));
    assert_eq!(refused("none", &[0x80]), Some(PasskeyError::Malformed(Part::AttestationObject)));
}
