//! Second factors and passkeys over HTTP.

use serde_json::{Value, json};
use vestibule_testing::totp;
use vestibule_testing::webauthn::{Asked, Authenticator};

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, URL, World};

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

fn codes(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["recovery_codes"].as_array().unwrap().iter().map(text).collect()
}

impl World {
    pub(crate) fn code(&self, secret: &str) -> String {
        totp(secret, self.clock.now().as_seconds())
    }

    /// Adds an authenticator app; its secret and the recovery codes.
    pub(crate) async fn adds_app(&self, token: &str) -> (String, Vec<String>) {
        let begun = self.post_as("/v1/me/authenticator", token).await;
        assert_eq!(begun.status, 200, "{}", begun.text);
        let secret = text(&begun.json()["secret"]);
        let body = json!({"code": self.code(&secret)});
        let made = self.send_as("POST", "/v1/me/authenticator/confirm", token, Some(body)).await;
        self.clock.advance(std::time::Duration::from_secs(30));
        (secret, codes(&made))
    }

    /// Adds a passkey.
    pub(crate) async fn adds_passkey(&self, token: &str) -> Authenticator {
        let asked = self.post_as("/v1/me/passkeys/options", token).await.json();
        let mut passkey = Authenticator::new(-7);
        let handle = text(&asked["public_key"]["user"]["id"]);
        passkey.user_handle = Some(data_encoding::BASE64URL_NOPAD.decode(handle.as_bytes()).unwrap());
        let credential = passkey.registers(&Asked::new(&asked["public_key"], URL));
        let body = json!({"ceremony": asked["ceremony"], "credential": credential});
        let added = self.send_as("POST", "/v1/me/passkeys", token, Some(body)).await;
        assert_eq!(added.status, 201, "{}", added.text);
        passkey
    }

    /// What is answered to a right password where a second factor is asked for.
    pub(crate) async fn is_asked(&self, email: &str) -> Value {
        let answer = self.post("/v1/login", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.problem(), (401, "second_factor_required".to_owned()));
        answer.json()
    }
}

/// The passkey is used in this ceremony.
pub(crate) fn used(passkey: &Authenticator, asked: &Value) -> Value {
    let credential = passkey.asserts(&Asked::new(&asked["public_key"], URL));
    json!({"ceremony": asked["ceremony"], "credential": credential})
}

