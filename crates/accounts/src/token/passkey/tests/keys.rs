//! Which keys are accepted, and what they verify.

use super::*;

#[test]
fn other_algorithms_are_refused() {
    for number in [-35, -37, -258, -65535, 0] {
        let mut key = phone().public_key_entries();
        key[1].1 = integer(number);
        assert_eq!(registration_with_key(&map(&key)), Err(PasskeyError::Algorithm), "{number}");
    }
    let mut key = phone().public_key_entries();
    key.remove(1);
    assert_eq!(registration_with_key(&map(&key)), Err(PasskeyError::Malformed(Part::PublicKey)));
}

const UNUSABLE: Option<PasskeyError> = Some(PasskeyError::UnusableKey);

/// Why a registration is refused whose key has another value at an index of its entries.
fn refused(authenticator: &Authenticator, index: usize, value: Vec<u8>) -> Option<PasskeyError> {
    let mut key = authenticator.public_key_entries();
    key[index].1 = value;
    registration_with_key(&map(&key)).err()
}

#[test]
fn curve_keys_lie_on_their_curve() {
    let es256 = phone();
    for (index, value) in [
        (0, integer(1)),
        (0, text("EC2")),
        (1, integer(-8)),
        (2, integer(2)),
        // Off the curve, too long, too short, and a compressed point.
        (3, bytes(&[1; 32])),
        (3, bytes(&[0; 33])),
        (4, bytes(&[0; 31])),
        (4, vec![0xf5]),
    ] {
        assert_eq!(refused(&es256, index, value.clone()), UNUSABLE, "{index}: {value:?}");
    }
    let ed25519 = Authenticator::new(Algorithm::Ed25519);
    assert_eq!(refused(&ed25519, 1, integer(-7)), UNUSABLE);
    assert_eq!(refused(&ed25519, 2, integer(7)), UNUSABLE);
    assert_eq!(refused(&ed25519, 3, bytes(&[1; 31])), UNUSABLE);
}

#[test]
fn rsa_keys_have_2048_to_4096_bits_and_a_sane_exponent() {
    let rs256 = Authenticator::new(Algorithm::Rs256);
    let modulus =
        |octets: usize, first: u8| refused(&rs256, 2, bytes(&[vec![first], vec![0xff; octets - 1]].concat()));
    assert_eq!((modulus(256, 0x80), modulus(512, 0xff)), (None, None));
    assert_eq!((modulus(256, 0x7f), modulus(513, 1)), (UNUSABLE, UNUSABLE));
    // A leading zero; an even one; none.
    assert_eq!((modulus(257, 0), refused(&rs256, 2, bytes(&[0xfe; 256]))), (UNUSABLE, UNUSABLE));
    assert_eq!(refused(&rs256, 2, bytes(&[])), UNUSABLE);
    let exponent = |octets: &[u8]| refused(&rs256, 3, bytes(octets));
    assert_eq!((exponent(&[1, 0, 1]), exponent(&[0xff; 4])), (None, None));
    for weak in [&[][..], &[1], &[3], &[1, 0, 0], &[1, 0, 2], &[0, 1, 0, 1], &[1, 0, 0, 0, 1], &[0xff; 9]] {
        assert_eq!(exponent(weak), UNUSABLE, "{weak:?}");
    }
}

#[test]
fn a_key_has_its_parameters_and_no_other() {
    let mut key = phone().public_key_entries();
    key.insert(1, (integer(2), bytes(&[1])));
    assert_eq!(registration_with_key(&map(&key)).err(), UNUSABLE);
    key.remove(1);
    key.swap(0, 1);
    let order = PasskeyError::Cbor(Part::PublicKey, cbor::CborError::KeyOrder);
    assert_eq!(registration_with_key(&map(&key)), Err(order));
    assert_eq!(registration_with_key(&[0x80]), Err(PasskeyError::Malformed(Part::PublicKey)));
}

#[test]
fn wrong_signatures_are_refused() {
    for algorithm in Algorithm::ALL {
        let authenticator = Authenticator::new(algorithm);
        let json = client_data("webauthn.get", &EXPECTED);
        let assertion = authenticator.asserts(&EXPECTED);
        let signature = authenticator.sign(json.as_bytes(), &authenticator.data("example.org", false));
        let changed = |signature: &[u8]| {
            assert_with(&authenticator, &with(assertion.clone(), "signature", signature)).err()
        };
        let wrong = Some(PasskeyError::Signature);
        assert_eq!(changed(&signature), None);
        assert_eq!((changed(&[]), changed(&[0; 64])), (wrong, wrong));
        assert_eq!((changed(&signature[1..]), changed(&signature[..signature.len() - 1])), (wrong, wrong));
        assert_eq!(changed(&[&signature[..], &[0]].concat()), wrong);
        for bit in 0..signature.len() * 8 {
            let mut other = signature.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(changed(&other), wrong, "bit {bit} of {algorithm:?}");
        }
        let public_key = authenticator.public_key();
        let key = StoredKey { public_key: &public_key, backup_eligible: None };
        let stranger = Authenticator { key: Authenticator::new(algorithm).key, ..authenticator };
        let theirs = Assertion::parse(&stranger.asserts(&EXPECTED).to_string()).unwrap();
        assert_eq!(verify_assertion(&EXPECTED, &key, &theirs).err(), wrong);
    }
}
