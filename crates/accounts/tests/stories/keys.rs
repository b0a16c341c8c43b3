use std::time::Duration;

use crate::on_both_stores;
use crate::world::*;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use vestibule::{Accounts, KeyError, KeyState, Rotated, Rotation, SigningAlgorithm, Tokens};

const ADA: &str = "ada@example.org";
const MILLISECOND: Duration = Duration::from_millis(1);
const AT_ONCE: Rotation = Rotation { algorithm: None, at_once: true };
const TO_ES256: Rotation = Rotation { algorithm: Some(SigningAlgorithm::Es256), at_once: true };

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    decoded(token.split('.').next().unwrap())
}

fn key_of(tokens: &Tokens) -> String {
    header(tokens.access_token.expose())["kid"].as_str().unwrap().to_owned()
}

fn jwks(accounts: &Accounts) -> Vec<Value> {
    serde_json::from_str::<Value>(&accounts.jwks()).unwrap()["keys"].as_array().unwrap().clone()
}

fn published(accounts: &Accounts) -> Vec<String> {
    jwks(accounts).iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Ids and states, newest first.
async fn states(accounts: &Accounts) -> Vec<(String, KeyState)> {
    accounts.signing_keys().await.unwrap().into_iter().map(|key| (key.id, key.state)).collect()
}

async fn is_valid(accounts: &Accounts, tokens: &Tokens) -> bool {
    accounts.authenticate(tokens.access_token.expose()).await.is_ok()
}

async fn refreshes(accounts: &Accounts, tokens: &Tokens) -> Tokens {
    accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap()
}

async fn rotates(accounts: &Accounts, how: Rotation) -> Rotated {
    let rotated = accounts.rotate_keys(how).await.unwrap();
    assert_ne!(rotated.new.id, rotated.old.as_ref().unwrap().id);
    rotated
}

/// Ada, signed in with the first key, and that key.
async fn begins(world: &World) -> (Tokens, String) {
    world.has_account(ADA).await;
    let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
    let key = key_of(&tokens);
    (tokens, key)
}

/// Signs with a different P-256 key.
#[expect(clippy::disallowed_methods, reason = "ECDSA takes a random number for each signature")]
fn a_stranger() -> impl Fn(&str) -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let random = aws_lc_rs::rand::SystemRandom::new();
    move |text| pair.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec()
}

