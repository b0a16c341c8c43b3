use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use vestibule_http::HttpOptions;

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World, without_mailbox};

fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.json()["error_description"].is_string());
    (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
}

on_both_stores! {
    async fn a_password_buys_tokens_in_the_oauth_form(world: World) {
        world.has_account(ADA).await;
        for grant in ["grant_type=password&", ""] {
            let form = format!("{grant}username=ada%40example.org&password={PASSWORD}&scope=&client_id=x");
            let answer = world.post_form("/v1/token", &form).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
            let body = answer.json();
            assert_eq!((&body["token_type"], &body["expires_in"]), (&"Bearer".into(), &600.into()));
            let token = body["access_token"].as_str().unwrap();
            assert_eq!(world.get_as("/v1/me", token).await.status, 200);
        }
    }

    async fn a_refresh_token_works_once(world: World) {
        world.has_account(ADA).await;
        let session = world.signs_in(ADA).await;
        let form = format!("grant_type=refresh_token&refresh_token={}", session["refresh_token"].as_str().unwrap());
        let answer = world.post_form("/v1/token", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let next = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        assert_ne!(next, session["refresh_token"]);
        // The answer may still be on its way, until its token is used.
        assert_eq!(refusal(&world.post_form("/v1/token", &form).await), (429, "temporarily_unavailable".to_owned()));
        let successor = format!("grant_type=refresh_token&refresh_token={next}");
        assert_eq!(world.post_form("/v1/token", &successor).await.status, 200);
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(refusal(&world.post_form("/v1/token", &form).await), (400, "invalid_grant".to_owned()));
    }

    async fn refusals_have_the_oauth_form(world: World) {
        world.has_account(ADA).await;
        for (form, error) in [
            ("", "invalid_request"),
            ("grant_type=password&username=ada@example.org", "invalid_request"),
            ("grant_type=refresh_token", "invalid_request"),
            ("grant_type=password&grant_type=password", "invalid_request"),
            ("grant_type=implicit", "unsupported_grant_type"),
            ("grant_type=urn:ietf:params:oauth:grant-type:device_code", "unsupported_grant_type"),
            ("username=ada@example.org&password=another-long-word-9", "invalid_grant"),
            ("username=nobody@example.org&password=another-long-word-9", "invalid_grant"),
            ("username=%00&password=%00", "invalid_grant"),
            ("username=ada@example.org&password=%ff%fe", "invalid_request"),
            ("username=ada@example.org&password=%ef%bf%bd", "invalid_grant"),
            ("grant_type=refresh_token&refresh_token=%00", "invalid_grant"),
            ("grant_type=refresh_token&refresh_token=x", "invalid_grant"),
        ] {
            let answer = world.post_form("/v1/token", form).await;
            assert_eq!(refusal(&answer), (400, error.to_owned()), "{form}");
        }
        let json = world.post_text("/v1/token", "{}").await;
        assert_eq!(refusal(&json), (415, "invalid_request".to_owned()));
        let long = world.post_form("/v1/token", &"x".repeat(16 * 1024 + 1)).await;
        assert_eq!(refusal(&long), (413, "invalid_request".to_owned()));
        let bare = world.send(Request::post("/v1/token").body(Body::from("a=b")).unwrap()).await;
        assert_eq!(refusal(&bare), (415, "invalid_request".to_owned()));
    }

    // RFC 9700 §2.4: a password is for the page of this server, or for `/v1/login`.
    async fn passwords_are_exchanged_only_where_it_is_allowed(world: World) {
        let mut world = world;
        world.has_account(ADA).await;
        let refresh = world.signs_in(ADA).await["refresh_token"].as_str().unwrap().to_owned();
        let password = format!("username={ADA}&password={PASSWORD}");
        world.router_with(without_mailbox());
        for (form, error) in [
            (format!("grant_type=password&{password}"), "unsupported_grant_type"),
            (format!("grant_type=password&client_id=x&{password}"), "unsupported_grant_type"),
            ("grant_type=urn:vestibule:second-factor&challenge=x&code=492039".to_owned(), "unsupported_grant_type"),
            (password.clone(), "invalid_request"),
            (format!("grant_type=&{password}"), "invalid_request"),
        ] {
            let answer = world.post_form("/v1/token", &form).await;
            assert_eq!(refusal(&answer), (400, error.to_owned()), "{form}");
            let description = answer.json()["error_description"].as_str().unwrap().to_owned();
            assert!(error == "invalid_request" || description.contains("`POST /v1/login"), "{description}");
        }
        let form = format!("grant_type=refresh_token&refresh_token={refresh}");
        assert_eq!(world.post_form("/v1/token", &form).await.status, 200);
        world.router_with(HttpOptions { password_grant: true, ..without_mailbox() });
        for form in [format!("grant_type=password&{password}"), password] {
            assert_eq!(world.post_form("/v1/token", &form).await.status, 200, "{form}");
        }
    }

    // RFC 7009
    async fn a_revoked_token_and_its_session_are_refused(world: World) {
        world.has_account(ADA).await;
        for kind in ["refresh_token", "access_token"] {
            let session = world.signs_in(ADA).await;
            let (access, refresh) =
                (session["access_token"].as_str().unwrap(), session["refresh_token"].as_str().unwrap());
            let form = format!("token={}&token_type_hint=whatever", session[kind].as_str().unwrap());
            for _ in 0..2 {
                let answer = world.post_form("/v1/token/revoke", &form).await;
                assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{kind}");
            }
            assert_eq!(world.get_as("/v1/me", access).await.problem(), (401, "invalid_token".to_owned()), "{kind}");
            let form = format!("grant_type=refresh_token&refresh_token={refresh}");
            let refreshed = world.post_form("/v1/token", &form).await;
            assert_eq!(refusal(&refreshed), (400, "invalid_grant".to_owned()), "{kind}");
        }
    }

    async fn what_is_no_token_is_revoked_already(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        let unknown = format!("token=vrt_{}", "A".repeat(43));
        for form in ["token=", "token=x", "token=%00", &format!("token={token}x"), &unknown] {
            assert_eq!(world.post_form("/v1/token/revoke", form).await.status, 200, "{form}");
        }
        assert_eq!(world.get_as("/v1/me", &token).await.status, 200);
        for (form, status) in [("", 400), ("refresh_token=x", 400), ("token=a&token=b", 400), ("token=%ff", 400)] {
            let answer = world.post_form("/v1/token/revoke", form).await;
            assert_eq!(refusal(&answer), (status, "invalid_request".to_owned()), "{form}");
        }
        let json = world.post_text("/v1/token/revoke", "{}").await;
        assert_eq!(refusal(&json), (415, "invalid_request".to_owned()));
    }
}