on_both_stores! {
    async fn an_app_and_its_codes_sign_in(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let begun = world.post_as("/v1/me/authenticator", &token).await;
        let body = begun.json();
        assert!(text(&body["otpauth_uri"]).starts_with("otpauth://totp/Vestibule:ada%40example.org?secret="));
        assert!(text(&body["qr_svg"]).starts_with("<svg"));
        assert_eq!(begun.header("cache-control"), "no-store");
        let (secret, recovery) = world.adds_app(&token).await;
        assert_ne!(text(&body["secret"]), secret, "a second call replaces what was not confirmed");
        assert_eq!(recovery.len(), 10);
        let ways = world.get_as("/v1/me/ways-in", &token).await.json();
        assert_eq!((&ways["password"], &ways["recovery_codes_left"]), (&json!(true), &json!(10)));
        let asked = world.is_asked(ADA).await;
        assert_eq!(asked["methods"], json!(["totp", "recovery_code"]));
        let answer = json!({"challenge": asked["challenge"], "code": "000000"});
        let wrong = world.post("/v1/login/second-factor", answer).await;
        assert_eq!((wrong.problem(), &wrong.json()["attempts_left"]), ((401, "second_factor_invalid".to_owned()), &json!(4)));
        let answer = json!({"challenge": asked["challenge"], "code": world.code(&secret)});
        let session = world.post("/v1/login/second-factor", answer.clone()).await;
        assert_eq!(session.status, 200, "{}", session.text);
        let gone = world.post("/v1/login/second-factor", answer).await;
        assert_eq!(gone.problem(), (410, "challenge_expired".to_owned()));
        let token = text(&session.json()["access_token"]);
        let verified = world.get_as("/v1/auth/verify", &token).await;
        assert_eq!((verified.header("x-auth-amr"), verified.header("x-auth-time")), ("pwd,otp,mfa", "1800000030"));
        let sessions = world.get_as("/v1/me/sessions", &token).await.json();
        assert_eq!(sessions["items"][0]["amr"], json!(["pwd", "otp", "mfa"]));
        let asked = world.is_asked(ADA).await;
        let answer = json!({"challenge": asked["challenge"], "recovery_code": recovery[0]});
        assert_eq!(world.post("/v1/login/second-factor", answer).await.status, 200);
        let exported = world.get_as("/v1/me/export", &token).await.json();
        assert_eq!(exported["ways_in"]["recovery_codes_left"], 9);
        assert_eq!(world.send_as("DELETE", "/v1/me/authenticator", &token, None).await.status, 204);
        world.access_token(ADA).await;
    }

    async fn the_form_of_oauth_asks_for_a_factor_too(world: World) {
        world.has_account(ADA).await;
        let (secret, _) = world.adds_app(&world.access_token(ADA).await).await;
        let form = format!("grant_type=password&username={ADA}&password={PASSWORD}");
        let asked = world.post_form("/v1/token", &form).await;
        assert_eq!((asked.status, &asked.json()["error"]), (403, &json!("second_factor_required")));
        assert_eq!(asked.json()["methods"], json!(["totp", "recovery_code"]));
        let challenge = text(&asked.json()["challenge"]);
        let grant = format!("grant_type=urn:vestibule:second-factor&challenge={challenge}");
        for (form, error) in [
            (grant.clone(), "invalid_request"),
            (format!("{grant}&code=12345"), "invalid_grant"),
            (format!("{grant}&code=000000"), "invalid_grant"),
            (format!("{grant}&recovery_code=x"), "invalid_grant"),
        ] {
            let refused = world.post_form("/v1/token", &form).await;
            assert_eq!((refused.status, &refused.json()["error"]), (400, &json!(error)), "{form}");
        }
        let tokens = world.post_form("/v1/token", &format!("{grant}&code={}", world.code(&secret))).await;
        assert_eq!(tokens.status, 200, "{}", tokens.text);
        assert_eq!(world.get_as("/v1/me", &text(&tokens.json()["access_token"])).await.status, 200);
    }

    async fn a_passkey_is_added_used_named_and_removed(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let passkey = world.adds_passkey(&token).await;
        let other = world.adds_passkey(&token).await;
        let asked = world.post("/v1/login/passkey/options", json!({})).await.json();
        assert_eq!(asked["public_key"]["rpId"], "accounts.example.org");
        let session = world.post("/v1/login/passkey", used(&passkey, &asked)).await;
        assert_eq!(session.status, 200, "{}", session.text);
        let token = text(&session.json()["access_token"]);
        assert_eq!(world.get_as("/v1/auth/verify", &token).await.header("x-auth-amr"), "swk,mfa");
        let ways = world.get_as("/v1/me/ways-in", &token).await.json();
        let (first, second) = (&ways["passkeys"][0], &ways["passkeys"][1]);
        assert!(first["last_used_at"].is_string() && second["last_used_at"].is_null());
        let path = format!("/v1/me/passkeys/{}", text(&second["id"]));
        let renamed = world.send_as("PATCH", &path, &token, Some(json!({"name": " Ada’s key 🔑 "}))).await;
        assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Ada’s key 🔑")));
        assert_eq!(world.send_as("DELETE", &path, &token, None).await.status, 204);
        assert_eq!(world.send_as("DELETE", &path, &token, None).await.problem(), (404, "not_found".to_owned()));
        let asked = world.post("/v1/login/passkey/options", json!({})).await.json();
        let unknown = world.post("/v1/login/passkey", used(&other, &asked)).await;
        assert_eq!(unknown.problem(), (401, "passkey_unknown".to_owned()));
        let again = world.post("/v1/login/passkey", used(&passkey, &asked)).await;
        assert_eq!(again.status, 200, "a ceremony that proved nothing is not spent");
        let again = world.post("/v1/login/passkey", used(&passkey, &asked)).await;
        assert_eq!(again.problem(), (401, "passkey_invalid".to_owned()));
    }

    // RFC 9470
    async fn what_matters_asks_for_a_proof_of_the_last_minutes(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        world.clock.advance(std::time::Duration::from_mins(5));
        let token = text(&session["access_token"]);
        let stale = world.post_as("/v1/me/authenticator", &token).await;
        assert_eq!(stale.problem(), (401, "reauthentication_required".to_owned()));
        let challenge = "Bearer realm=\"vestibule\", error=\"insufficient_user_authentication\", max_age=\"300\"";
        assert_eq!(stale.header("www-authenticate"), challenge);
        let wrong = world.send_as("POST", "/v1/me/verify", &token, Some(json!({"password": "x"}))).await;
        assert_eq!(wrong.field_errors(), ["/password password_wrong"]);
        let verified = world.send_as("POST", "/v1/me/verify", &token, Some(json!({"password": PASSWORD}))).await;
        assert_eq!(verified.status, 204, "{}", verified.text);
        let (secret, recovery) = world.adds_app(&token).await;
        world.clock.advance(std::time::Duration::from_mins(4));
        assert_eq!(world.post_as("/v1/me/recovery-codes", &token).await.status, 200);
        world.clock.advance(std::time::Duration::from_mins(1));
        let form = format!("grant_type=refresh_token&refresh_token={}", text(&session["refresh_token"]));
        let token = text(&world.post_form("/v1/token", &form).await.json()["access_token"]);
        // With a factor the password is none.
        world.send_as("POST", "/v1/me/verify", &token, Some(json!({"password": PASSWORD}))).await;
        for (method, path, body) in [
            ("POST", "/v1/me/recovery-codes", None),
            ("DELETE", "/v1/me/authenticator", None),
            ("POST", "/v1/me/passkeys/options", None),
            ("DELETE", "/v1/me/password", None),
            ("POST", "/v1/me/password", Some(json!({"current_password": PASSWORD, "new_password": "copper-lamp-river-77"}))),
            ("POST", "/v1/me/email", Some(json!({"email": "eve@example.org", "password": PASSWORD}))),
            ("DELETE", "/v1/me", Some(json!({"password": PASSWORD}))),
        ] {
            let stale = world.send_as(method, path, &token, body).await;
            assert_eq!(stale.problem(), (401, "reauthentication_required".to_owned()), "{method} {path}");
        }
        let spent = world.send_as("POST", "/v1/me/verify", &token, Some(json!({"recovery_code": recovery[0]}))).await;
        assert_eq!(spent.problem(), (422, "code_invalid".to_owned()), "those of before do not work");
        let body = json!({"code": world.code(&secret)});
        assert_eq!(world.send_as("POST", "/v1/me/verify", &token, Some(body)).await.status, 204);
        assert_eq!(world.send_as("DELETE", "/v1/me/authenticator", &token, None).await.status, 204);
    }

    async fn every_bad_field_of_a_factor_is_named(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        world.adds_app(&token).await;
        let challenge = text(&world.is_asked(ADA).await["challenge"]);
        let credential = json!({"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}});
        for (body, expected) in [
            (json!({}), "/challenge required, /code required"),
            (json!({"challenge": challenge}), "/code required"),
            (json!({"challenge": challenge, "code": 123_456}), "/code wrong_type"),
            (json!({"challenge": challenge, "code": "12345"}), "/code code_malformed"),
            (json!({"challenge": challenge, "code": "123 456"}), "/code code_malformed"),
            (json!({"challenge": challenge, "code": "１２３４５６"}), "/code code_malformed"),
            (json!({"challenge": challenge, "recovery_code": "ABCD-EFGH-JKMN-PQRS"}), "/recovery_code recovery_code_malformed"),
            (json!({"challenge": challenge, "code": "123456", "recovery_code": "0000-0000-0000-0000"}), "/recovery_code exclusive"),
            (json!({"challenge": challenge, "ceremony": "x"}), "/credential required"),
            (json!({"challenge": challenge, "credential": credential}), "/ceremony required"),
            (json!({"challenge": challenge, "ceremony": "x", "credential": "{}"}), "/credential wrong_type"),
            (json!({"challenge": challenge, "ceremony": "x", "credential": credential}), "/credential passkey_malformed"),
            (json!({"challenge": challenge, "code": "123456", "user": ADA}), "/user unknown_field"),
        ] {
            let answer = world.post("/v1/login/second-factor", body.clone()).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{body}");
        }
        for (path, body, expected) in [
            ("/v1/me/verify", json!({}), "/password required"),
            ("/v1/me/verify", json!({"password": "x", "code": "123456"}), "/password exclusive"),
            ("/v1/me/passkeys", json!({}), "/ceremony required, /credential required"),
            ("/v1/me/passkeys", json!({"ceremony": "x", "credential": {}, "name": "a\u{202e}"}),
                "/credential passkey_malformed, /name passkey_name_invalid"),
            ("/v1/me/authenticator/confirm", json!({"code": "1"}), "/code code_malformed"),
        ] {
            let answer = world.send_as("POST", path, &token, Some(body.clone())).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{path} {body}");
        }
        let passkey = world.post("/v1/login/passkey", json!({"ceremony": "x"})).await;
        assert_eq!(passkey.field_errors(), ["/credential required"]);
        let gone = world.post("/v1/login/passkey/options", json!({"challenge": "x"})).await;
        assert_eq!(gone.problem(), (410, "challenge_expired".to_owned()));
        let large = json!({"ceremony": "x", "credential": {"id": "A".repeat(1_000_000)}});
        assert_eq!(world.post("/v1/login/passkey", large).await.problem().0, 413);
        // None of these was an answer.
        let wrong = world.post("/v1/login/second-factor", json!({"challenge": challenge, "code": "000000"})).await;
        assert_eq!(wrong.json()["attempts_left"], 4);
    }

    async fn without_passkeys_there_are_no_ceremonies(world: World) {
        let mut world = world;
        world.follows(|policy| policy.passkeys.enabled = false).await;
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        assert_eq!(world.post("/v1/login/passkey/options", json!({})).await.problem(), (404, "not_found".to_owned()));
        for path in ["/v1/me/passkeys/options", "/v1/me/verify/options"] {
            assert_eq!(world.post_as(path, &token).await.problem(), (404, "not_found".to_owned()), "{path}");
        }
    }

    // O4
    async fn an_administrator_resets_whoever_lost_everything(world: World) {
        world.has_admin("root@example.org").await;
        world.has_account(ADA).await;
        let ada = world.signs_in(ADA).await;
        let (token, id) = (text(&ada["access_token"]), text(&ada["user"]["id"]));
        world.adds_app(&token).await;
        let root = world.access_token("root@example.org").await;
        let path = format!("/v1/admin/users/{id}/ways-in/reset");
        for (body, expected) in [(json!({}), "/reason required"), (json!({"reason": " "}), "/reason required")] {
            let refused = world.send_as("POST", &path, &root, Some(body)).await;
            assert_eq!(refused.field_errors(), [expected]);
        }
        let reason = json!({"reason": "came by in person"});
        let forbidden = world.send_as("POST", &path, &token, Some(reason.clone())).await;
        assert_eq!(forbidden.problem(), (403, "forbidden".to_owned()));
        assert_eq!(world.send_as("POST", &path, &root, Some(reason)).await.status, 204);
        assert_eq!(world.get_as("/v1/me", &token).await.problem(), (401, "invalid_token".to_owned()));
        let ways = world.get_as(&format!("/v1/admin/users/{id}/ways-in"), &root).await.json();
        assert_eq!(ways, json!({"password": true, "passkeys": [], "recovery_codes_left": 0}));
        assert_eq!([world.mails("security_notice", ADA).await, world.mails("enrolment", ADA).await], [2, 1]);
        world.access_token(ADA).await;
    }

    // A stolen session learns no secret that is set up.
    async fn no_answer_reveals_a_secret_twice(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let (secret, recovery) = world.adds_app(&token).await;
        let again = world.post_as("/v1/me/authenticator", &token).await;
        assert_eq!(again.problem(), (409, "authenticator_exists".to_owned()));
        for path in ["/v1/me", "/v1/me/ways-in", "/v1/me/export", "/v1/me/sessions"] {
            let text = world.get_as(path, &token).await.text;
            assert!(!text.contains(&secret) && !text.contains(&recovery[0]), "{path}");
        }
    }
}