on_both_stores! {
    // J6: published first, signing once every copy of the keys is new, verifying until the last old token has expired.
    async fn a_rotation_signs_nobody_out(world: &World) {
        let (first, old) = begins(world).await;
        let policy = &world.settings.policy.tokens;
        assert_eq!((policy.key_lead(), policy.key_overlap()), (seconds(2 * 60 + 300), seconds(605)));
        let plan = rotates(&world.accounts, Rotation::default()).await;
        let new = plan.new.id.clone();
        assert_eq!((plan.new.created_at, plan.new.signs_at), (world.clock.now(), world.clock.now() + seconds(420)));
        assert_eq!(plan.old.unwrap().retired_at, Some(plan.new.signs_at + seconds(605)));
        assert_eq!(published(&world.accounts), [new.clone(), old.clone()]);
        assert_eq!(states(&world.accounts).await, [(new.clone(), KeyState::Published), (old.clone(), KeyState::Signing)]);

        world.advance(plan.new.signs_at.since(world.clock.now() + MILLISECOND));
        let last = refreshes(&world.accounts, &first).await;
        assert_eq!(key_of(&last), old, "not before its time");
        world.advance(MILLISECOND);
        let next = refreshes(&world.accounts, &last).await;
        assert_eq!(key_of(&next), new);
        assert_eq!(states(&world.accounts).await, [(new.clone(), KeyState::Signing), (old.clone(), KeyState::Verifying)]);
        assert!(is_valid(&world.accounts, &first).await && is_valid(&world.accounts, &last).await);

        // The last token of the old key lives its full life; then the key is gone everywhere.
        world.advance(seconds(603));
        assert!(is_valid(&world.accounts, &last).await);
        world.advance(Duration::from_millis(1999));
        assert_eq!(published(&world.accounts), [new.clone(), old.clone()]);
        world.advance(MILLISECOND);
        assert_eq!(published(&world.accounts), [new.as_str()]);
        assert_eq!(states(&world.accounts).await, [(new.clone(), KeyState::Signing), (old, KeyState::Retired)]);
        assert!(!is_valid(&world.accounts, &last).await);
        let later = refreshes(&world.accounts, &next).await;
        assert!(is_valid(&world.accounts, &later).await && key_of(&later) == new, "the session lived through all of it");
        // The private part is erased, then the row; the list does not grow for ever.
        assert_eq!(world.accounts.sweep().await.unwrap(), 1);
        world.advance(hours(30 * 24));
        world.accounts.sweep().await.unwrap();
        assert_eq!(states(&world.accounts).await, [(new, KeyState::Signing)]);
    }

    // J6: another instance publishes the key before it signs, and begins to sign with it on time by itself.
    async fn every_instance_learns_of_a_new_key_in_time(world: &World) {
        let (tokens, old) = begins(world).await;
        let other = world.another_instance().await;
        let plan = rotates(&world.accounts, Rotation::default()).await;
        assert_eq!(published(&other), [old.as_str()]);
        world.advance(world.settings.policy.tokens.keys_read_every);
        other.sweep().await.unwrap();
        assert_eq!(published(&other), [plan.new.id.clone(), old.clone()]);
        let never_swept = world.another_instance().await;
        world.advance(plan.new.signs_at.since(world.clock.now()));
        let tokens = refreshes(&never_swept, &tokens).await;
        assert_eq!(key_of(&tokens), plan.new.id);
        assert!(is_valid(&other, &tokens).await && is_valid(&world.accounts, &tokens).await);
        // After a restart everything is the same.
        assert_eq!(published(&world.another_instance().await), [plan.new.id, old]);
    }

    // A clock that was set back to before the beginning of the only key leaves it signing.
    async fn a_key_signs_although_the_clock_was_put_back(world: &World) {
        let (_, key) = begins(world).await;
        let behind = vestibule::ManualClock::new(world.clock.now() - hours(1));
        let settings = vestibule::Settings { env: vestibule::Env::manual(&behind), ..world.settings.clone() };
        let accounts = Accounts::open(settings).await.unwrap();
        let login = vestibule::Login::Email(address(ADA));
        let tokens = accounts.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        assert!(is_valid(&accounts, &tokens).await && key_of(&tokens) == key);
        assert_eq!(states(&accounts).await, [(key.clone(), KeyState::Signing)]);
        let plan = rotates(&accounts, Rotation::default()).await;
        assert!(plan.old.unwrap().id == key && plan.new.signs_at > world.clock.now());
    }

    // J2: an unknown `kid` makes an instance read the keys, but invented ones at most once a second.
    async fn an_unknown_key_is_looked_up_once_a_second(world: &World) {
        let (tokens, _) = begins(world).await;
        let other = world.another_instance().await;
        rotates(&world.accounts, AT_ONCE).await;
        world.advance(seconds(1));
        let second = refreshes(&world.accounts, &tokens).await;
        assert!(is_valid(&other, &second).await, "read because of this token");
        let made_up = format!("{}.e30.AAAA", BASE64URL_NOPAD.encode(json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "0123456789abcdef" }).to_string().as_bytes()));
        world.advance(seconds(1));
        assert!(other.authenticate(&made_up).await.is_err());
        rotates(&world.accounts, AT_ONCE).await;
        world.advance(MILLISECOND);
        let third = refreshes(&world.accounts, &second).await;
        assert_ne!(key_of(&third), key_of(&second));
        assert!(!is_valid(&other, &third).await, "read less than a second ago");
        world.advance(seconds(1));
        let answers = join_all((0..8).map(|_| is_valid(&other, &third))).await;
        assert_eq!(answers, [true; 8], "those who ask meanwhile wait for the answer");
    }

    // Two operators at the same time: one plan.
    async fn parallel_rotations_make_one_successor(world: &World) {
        let (tokens, old) = begins(world).await;
        let other = world.another_instance().await;
        let all = [&world.accounts, &other];
        let results = join_all((0..8).map(|i| all[i % 2].rotate_keys(Rotation::default()))).await;
        let (made, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((made.len(), refused.len()), (1, 7));
        let plan = made.into_iter().next().unwrap().unwrap();
        for refusal in refused {
            let Err(KeyError::Pending { id, signs_at }) = refusal else { panic!("{refusal:?}") };
            assert_eq!((id, signs_at), (plan.new.id.clone(), plan.new.signs_at));
        }
        assert_eq!(states(&other).await, [(plan.new.id, KeyState::Published), (old, KeyState::Signing)]);
        assert!(is_valid(&other, &tokens).await);
    }

    // In a hurry several may follow each other: which one signs is never in doubt, and nobody is signed out.
    async fn parallel_rotations_in_a_hurry_stay_in_order(world: &World) {
        let (tokens, _) = begins(world).await;
        world.advance(seconds(1));
        let other = world.another_instance().await;
        let all = [&world.accounts, &other];
        let results = join_all((0..6).map(|i| all[i % 2].rotate_keys(AT_ONCE))).await;
        let made = results.iter().flatten().count();
        assert!(made >= 1 && results.iter().flatten().all(|plan| plan.old.is_some()));
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(KeyError::Pending { .. }))), "{results:?}");
        world.advance(seconds(1));
        let keys = world.accounts.signing_keys().await.unwrap();
        assert_eq!(keys.len(), made + 1);
        assert!(keys.is_sorted_by(|a, b| a.signs_at > b.signs_at));
        assert!(keys[0].retired_at.is_none() && keys[1..].iter().all(|key| key.retired_at.is_some()));
        for accounts in all {
            assert!(is_valid(accounts, &tokens).await);
            assert_eq!(key_of(&world.signs_in(ADA, PASSWORD).await.unwrap()), keys[0].id);
        }
    }

    // A compromised key: its tokens are refused immediately and everywhere, even if they were verified before.
    async fn a_retired_key_is_refused_at_once_everywhere(world: &World) {
        let (tokens, stolen) = begins(world).await;
        let other = world.another_instance().await;
        assert!(is_valid(&other, &tokens).await && is_valid(&world.accounts, &tokens).await);
        let retired = world.accounts.retire_key(&stolen).await.unwrap();
        let signing = retired.signing.unwrap();
        assert!(retired.made && retired.key.state == KeyState::Retired && signing.state == KeyState::Signing);
        assert!(!is_valid(&other, &tokens).await && !is_valid(&world.accounts, &tokens).await);
        assert_eq!(published(&world.accounts), [signing.id.as_str()]);
        // The session lives on: the other instance refreshes with the new key, without a sweep.
        let fresh = refreshes(&other, &tokens).await;
        assert_eq!(key_of(&fresh), signing.id);
        assert!(is_valid(&other, &fresh).await && is_valid(&world.accounts, &fresh).await);
        assert_eq!(published(&other), [signing.id.as_str()]);
        assert!(matches!(other.retire_key(&stolen).await, Err(KeyError::Retired)));
        assert!(matches!(other.retire_key("0123456789abcdef").await, Err(KeyError::NotFound)));
        assert!(matches!(other.retire_key("").await, Err(KeyError::NotFound)));
        assert_eq!(world.accounts.sweep().await.unwrap(), 0, "its private part went with it");
        // Of two concurrent calls one succeeds.
        let both = join_all([world.accounts.retire_key(&signing.id), other.retire_key(&signing.id)]).await;
        assert_eq!(both.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(states(&other).await.iter().filter(|(_, state)| *state == KeyState::Signing).count(), 1);
    }

    async fn retiring_the_next_key_calls_the_rotation_off(world: &World) {
        let (tokens, old) = begins(world).await;
        let plan = rotates(&world.accounts, Rotation::default()).await;
        assert!(matches!(world.accounts.rotate_keys(AT_ONCE).await, Err(KeyError::Pending { .. })));
        let retired = world.accounts.retire_key(&plan.new.id).await.unwrap();
        assert!(!retired.made && retired.signing.unwrap().id == old);
        world.advance(hours(1));
        let tokens = refreshes(&world.accounts, &tokens).await;
        assert!(key_of(&tokens) == old && is_valid(&world.accounts, &tokens).await, "it has no end any more");
        // Retiring the key that signs while another waits: the waiting one begins early, and none is created.
        let plan = rotates(&world.accounts, Rotation::default()).await;
        let retired = world.accounts.retire_key(&old).await.unwrap();
        assert!(!retired.made && retired.signing.unwrap().id == plan.new.id);
        let tokens = refreshes(&world.accounts, &tokens).await;
        assert!(key_of(&tokens) == plan.new.id && is_valid(&world.accounts, &tokens).await);
    }

    // A verifying key ends early, and the signing one is not affected.
    async fn a_key_that_only_verifies_can_be_retired(world: &World) {
        let (tokens, old) = begins(world).await;
        let plan = rotates(&world.accounts, AT_ONCE).await;
        world.advance(seconds(1));
        let next = refreshes(&world.accounts, &tokens).await;
        let retired = world.accounts.retire_key(&old).await.unwrap();
        assert!(!retired.made && retired.signing.unwrap().id == plan.new.id);
        assert!(!is_valid(&world.accounts, &tokens).await && is_valid(&world.accounts, &next).await);
    }

    // J1: the algorithm is chosen when a key is created, and existing keys do not change.
    async fn the_algorithm_changes_with_the_next_key(world: &World) {
        let (tokens, old) = begins(world).await;
        let accounts = world.instance_with(|policy| policy.tokens.algorithm = SigningAlgorithm::Es256).await;
        assert_eq!(accounts.signing_algorithm(), Some(SigningAlgorithm::EdDsa));
        assert_eq!(header(refreshes(&accounts, &tokens).await.access_token.expose())["alg"], "EdDSA");
        let plan = rotates(&accounts, AT_ONCE).await;
        world.advance(seconds(1));
        let next = world.signs_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(header(next.access_token.expose()), json!({ "alg": "ES256", "typ": "at+jwt", "kid": plan.new.id }));
        assert!(is_valid(&world.accounts, &next).await && is_valid(&accounts, &tokens).await);
        let [new, before] = jwks(&accounts).try_into().unwrap();
        assert_eq!((&before["kid"], &before["alg"]), (&json!(old), &json!("EdDSA")));
        // RFC 7518 §6.2.1
        assert_eq!((&new["kty"], &new["crv"], &new["alg"]), (&json!("EC"), &json!("P-256"), &json!("ES256")));
        assert!(new["x"].as_str().unwrap().len() == 43 && new["y"].as_str().unwrap().len() == 43 && new.get("d").is_none());
        // In an emergency the algorithm stays the one verifiers know.
        let retired = world.accounts.retire_key(&plan.new.id).await.unwrap();
        assert_eq!(retired.signing.unwrap().algorithm, SigningAlgorithm::Es256);
    }

    // J1, RFC 8725 §3.1: the key determines how it is checked. Each forgery names one key and is made for another
    // algorithm.
    async fn algorithms_cannot_be_confused(world: &World) {
        let (edwards_token, edwards_key) = begins(world).await;
        let p256_key = rotates(&world.accounts, TO_ES256).await.new.id;
        world.advance(seconds(1));
        let p256_token = world.signs_in(ADA, PASSWORD).await.unwrap();
        assert_eq!((key_of(&p256_token), key_of(&edwards_token)), (p256_key.clone(), edwards_key.clone()));
        assert!(is_valid(&world.accounts, &p256_token).await && is_valid(&world.accounts, &edwards_token).await);
        let keys = jwks(&world.accounts);
        let edwards_pair = Ed25519KeyPair::generate().unwrap();
        let edwards_signs = |text: &str| edwards_pair.sign(text.as_bytes()).as_ref().to_vec();
        let p256_signs = a_stranger();
        let body = |tokens: &Tokens| tokens.access_token.expose().split('.').nth(1).unwrap().to_owned();
        let unsigned = |alg: &str, kid: &str, body: &str| {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid }).to_string();
            format!("{}.{body}", BASE64URL_NOPAD.encode(header.as_bytes()))
        };
        let mut forged = Vec::new();
        for (tokens, kid, other) in [(&edwards_token, &edwards_key, &p256_key), (&p256_token, &p256_key, &edwards_key)] {
            let body = body(tokens);
            let own = tokens.access_token.expose().rsplit('.').next().unwrap();
            let own = BASE64URL_NOPAD.decode(own.as_bytes()).unwrap();
            for alg in ["none", "None", "EdDSA", "ES256", "ES384", "RS256", "PS256", "HS256", "HS384", "HS512", "", "Ed25519"] {
                for kid in [kid, other] {
                    let text = unsigned(alg, kid, &body);
                    // Our own signature under another header, foreign signatures, none, and all zeros (CVE-2022-21449).
                    let signatures = [own.clone(), edwards_signs(&text), p256_signs(&text), Vec::new(), vec![0; 64]];
                    forged.extend(signatures.map(|signature| (text.clone(), signature)));
                    // The public key as the secret of an HMAC, in each form in which it is published.
                    for key in &keys {
                        let x = key["x"].as_str().unwrap();
                        let y = key["y"].as_str().unwrap_or_default();
                        let raw = [BASE64URL_NOPAD.decode(x.as_bytes()).unwrap(), BASE64URL_NOPAD.decode(y.as_bytes()).unwrap()].concat();
                        for secret in [raw.clone(), [vec![4], raw].concat(), x.as_bytes().to_vec(), key.to_string().into_bytes()] {
                            let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
                            forged.push((text.clone(), aws_lc_rs::hmac::sign(&secret, text.as_bytes()).as_ref().to_vec()));
                        }
                    }
                }
            }
        }
        assert!(forged.len() > 400);
        for (text, signature) in forged {
            let token = format!("{text}.{}", BASE64URL_NOPAD.encode(&signature));
            assert!(world.accounts.authenticate(&token).await.is_err(), "{token}");
        }
    }
}
