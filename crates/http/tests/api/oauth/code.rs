//! A code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 8707 §2.2).

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::client::{API, REDIRECT, Registered, VERIFIER, code, code_in, code_with, redemption, refusal};
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, URL, World};

/// The claims of a JWT.
pub(super) fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

on_both_stores! {
    async fn a_code_buys_tokens_once(world: World) {
        world.has_account(ADA).await;
        for client in [Registered::with_secret(&world, "shop").await, Registered::public(&world, "spa").await] {
            let code = code(&world, client.id, ADA, "openid email offline_access").await;
            let answer = client.redeems(&world, &code).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
            let body = answer.json();
            assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
            assert_eq!(body["scope"], "email offline_access openid");
            let (id, access) = (claims(&body["id_token"]), claims(&body["access_token"]));
            assert_eq!((&id["iss"], &id["aud"], &id["nonce"]), (&json!(URL), &json!(client.id), &json!("n1")));
            assert_eq!((&access["client_id"], &access["sub"]), (&json!(client.id), &id["sub"]));
            let token = body["access_token"].as_str().unwrap();
            assert_eq!(world.get_as("/v1/userinfo", token).await.json()["email"], ADA);
            // RFC 6749 §4.1.2: the second use ends what the first has begun.
            assert_eq!(refusal(&client.redeems(&world, &code).await), (400, "invalid_grant".to_owned()));
            assert_eq!(world.get_as("/v1/userinfo", token).await.problem(), (401, "invalid_token".to_owned()));
            let refreshed = client.refreshes(&world, &body["refresh_token"]).await;
            assert_eq!(refusal(&refreshed), (400, "invalid_grant".to_owned()));
        }
    }

    async fn tokens_are_what_was_asked_for(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let bare = shop.signs_in(&world, ADA, "orders:read").await;
        assert!(bare.get("refresh_token").is_none() && bare.get("id_token").is_none(), "{bare}");
        assert_eq!(bare["scope"], "orders:read");
        let both = shop.signs_in(&world, ADA, "openid orders:read").await;
        assert!(both.get("refresh_token").is_none() && both["id_token"].is_string(), "{both}");
        let offline = shop.signs_in(&world, ADA, "offline_access").await;
        assert!(offline["refresh_token"].is_string() && offline.get("id_token").is_none(), "{offline}");
    }

    // A code is good for the client, the address and the verifier that it was asked for with, and for a minute.
    async fn a_code_is_of_no_use_to_anybody_else(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let other = Registered::with_secret(&world, "other").await;
        let browser = Browser::signed_in(&world, ADA).await;
        let fresh = async || code_in(&world, &browser, "shop", |asked| asked.scope = Some("openid".to_owned())).await;
        let stolen = other.redeems(&world, &fresh().await).await;
        assert_eq!(refusal(&stolen), (400, "invalid_grant".to_owned()));
        for (right, wrong) in [
            (REDIRECT, "https://shop.example.org/callback/"),
            (REDIRECT, "https://evil.example/callback"),
            (VERIFIER, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"),
            (VERIFIER, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            (VERIFIER, "x"),
        ] {
            let code = fresh().await;
            let answer = shop.asks(&world, &redemption(&code).replace(right, wrong)).await;
            assert_eq!(refusal(&answer), (400, "invalid_grant".to_owned()), "{wrong}");
            // The try has used it up: nobody gets another one.
            assert_eq!(refusal(&shop.redeems(&world, &code).await), (400, "invalid_grant".to_owned()), "{wrong}");
        }
        let code = fresh().await;
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(refusal(&shop.redeems(&world, &code).await), (400, "invalid_grant".to_owned()));
        for code in ["x", "%00", "vac_", &format!("vac_{}", "A".repeat(43))] {
            assert_eq!(refusal(&shop.redeems(&world, code).await), (400, "invalid_grant".to_owned()), "{code}");
        }
    }

    async fn what_is_missing_or_doubled_uses_nothing_up(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let code = code(&world, "shop", ADA, "openid").await;
        let form = redemption(&code);
        let without = |name: &str| {
            form.split('&').filter(|pair| !pair.starts_with(name)).collect::<Vec<_>>().join("&")
        };
        for fields in [
            without("code="), without("redirect_uri"), without("code_verifier"),
            form.replace(VERIFIER, ""), format!("{form}&code={code}"), format!("{form}&resource={API}&resource={API}"),
        ] {
            assert_eq!(refusal(&shop.asks(&world, &fields).await), (400, "invalid_request".to_owned()), "{fields}");
        }
        // Without the client, or as somebody else, nothing is known of the code either.
        let nobody = world.post_form("/v1/token", &form).await;
        assert_eq!(refusal(&nobody), (401, "invalid_client".to_owned()));
        let json = world.post("/v1/token", json!({"code": code})).await;
        assert_eq!(refusal(&json), (415, "invalid_request".to_owned()));
        assert_eq!(shop.redeems(&world, &code).await.status, 200);
    }

    // RFC 8707 §2.2
    async fn a_token_is_for_the_resource_that_was_asked_for(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let asked = async |resource: Option<&str>| {
            code_with(&world, "shop", ADA, |asked| {
                asked.scope = Some("orders:read offline_access".to_owned());
                asked.resource = resource.into_iter().map(str::to_owned).collect();
            })
            .await
        };
        let with = |code: &str, resource: &str| format!("{}&resource={resource}", redemption(code));
        for resource in [API, ""] {
            let answer = shop.asks(&world, &with(&asked(Some(API)).await, resource)).await;
            assert_eq!(claims(&answer.json()["access_token"])["aud"], API);
        }
        for (of_code, resource) in [(Some(API), "https://other.example.org"), (None, API)] {
            let answer = shop.asks(&world, &with(&asked(of_code).await, resource)).await;
            assert_eq!(refusal(&answer), (400, "invalid_target".to_owned()), "{resource}");
        }
    }

    // What the user has taken back between the code and its exchange counts.
    async fn a_code_ends_with_the_session_and_the_grant(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let token = world.access_token(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let scope = |asked: &mut vestibule::AuthorizationParameters| asked.scope = Some("openid".to_owned());
        let disconnected = code_in(&world, &browser, "shop", scope).await;
        assert_eq!(world.send_as("DELETE", "/v1/me/grants/shop", &token, None).await.status, 204);
        assert_eq!(refusal(&shop.redeems(&world, &disconnected).await), (400, "invalid_grant".to_owned()));
        let signed_out = code_in(&world, &browser, "shop", scope).await;
        browser.get(&world, "/account").await;
        assert_eq!(browser.submit(&world, "/logout", "").await.status, 303);
        assert_eq!(refusal(&shop.redeems(&world, &signed_out).await), (400, "invalid_grant".to_owned()));
    }
}
