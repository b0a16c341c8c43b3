//! Applications that authenticate with assertions that they sign (`private_key_jwt`).

use serde_json::{Value, json};

use super::*;
use crate::on_both_stores;
use vestibule::{ApplicationKeys, ApplicationKeysError, AssertionError, ConfiguredApplication};
use vestibule_testing::assertion::{Signer, good_claims};

const ISSUER: &str = "https://accounts.example.org";

/// The set of the public keys of these, which are named `k0`, `k1` and so on.
pub(crate) fn keys_of(signers: &[&Signer]) -> ApplicationKeys {
    let keys: Vec<Value> = signers.iter().enumerate().map(|(i, one)| one.jwk(&format!("k{i}"))).collect();
    ApplicationKeys::new(&json!({ "keys": keys }).to_string()).unwrap()
}

/// An application with these keys.
fn signing(id: &str, signers: &[&Signer]) -> Application {
    Application { id: id.parse().unwrap(), keys: keys_of(signers), ..shop() }
}

/// The claims of a good assertion of the press, made now.
fn claims_now(world: &World, jti: &str) -> Value {
    good_claims("press", ISSUER, world.clock.now().as_seconds(), jti)
}

/// Registers the press and uses an assertion of it.
pub(crate) async fn uses_one(world: &World) {
    let signer = Signer::ed25519();
    world.accounts.create_application(Actor::Operator, signing("press", &[&signer])).await.unwrap();
    let assertion = signer.signs(&json!({"alg": "EdDSA"}), &claims_now(world, "a"));
    presents(&world.accounts, &assertion).await.unwrap();
}

async fn presents(accounts: &Accounts, assertion: &str) -> Result<AuthenticatedApplication, AssertionError> {
    accounts.authenticate_application_by_assertion(Some("press"), assertion).await
}

/// The token with another header.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", BASE64URL_NOPAD.encode(header.to_string().as_bytes()))
}

fn with_hmac(secret: &[u8], claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
}

