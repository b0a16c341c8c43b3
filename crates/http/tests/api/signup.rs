use axum::body::{Body, Bytes};
use axum::http::{Request, header};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use vestibule_http::DevMailbox as _;
use vestibule_testing::{ACCEPTED_ADDRESSES, INVISIBLE_CHARACTERS, REFUSED_ADDRESSES};

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    async fn a_sign_up_is_accepted_and_confirmed_and_signs_in(world: World) {
        let wish = json!({"email": ADA, "password": PASSWORD, "user_name": "ada", "locale": "pt-BR"});
        let answer = world.post("/v1/signup", wish).await;
        assert_eq!(answer.status, 202);
        assert_eq!(answer.json(), json!({
            "status": "confirmation_required", "email": ADA, "methods": ["code", "link"],
            "expires_at": "2027-01-16T08:00:00.000Z", "resend_after": answer.json()["resend_after"],
        }));
        world.deliver().await;
        let mail = world.get(&format!("/dev/mail/latest?to={ADA}&wait=0s")).await.json();
        let confirmed = world.sends_code(ADA, PASSWORD, mail["code"].as_str().unwrap()).await;
        assert_eq!(confirmed.status, 200, "{}", confirmed.text);
        let user = confirmed.json();
        assert_eq!(user["email"], ADA);
        assert_eq!(user["user_name"], "ada");
        assert_eq!(user["locale"], "pt-BR");
        assert_eq!(user["roles"], json!([]));
        let session = world.signs_in(ADA).await;
        assert_eq!(session["token_type"], "Bearer");
        assert_eq!(session["expires_in"], 600);
        assert_eq!(session["user"], user);
        let me = world.get_as("/v1/me", session["access_token"].as_str().unwrap()).await;
        assert_eq!((me.status, me.json()), (200, user));
    }

    // M1: an address that cannot be mailed to is refused immediately, and no other is.
    async fn an_address_is_judged_when_somebody_signs_up(world: World) {
        for email in ACCEPTED_ADDRESSES {
            let answer = world.post("/v1/signup", json!({"email": email, "password": PASSWORD})).await;
            assert_eq!((answer.status, &answer.json()["email"]), (202, &json!(email)));
        }
        let invisible = INVISIBLE_CHARACTERS.iter().map(|c| format!("a{c}da@example.org"));
        for email in REFUSED_ADDRESSES.iter().map(ToString::to_string).chain(invisible) {
            let answer = world.post("/v1/signup", json!({"email": email, "password": PASSWORD})).await;
            assert_eq!((answer.status, answer.field_errors()), (422, vec!["/email email_invalid".to_owned()]), "{email:?}");
        }
        world.deliver().await;
        assert_eq!(world.mailbox.list().len(), ACCEPTED_ADDRESSES.len());
    }

    // S2, S3: free, pending and taken addresses look alike.
    async fn a_taken_address_is_answered_like_a_free_one(world: World) {
        world.has_account("taken@example.org").await;
        let mut seen = Vec::new();
        for email in ["free1@example.org", "taken@example.org", "free1@example.org"] {
            let answer = world.post("/v1/signup", json!({"email": email, "password": PASSWORD})).await;
            world.deliver().await;
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            let mut body = answer.json();
            body["email"] = Value::Null;
            let wrong = world.sends_code(email, PASSWORD, "00000").await;
            let resend = world.post("/v1/confirm/resend", json!({"email": email})).await;
            let login = world.post("/v1/login", json!({"email": email, "password": "another-long-word-9"})).await;
            seen.push((answer.status, names, body, wrong.problem(), resend.status, resend.text, login.problem()));
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0], seen[2]);
    }

    async fn a_repeated_key_is_one_sign_up(world: World) {
        let send = async |body: Value| {
            let request = Request::post("/v1/signup")
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", "7f0c");
            world.send(request.body(Body::from(body.to_string())).unwrap()).await
        };
        let first = send(json!({"email": ADA, "password": PASSWORD})).await;
        let again = send(json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!((first.status, first.json()), (again.status, again.json()));
        world.deliver().await;
        assert_eq!(vestibule_http::DevMailbox::list(&world.mailbox).len(), 1);
        let other = send(json!({"email": ADA, "password": "copper-lamp-river-77"})).await;
        assert_eq!(other.problem(), (422, "idempotency_key_reused".to_owned()));
    }

    async fn a_key_that_cannot_be_one_is_refused(world: World) {
        for key in ["", &"x".repeat(256), "a\tb"] {
            let request = Request::post("/v1/signup")
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", key);
            let body = json!({"email": ADA, "password": PASSWORD}).to_string();
            let answer = world.send(request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.problem(), (400, "invalid_request".to_owned()), "{key:?}");
        }
    }

    async fn every_bad_field_is_named(world: World) {
        let long_name = "x".repeat(65) + "@example.org";
        let table = [
            (json!({}), "/email required, /password required"),
            (json!({"email": ADA}), "/password required"),
            (json!({"password": PASSWORD}), "/email required"),
            (json!({"email": 1, "password": true}), "/email wrong_type, /password wrong_type"),
            (json!({"email": null, "password": PASSWORD}), "/email wrong_type"),
            (json!({"email": [ADA], "password": {}}), "/email wrong_type, /password wrong_type"),
            (json!({"email": "ada", "password": "short"}), "/email email_invalid, /password password_too_short"),
            (json!({"email": "a\u{0}da@example.org", "password": PASSWORD}), "/email email_invalid"),
            (json!({"email": "ada@example.org\r\nBcc: x@example.org", "password": PASSWORD}), "/email email_invalid"),
            (json!({"email": long_name, "password": PASSWORD}), "/email email_too_long"),
            (json!({"email": ADA, "password": "short"}), "/password password_too_short"),
            (json!({"email": ADA, "password": "x".repeat(257)}), "/password password_too_long"),
            (json!({"email": ADA, "password": "violet-otter\u{0}maps"}), "/password password_invalid"),
            (json!({"email": ADA, "password": "violet-otter\nmaps"}), "/password password_invalid"),
            (json!({"email": ADA, "password": "password1"}), "/password password_too_common"),
            (json!({"email": "long.local.part@example.org", "password": "Long.Local.Part"}), "/password password_contextual"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "a"}), "/user_name user_name_length"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "li"}), "/user_name user_name_length"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "李"}), "/user_name user_name_length"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "a".repeat(33)}), "/user_name user_name_length"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "a\u{0}da"}), "/user_name user_name_invalid"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "ada@example.org"}), "/user_name user_name_invalid"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": "Admin"}), "/user_name user_name_reserved"),
            (json!({"email": ADA, "password": PASSWORD, "user_name": 7}), "/user_name wrong_type"),
            (json!({"email": ADA, "password": PASSWORD, "locale": "en_US"}), "/locale locale_invalid"),
            (json!({"email": ADA, "password": PASSWORD, "locale": "e\u{0}"}), "/locale locale_invalid"),
            (json!({"email": ADA, "password": PASSWORD, "roles": ["admin"], "is/~verified": true}),
                "/is~1~0verified unknown_field, /roles unknown_field"),
        ];
        for (body, expected) in table {
            let answer = world.post("/v1/signup", body.clone()).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{body}");
        }
        let answer = world.post("/v1/signup", json!({"email": ADA, "password": "short"})).await;
        assert_eq!(answer.json()["errors"][0]["params"], json!({"min": 8}));
        let answer = world.post("/v1/signup", json!({"email": ADA, "password": "x".repeat(257)})).await;
        assert_eq!(answer.json()["errors"][0]["params"], json!({"max": 256}));
    }

    // H8: input that two readers could understand differently is refused.
    async fn every_bad_body_is_refused(world: World) {
        let valid = json!({"email": ADA, "password": PASSWORD}).to_string();
        let mut broken: Vec<Vec<u8>> = [
            "", "{", "null x", "{\"email\":\"a@example.org\",\"email\":\"b@example.org\"}",
            "{\"x\":{\"a\":1,\"a\":2}}", "{\"email\":\"\\ud800\"}", "\u{feff}{}", "{\"email\":\"a\nb\"}",
            "{\"email\":\"a\0b\"}", "{\"a\":NaN}",
        ].iter().map(|text| text.as_bytes().to_vec()).collect();
        broken.push(format!("{valid}{valid}").into_bytes());
        broken.push(b"{\"email\":\"\xff\"}".to_vec());
        broken.push(("[".repeat(17) + &"]".repeat(17)).into_bytes());
        for body in broken {
            let shown = String::from_utf8_lossy(&body).into_owned();
            let answer = world.post_text("/v1/signup", body).await;
            assert_eq!(answer.problem(), (400, "malformed_json".to_owned()), "{shown:?}");
        }
        for body in ["[]", "null", "\"text\"", "7"] {
            let answer = world.post_text("/v1/signup", body).await;
            assert_eq!(answer.field_errors(), [" wrong_type"], "{body}");
        }
    }

    async fn a_body_has_16_kib(world: World) {
        let fill = |length: usize| format!("{{\"email\":\"{}\"}}", "a".repeat(length - 12));
        assert_eq!(fill(16 * 1024).len(), 16 * 1024);
        let answer = world.post_text("/v1/signup", fill(16 * 1024)).await;
        assert_eq!(answer.status, 422);
        let answer = world.post_text("/v1/signup", fill(16 * 1024 + 1)).await;
        assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
        // Without declaring its length.
        let parts = without_length(fill(16 * 1024 + 1));
        let answer = world.post_text("/v1/signup", parts).await;
        assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
    }

    async fn only_json_is_read(world: World) {
        let body = json!({"email": ADA, "password": PASSWORD}).to_string();
        let send = async |headers: &[(&str, &str)]| {
            let mut request = Request::post("/v1/signup");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            world.send(request.body(Body::from(body.clone())).unwrap()).await
        };
        for headers in [
            &[][..],
            &[("content-type", "text/plain")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "application/json; charset=latin1")],
            &[("content-type", "application/json"), ("content-encoding", "gzip")],
        ] {
            assert_eq!(send(headers).await.problem(), (415, "unsupported_media_type".to_owned()), "{headers:?}");
        }
        let twice = send(&[("content-type", "application/json"), ("content-type", "application/json")]).await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
        let fine = send(&[("content-type", "application/json; charset=UTF-8"), ("content-encoding", "identity")]).await;
        assert_eq!(fine.status, 202);
    }
}

/// A body without a declared length.
fn without_length(text: String) -> Body {
    Body::new(Full::new(Bytes::from(text)).map_frame(|frame| frame))
}
