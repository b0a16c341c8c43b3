use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, basic, from};

const CHALLENGE: &str = "Basic realm=\"vestibule\", charset=\"UTF-8\"";

fn other_than(code: &str) -> String {
    format!("{:04}", (code.parse::<u32>().unwrap() + 1) % 10_000)
}

fn token_of(link: &str) -> String {
    link.split_once("token=").unwrap().1.to_owned()
}

on_both_stores! {
    async fn a_link_confirms_once(world: World) {
        let mail = world.signs_up(ADA).await;
        let link = mail.link.unwrap();
        assert!(link.starts_with("https://accounts.example.org/confirm?token="), "{link}");
        let token = token_of(&link);
        let wrong = world.post("/v1/confirm", json!({"token": token, "password": "not-the-password-1"})).await;
        assert_eq!(wrong.problem(), (401, "invalid_credentials".to_owned()));
        let impossible = world.post("/v1/confirm", json!({"token": token, "password": "\u{0}"})).await;
        assert_eq!(impossible.problem(), (401, "invalid_credentials".to_owned()));
        let missing = world.post("/v1/confirm", json!({"token": token})).await;
        assert_eq!(missing.field_errors(), ["/password required"]);
        let right = json!({"token": token, "password": PASSWORD});
        let confirmed = world.post("/v1/confirm", right.clone()).await;
        assert_eq!((confirmed.status, &confirmed.json()["email"]), (200, &json!(ADA)));
        assert_eq!(world.post("/v1/confirm", right).await.problem(), (410, "link_used".to_owned()));
    }

    async fn a_link_that_is_late_or_not_ours_is_gone(world: World) {
        let token = token_of(&world.signs_up(ADA).await.link.unwrap());
        world.clock.advance(Duration::from_hours(24));
        for token in [token.as_str(), "", "x", &"y".repeat(9_000), "a\u{0}b"] {
            let answer = world.post("/v1/confirm", json!({"token": token, "password": PASSWORD})).await;
            assert_eq!(answer.problem(), (410, "link_expired".to_owned()), "{token:?}");
        }
    }

    async fn wrong_codes_are_counted_and_then_it_has_expired(world: World) {
        let code = world.signs_up(ADA).await.code.unwrap();
        for left in [2, 1, 0] {
            let answer = world.sends_code(ADA, PASSWORD, &other_than(&code)).await;
            assert_eq!(answer.problem(), (422, "code_invalid".to_owned()));
            assert_eq!(answer.json()["attempts_left"], left);
        }
        let answer = world.sends_code(ADA, PASSWORD, &code).await;
        assert_eq!(answer.problem(), (410, "code_expired".to_owned()));
    }

    async fn a_code_works_for_a_minute(world: World) {
        let code = world.signs_up(ADA).await.code.unwrap();
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(world.sends_code(ADA, PASSWORD, &code).await.problem(), (410, "code_expired".to_owned()));
    }

    async fn a_code_needs_the_password_of_the_sign_up(world: World) {
        let code = world.signs_up(ADA).await.code.unwrap();
        let answer = world.sends_code(ADA, "not-the-password-1", &code).await;
        assert_eq!(answer.problem(), (401, "invalid_credentials".to_owned()));
        assert_eq!(answer.header("www-authenticate"), CHALLENGE);
        assert_eq!(world.sends_code(ADA, PASSWORD, &code).await.status, 200);
    }

    // S6
    async fn broken_basic_is_401_or_400(world: World) {
        world.signs_up(ADA).await;
        let send = async |headers: &[String]| {
            let mut request =
                Request::post("/v1/confirm/code").header(header::CONTENT_TYPE, "application/json");
            for value in headers {
                request = request.header(header::AUTHORIZATION, value);
            }
            world.send(request.body(Body::from(r#"{"code":"0000"}"#)).unwrap()).await
        };
        for (credentials, code) in [
            (None, "authentication_required"),
            (Some("Bearer abc".to_owned()), "authentication_required"),
            (Some("Basic".to_owned()), "invalid_credentials"),
            (Some("Basic ***".to_owned()), "invalid_credentials"),
            (Some(basic("ada@example.org")), "invalid_credentials"),
            (Some(basic("ada:password")), "invalid_credentials"),
            (Some(basic("ada@example.org:pass\u{0}word")), "invalid_credentials"),
            (Some(basic("ada@example.org:pass\nword")), "invalid_credentials"),
            (Some(basic(&format!("ada@example.org:{}", "x".repeat(2_000)))), "invalid_credentials"),
            (Some("Basic gGE6Yg==".to_owned()), "invalid_credentials"),
        ] {
            let answer = send(&Vec::from_iter(credentials.clone())).await;
            assert_eq!(answer.problem(), (401, code.to_owned()), "{credentials:?}");
            assert_eq!(answer.header("www-authenticate"), CHALLENGE);
        }
        let twice = send(&[basic("ada@example.org:x"), basic("ada@example.org:y")]).await;
        assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
        let lower = send(&[basic(&format!("{ADA}:{PASSWORD}")).replace("Basic", "bAsIc")]).await;
        assert_eq!(lower.problem().1, "code_invalid");
    }

    // S7: a code is text, made of its digits.
    async fn a_malformed_code_is_not_a_guess(world: World) {
        let code = world.signs_up(ADA).await.code.unwrap();
        for (body, expected) in [
            (json!({}), "/code required"),
            (json!({"code": 421}), "/code wrong_type"),
            (json!({"code": "421"}), "/code code_malformed"),
            (json!({"code": " 0421"}), "/code code_malformed"),
            (json!({"code": "０４２１"}), "/code code_malformed"),
            (json!({"code": "042\u{0}"}), "/code code_malformed"),
            (json!({"code": "123456789"}), "/code code_malformed"),
            (json!({"code": "0421", "user_name": "no spaces"}), "/user_name user_name_invalid"),
            (json!({"code": "0421", "token": "x"}), "/token unknown_field"),
        ] {
            let request = Request::post("/v1/confirm/code")
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, basic(&format!("{ADA}:{PASSWORD}")));
            let answer = world.send(request.body(Body::from(body.to_string())).unwrap()).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{body}");
        }
        assert_eq!(world.sends_code(ADA, PASSWORD, &code).await.status, 200);
    }

    async fn a_name_that_was_taken_meanwhile_can_be_replaced(world: World) {
        for email in ["one@example.org", "two@example.org"] {
            let wish = json!({"email": email, "password": PASSWORD, "user_name": "ada"});
            assert_eq!(world.post("/v1/signup", wish).await.status, 202);
        }
        world.deliver().await;
        let mails = vestibule_http::DevMailbox::list(&world.mailbox);
        let token = |email: &str| {
            token_of(mails.iter().find(|mail| mail.to == email).unwrap().link.as_ref().unwrap())
        };
        let first = json!({"token": token("one@example.org"), "password": PASSWORD});
        assert_eq!(world.post("/v1/confirm", first).await.status, 200);
        let mut second = json!({"token": token("two@example.org"), "password": PASSWORD});
        let refused = world.post("/v1/confirm", second.clone()).await;
        assert_eq!(refused.problem(), (409, "user_name_taken".to_owned()));
        second["user_name"] = json!("lovelace");
        let answer = world.post("/v1/confirm", second).await;
        assert_eq!((answer.status, &answer.json()["user_name"]), (200, &json!("lovelace")));
    }

    async fn many_wrong_codes_of_one_client_are_limited(world: World) {
        let mut last = None;
        for number in 0..12 {
            let email = format!("user{number}@example.org");
            let code = world.signs_up(&email).await.code.unwrap();
            let request = Request::post("/v1/confirm/code")
                .header(header::CONTENT_TYPE, "application/json")
                .header("x-forwarded-for", "203.0.113.9")
                .header(header::AUTHORIZATION, basic(&format!("{email}:{PASSWORD}")));
            let body = json!({"code": other_than(&code)}).to_string();
            last = Some(world.send(from("10.0.0.1", request.body(Body::from(body)).unwrap())).await);
        }
        let last = last.unwrap();
        assert_eq!(last.problem(), (429, "too_many_requests".to_owned()));
        let wait: u32 = last.header("retry-after").parse().unwrap();
        assert!(wait > 0);
        assert_eq!(last.header("ratelimit-policy"), "\"confirm\";q=10;w=600");
        assert_eq!(last.header("ratelimit"), format!("\"confirm\";r=0;t={wait}"));
    }

    async fn another_mail_can_be_asked_for(world: World) {
        world.signs_up(ADA).await;
        for email in [ADA, "nobody@example.org"] {
            let answer = world.post("/v1/confirm/resend", json!({"email": email})).await;
            assert_eq!((answer.status, answer.json()), (202, json!({"status": "accepted"})));
        }
        let answer = world.post("/v1/confirm/resend", json!({"email": "x", "code": 1})).await;
        assert_eq!(answer.field_errors(), ["/code unknown_field", "/email email_invalid"]);
    }
}