on_both_stores! {
    async fn an_application_with_keys_is_known_by_what_it_signs(world: &World) {
        let (ed, p256) = (Signer::ed25519(), Signer::p256());
        let press = signing("press", &[&ed, &p256]);
        assert!(world.accounts.create_application(Actor::Operator, press.clone()).await.unwrap().is_none());
        let found = world.accounts.find_application(Actor::Operator, &press.id).await.unwrap();
        assert_eq!((&found.application, found.secrets), (&press, 0));
        let now = world.clock.now().as_seconds();
        let token_endpoint = format!("{ISSUER}/v1/token");
        let mut jti = 0;
        for (signer, kid) in [(&ed, "k0"), (&p256, "k1")] {
            for header in [
                json!({}), json!({"kid": kid}), json!({"typ": "JWT"}), json!({"typ": "jwt"}),
                json!({"typ": "client-authentication+jwt", "kid": kid, "x5t": "AA"}),
            ] {
                for aud in [json!(ISSUER), json!([ISSUER]), json!(token_endpoint)] {
                    jti += 1;
                    let mut header = header.clone();
                    header["alg"] = signer.algorithm().into();
                    let mut claims = good_claims("press", ISSUER, now, &jti.to_string());
                    claims["aud"] = aud;
                    let by = presents(&world.accounts, &signer.signs(&header, &claims)).await;
                    assert_eq!(by.unwrap().application(), &press, "{header} {claims}");
                }
            }
        }
        // Without a `client_id` beside it, and for a token.
        let assertion = ed.asserts("press", ISSUER, now, "last");
        let by = world.accounts.authenticate_application_by_assertion(None, &assertion).await.unwrap();
        world.accounts.machine_token(&by, None, None).await.unwrap();
        // It has no secret, and no name is enough.
        for secret in [None, Some(Secret::from("")), Some(Secret::from("x"))] {
            assert!(world.accounts.authenticate_application("press", secret.as_ref()).await.is_err());
        }
        // Keys and secret beside each other, and either alone.
        let secret = world.accounts.rotate_application_secret(Actor::Operator, &press.id).await.unwrap();
        world.accounts.authenticate_application("press", Some(&secret)).await.unwrap();
        presents(&world.accounts, &ed.asserts("press", ISSUER, now, "both")).await.unwrap();
        let fewer = signing("press", &[&p256]);
        world.accounts.update_application(Actor::Operator, fewer).await.unwrap();
        let gone = presents(&world.accounts, &ed.asserts("press", ISSUER, now, "gone")).await;
        assert_eq!(refusal(gone), "Refused");
        let none = Application { keys: ApplicationKeys::default(), ..press };
        world.accounts.update_application(Actor::Operator, none).await.unwrap();
        assert_eq!(refusal(presents(&world.accounts, &p256.asserts("press", ISSUER, now, "x")).await), "Refused");
        world.accounts.authenticate_application("press", Some(&secret)).await.unwrap();
    }

    async fn the_last_way_to_authenticate_is_not_taken(world: &World) {
        let signer = Signer::p256();
        let press = signing("press", &[&signer]);
        world.accounts.create_application(Actor::Operator, press.clone()).await.unwrap();
        let none = Application { keys: ApplicationKeys::default(), ..press.clone() };
        let refused = world.accounts.update_application(Actor::Operator, none).await;
        assert_eq!(refusal(refused), "Invalid(KeysNeeded)");
        let found = world.accounts.find_application(Actor::Operator, &press.id).await.unwrap();
        assert_eq!(found.application, press);
    }

    // RFC 7523 §3: each claim, and the header (RFC 8725 §3).
    async fn what_is_not_an_assertion_for_this_service_is_refused(world: &World) {
        let signer = Signer::ed25519();
        world.accounts.create_application(Actor::Operator, signing("press", &[&signer])).await.unwrap();
        let now = world.clock.now().as_seconds();
        let far = "https://elsewhere.example";
        for (claim, value, expected) in [
            ("iss", json!(null), "Client"), ("iss", json!("shop"), "Client"), ("sub", json!(null), "Client"),
            ("sub", json!("shop"), "Client"), ("iss", json!(7), "Malformed"),
            ("aud", json!(null), "Audience"), ("aud", json!(far), "Audience"), ("aud", json!([]), "Audience"),
            ("aud", json!([ISSUER, far]), "Audience"), ("aud", json!(format!("{ISSUER}/")), "Audience"),
            ("aud", json!("press"), "Audience"), ("aud", json!({"a": 1}), "Malformed"),
            ("exp", json!(null), "Endless"), ("exp", json!("soon"), "Malformed"), ("exp", json!(1e300), "Endless"),
            ("exp", json!(now), "Expired"), ("exp", json!(now - 1), "Expired"), ("exp", json!(-1), "Expired"),
            ("exp", json!(now + 301), "TooLasting"), ("exp", json!(i64::MAX), "Endless"),
            ("nbf", json!(now + 31), "NotYet"), ("iat", json!(now + 31), "NotYet"), ("iat", json!(1e300), "NotYet"),
            ("jti", json!(null), "Id"), ("jti", json!(""), "Id"), ("jti", json!("j".repeat(129)), "Id"),
        ] {
            let mut claims = claims_now(world, "a");
            claims[claim] = value;
            let refused = presents(&world.accounts, &signer.signs(&json!({"alg": "EdDSA"}), &claims)).await;
            assert_eq!(refusal(refused), format!("Invalid({expected})"), "{claims}");
        }
        let claims = claims_now(world, "a");
        for (header, expected) in [
            (json!({"alg": "none"}), "Malformed"), (json!({"alg": "HS256"}), "Malformed"), (json!({}), "Malformed"),
            (json!({"alg": "RS256"}), "Malformed"), (json!({"alg": "eddsa"}), "Malformed"),
            (json!({"alg": "EdDSA", "crit": ["exp"]}), "Header"), (json!({"alg": "EdDSA", "crit": []}), "Header"),
            (json!({"alg": "EdDSA", "jwk": signer.jwk("k0")}), "Header"), (json!({"alg": "EdDSA", "jku": far}), "Header"),
            (json!({"alg": "EdDSA", "typ": "at+jwt"}), "Type"), (json!({"alg": "EdDSA", "typ": "logout+jwt"}), "Type"),
        ] {
            let refused = presents(&world.accounts, &signer.signs(&header, &claims)).await;
            assert_eq!(refusal(refused), format!("Invalid({expected})"), "{header}");
        }
        let good = signer.signs(&json!({"alg": "EdDSA"}), &claims);
        let (head_and_claims, _) = good.rsplit_once('.').unwrap();
        for (text, expected) in [
            (String::new(), "Malformed"), ("a.b.c".to_owned(), "Malformed"), (head_and_claims.to_owned(), "Malformed"),
            (format!("{good}.x"), "Malformed"), (format!("{good}{}", "A".repeat(4096)), "TooLong"),
            (with_header(&format!("{head_and_claims}."), &json!({"alg": "none"})), "Malformed"),
        ] {
            assert_eq!(refusal(presents(&world.accounts, &text).await), format!("Invalid({expected})"), "{text}");
        }
        // The limits themselves are within, and none of the refused has used the name up.
        let mut edge = claims_now(world, "a");
        (edge["nbf"], edge["iat"], edge["exp"]) = (json!(now + 30), json!(now + 30), json!(now + 300));
        presents(&world.accounts, &signer.signs(&json!({"alg": "EdDSA"}), &edge)).await.unwrap();
        edge["jti"] = json!("j".repeat(128));
        edge["exp"] = json!(f64::from(u32::try_from(now).unwrap()) + 60.5);
        presents(&world.accounts, &signer.signs(&json!({"alg": "EdDSA"}), &edge)).await.unwrap();
    }

    // RFC 8725 §3.1: the key decides on the algorithm. Which keys and which applications there are is not told.
    async fn only_its_own_keys_sign_for_an_application(world: &World) {
        let (ed, p256, other) = (Signer::ed25519(), Signer::p256(), Signer::ed25519());
        world.accounts.create_application(Actor::Operator, signing("press", &[&ed, &p256])).await.unwrap();
        world.accounts.create_application(Actor::Operator, signing("other", &[&other])).await.unwrap();
        let secret = world.accounts.create_application(Actor::Operator, shop()).await.unwrap().unwrap();
        let claims = claims_now(world, "a");
        let good = ed.signs(&json!({"alg": "EdDSA"}), &claims);
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        let mut wrong = vec![
            other.signs(&json!({"alg": "EdDSA"}), &claims),
            Signer::p256().signs(&json!({"alg": "ES256"}), &claims),
            ed.signs(&json!({"alg": "ES256"}), &claims),
            p256.signs(&json!({"alg": "EdDSA"}), &claims),
            ed.signs(&json!({"alg": "EdDSA", "kid": "k1"}), &claims),
            ed.signs(&json!({"alg": "EdDSA", "kid": "k9"}), &claims),
            ed.signs(&json!({"alg": "EdDSA", "kid": ""}), &claims),
            with_header(&good, &json!({"alg": "EdDSA", "typ": "JWT"})),
            format!("{signed}."),
            format!("{signed}.{}", &signature[..signature.len() - 4]),
            format!("{signed}.{flipped}{}", &signature[1..]),
            format!("{signed}.{signature}AAAA"),
        ];
        let changed = claims_now(world, "b");
        let payload = BASE64URL_NOPAD.encode(changed.to_string().as_bytes());
        wrong.push(format!("{}.{payload}.{signature}", signed.split_once('.').unwrap().0));
        for assertion in &wrong {
            assert_eq!(refusal(presents(&world.accounts, assertion).await), "Refused", "{assertion}");
        }
        // The public key, and the secret of another, are no secrets to sign with.
        for key in [ed.public(), p256.public(), secret.expose().as_bytes(), b""] {
            let refused = presents(&world.accounts, &with_hmac(key, &claims)).await;
            assert_eq!(refusal(refused), "Invalid(Malformed)");
        }
        let now = world.clock.now().as_seconds();
        let by = |id: &'static str, assertion: String| {
            let accounts = world.accounts.clone();
            async move { refusal(accounts.authenticate_application_by_assertion(Some(id), &assertion).await) }
        };
        assert_eq!(by("other", good.clone()).await, "Invalid(Client)");
        assert_eq!(by("other", ed.asserts("other", ISSUER, now, "a")).await, "Refused");
        assert_eq!(by("shop", ed.asserts("shop", ISSUER, now, "a")).await, "Refused");
        assert_eq!(by("nobody", ed.asserts("nobody", ISSUER, now, "a")).await, "Refused");
        assert_eq!(by("vestibule", ed.asserts("vestibule", ISSUER, now, "a")).await, "Invalid(Client)");
        assert_eq!(by("no body", ed.asserts("no body", ISSUER, now, "a")).await, "Invalid(Client)");
        assert_eq!(world.sql("SELECT 1 FROM application_assertions"), 0);
        presents(&world.accounts, &good).await.unwrap();
    }

    async fn an_assertion_works_once(world: &World) {
        let signer = Signer::p256();
        let press = signing("press", &[&signer]);
        world.accounts.create_application(Actor::Operator, press.clone()).await.unwrap();
        world.accounts.create_application(Actor::Operator, signing("other", &[&signer])).await.unwrap();
        let other = world.another_instance().await;
        let now = world.clock.now().as_seconds();
        let assertion = signer.asserts("press", ISSUER, now, "a");
        presents(&world.accounts, &assertion).await.unwrap();
        // The same again, elsewhere, and another one of the same name.
        let again = signer.asserts("press", ISSUER, now + 1, "a");
        for (accounts, assertion) in [(&world.accounts, &assertion), (&other, &assertion), (&other, &again)] {
            assert_eq!(refusal(presents(accounts, assertion).await), "Used");
        }
        // Names are each application's own.
        let of_other = signer.asserts("other", ISSUER, now, "a");
        world.accounts.authenticate_application_by_assertion(None, &of_other).await.unwrap();
        // Of many at once, at two instances, one is the first.
        let racing = signer.asserts("press", ISSUER, now, "race");
        let racers = (0..12).map(|i| presents(if i % 2 == 0 { &world.accounts } else { &other }, &racing));
        let answers = futures_util::future::join_all(racers).await;
        let refused: Vec<String> = answers.into_iter().filter(Result::is_err).map(refusal).collect();
        assert_eq!(refused, ["Used"; 11]);
        // They are forgotten when they are over, and with the application.
        assert_eq!(world.sql("SELECT 1 FROM application_assertions"), 3);
        world.accounts.sweep().await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM application_assertions"), 3);
        world.accounts.remove_application(Actor::Operator, &press.id).await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM application_assertions"), 1);
        world.advance(seconds(121));
        world.accounts.sweep().await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM application_assertions"), 0);
        assert_eq!(refusal(presents(&world.accounts, &assertion).await), "Invalid(Expired)");
    }

    async fn an_application_of_the_settings_may_have_keys_alone(world: &World) {
        let signer = Signer::ed25519();
        let configured = ConfiguredApplication { application: signing("press", &[&signer]), secrets: vec![] };
        let accounts = world.instance_with(|policy| policy.applications = vec![configured]).await;
        let assertion = signer.asserts("press", ISSUER, world.clock.now().as_seconds(), "a");
        presents(&accounts, &assertion).await.unwrap();
        assert_eq!(refusal(presents(&accounts, &assertion).await), "Used");
        assert_eq!(refusal(presents(&world.accounts, &assertion).await), "Refused");
    }
}

#[test]
fn a_private_key_is_never_registered() {
    let mut key = Signer::ed25519().jwk("a");
    key["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into();
    let refused = ApplicationKeys::new(&json!({ "keys": [key] }).to_string());
    assert_eq!(refused, Err(ApplicationKeysError::Private(1)));
    assert!(!refused.unwrap_err().to_string().contains("nWGx"));
}
