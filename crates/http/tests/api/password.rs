use std::time::Duration;

use axum::http::Request;
use serde_json::{Value, json};

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, from};

const NEW: &str = "copper-lamp-river-77";

on_both_stores! {
    // X1: the answer reveals nothing about the address.
    async fn a_forgotten_password_is_answered_alike_for_everybody(world: World) {
        world.has_account(ADA).await;
        world.post("/v1/signup", json!({"email": "pending@example.org", "password": PASSWORD})).await;
        let mut seen = Vec::new();
        for email in [ADA, "nobody@example.org", "pending@example.org", ADA] {
            let answer = world.post("/v1/password/forgot", json!({"email": email})).await;
            let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
            names.sort();
            seen.push((answer.status, answer.json(), names));
        }
        assert_eq!((seen[0].0, &seen[0].1), (202, &json!({"status": "accepted"})));
        assert!(seen.windows(2).all(|two| two[0] == two[1]), "{seen:?}");
        assert_eq!(world.mails("password_reset", ADA).await, 1);
        assert_eq!(world.mails("password_reset", "nobody@example.org").await, 0);
        assert_eq!(world.mails("password_reset", "pending@example.org").await, 0);
    }

    // X2
    async fn a_reset_ends_all_sessions_and_does_not_sign_in(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        world.post("/v1/password/forgot", json!({"email": "ADA@example.org"})).await;
        let token = world.mailed_token("password_reset", ADA).await;
        let weak = world.post("/v1/password/reset", json!({"token": token, "new_password": "password1"})).await;
        assert_eq!(weak.field_errors(), ["/new_password password_too_common"]);
        let body = json!({"token": token, "new_password": NEW});
        let answer = world.post("/v1/password/reset", body.clone()).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        let old = session["access_token"].as_str().unwrap();
        assert_eq!(world.get_as("/v1/me", old).await.problem(), (401, "invalid_token".to_owned()));
        let refresh = session["refresh_token"].as_str().unwrap();
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        assert_eq!(world.post_form("/v1/token", &form).await.status, 400);
        let sign_in = async |password: &str| {
            world.post("/v1/login", json!({"email": ADA, "password": password})).await.status
        };
        assert_eq!((sign_in(PASSWORD).await, sign_in(NEW).await), (401, 200));
        assert_eq!(world.post("/v1/password/reset", body).await.problem(), (410, "link_used".to_owned()));
        assert_eq!(world.mails("password_changed", ADA).await, 1);
    }

    async fn a_reset_link_that_is_late_or_not_ours_is_gone(world: World) {
        world.has_account(ADA).await;
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let token = world.mailed_token("password_reset", ADA).await;
        // A link works for its own purpose only.
        let elsewhere = world.post("/v1/email/undo", json!({"token": token, "new_password": NEW})).await;
        assert_eq!(elsewhere.problem(), (410, "link_expired".to_owned()));
        world.clock.advance(Duration::from_mins(30));
        for token in [token.as_str(), "", "x", &"y".repeat(9_000), "a\u{0}b"] {
            let answer = world.post("/v1/password/reset", json!({"token": token, "new_password": NEW})).await;
            assert_eq!(answer.problem(), (410, "link_expired".to_owned()), "{token:?}");
        }
    }

    // P7
    async fn a_change_needs_the_present_password_and_ends_the_other_sessions(world: World) {
        world.has_account(ADA).await;
        let (here, elsewhere) = (world.access_token(ADA).await, world.access_token(ADA).await);
        let change = async |current: &str, new: &str| {
            let body = json!({"current_password": current, "new_password": new});
            world.send_as("POST", "/v1/me/password", &here, Some(body)).await
        };
        for wrong in ["another-long-word-9", "", "\u{0}"] {
            let answer = change(wrong, NEW).await;
            assert_eq!(answer.field_errors(), ["/current_password password_wrong"], "{wrong:?}");
            assert_eq!(answer.header("www-authenticate"), "");
        }
        assert_eq!(change(PASSWORD, PASSWORD).await.field_errors(), ["/new_password password_unchanged"]);
        assert_eq!(change(PASSWORD, "password1").await.field_errors(), ["/new_password password_too_common"]);
        let answer = change(PASSWORD, NEW).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert_eq!(world.get_as("/v1/me", &here).await.status, 200);
        assert_eq!(world.get_as("/v1/me", &elsewhere).await.problem(), (401, "invalid_token".to_owned()));
        assert_eq!(world.mails("password_changed", ADA).await, 1);
    }

    // L2: guessing with a stolen token is as slow as without.
    async fn wrong_passwords_of_a_signed_in_user_are_limited(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let mut seen = Vec::new();
        for _ in 0..6 {
            let body = json!({"current_password": "another-long-word-9", "new_password": NEW});
            seen.push(world.send_as("POST", "/v1/me/password", &token, Some(body)).await);
        }
        let last = seen.last().unwrap();
        assert_eq!(last.problem(), (429, "too_many_requests".to_owned()));
        assert_eq!(last.header("ratelimit-policy"), "\"sign-in\";q=20;w=300");
        assert!(!last.header("retry-after").is_empty());
    }

    async fn a_password_is_judged_with_its_reasons(world: World) {
        for (password, ok, score, code) in [
            (PASSWORD, true, 4, ""),
            ("violet-otter", true, 3, ""),
            ("short", false, 0, "password_too_short"),
            ("vq8-Tj#", false, 2, "password_too_short"),
            ("", false, 0, "password_too_short"),
            ("password1", false, 0, "password_too_common"),
            ("Lovelace.Ada", false, 0, "password_contextual"),
            ("violet\u{0}otter", false, 0, "password_invalid"),
            (&"x".repeat(257), false, 0, "password_too_long"),
            ("abcabcabcabc", false, 0, "password_guessable"),
            ("lovelace1", false, 1, "password_guessable"),
        ] {
            let body = json!({"password": password, "email": "lovelace.ada@example.org"});
            let judged = world.post("/v1/password/check", body).await;
            assert_eq!(judged.status, 200, "{}", judged.text);
            let judged = judged.json();
            assert_eq!((&judged["ok"], &judged["score"]), (&json!(ok), &json!(score)), "{password:?}");
            let codes: Vec<&Value> =
                judged["reasons"].as_array().unwrap().iter().map(|reason| &reason["code"]).collect();
            assert_eq!(codes, Vec::from_iter(Some(&json!(code)).filter(|_| !ok)), "{password:?}");
        }
        assert_eq!(world.post("/v1/password/check", json!({"password": PASSWORD})).await.json()["ok"], true);
        let both = world.post("/v1/password/check", json!({"password": "lovelac", "email": "lovelac@example.org"})).await;
        let both = both.json();
        assert_eq!((&both["reasons"][0]["code"], &both["reasons"][1]["code"]),
            (&json!("password_too_short"), &json!("password_contextual")));
    }

    // P6: a client that has more passwords judged than a person types must wait, and gets the usual answer.
    async fn a_client_has_so_many_passwords_judged(world: World) {
        let judge = async || {
            let request = Request::post("/v1/password/check").header("content-type", "application/json");
            let body = json!({"password": PASSWORD}).to_string();
            world.send(from("192.0.2.7", request.body(body.into()).unwrap())).await
        };
        for _ in 0..120 {
            assert_eq!(judge().await.status, 200);
        }
        let refused = judge().await;
        assert_eq!(refused.problem(), (429, "too_many_requests".to_owned()));
        assert_eq!(refused.header("retry-after"), "60");
        assert_eq!(refused.header("ratelimit-policy"), "\"password-checks\";q=120;w=60");
        assert_eq!(refused.header("ratelimit"), "\"password-checks\";r=0;t=60");
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(judge().await.status, 200);
    }

    async fn every_bad_field_of_a_password_is_named(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for (path, body, expected) in [
            ("/v1/password/forgot", json!({}), "/email required"),
            ("/v1/password/forgot", json!({"email": [ADA, "eve@example.org"]}), "/email wrong_type"),
            ("/v1/password/forgot", json!({"email": "ada@example.org\r\nBcc: x@example.org"}), "/email email_invalid"),
            ("/v1/password/forgot", json!({"email": ADA, "to": "x"}), "/to unknown_field"),
            ("/v1/password/reset", json!({}), "/new_password required, /token required"),
            ("/v1/password/reset", json!({"token": 1, "new_password": null}), "/new_password wrong_type, /token wrong_type"),
            ("/v1/password/reset", json!({"token": "x", "new_password": "a\u{0}b"}), "/new_password password_invalid"),
            ("/v1/password/reset", json!({"token": "x", "new_password": NEW, "email": ADA}), "/email unknown_field"),
            ("/v1/me/password", json!({}), "/new_password required"),
            ("/v1/me/password", json!({"new_password": NEW}), "/current_password required"),
            ("/v1/me/password", json!({"current_password": 1, "new_password": "x".repeat(257)}),
                "/current_password wrong_type, /new_password password_too_long"),
            ("/v1/me/password", json!({"current_password": PASSWORD, "new_password": "short"}),
                "/new_password password_too_short"),
            ("/v1/password/check", json!({}), "/password required"),
            ("/v1/password/check", json!({"password": 7, "email": "ada"}), "/email email_invalid, /password wrong_type"),
        ] {
            let answer = world.send_as("POST", path, &token, Some(body.clone())).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{path} {body}");
        }
        let body = json!({"current_password": PASSWORD, "new_password": NEW});
        let answer = world.post("/v1/me/password", body).await;
        assert_eq!(answer.problem(), (401, "authentication_required".to_owned()));
    }
}
