//! The next tokens of a client (RFC 6749 §6).

use std::time::Duration;

use serde_json::json;
use vestibule::Actor;

use super::client::{API, Registered, code_with, refusal};
use super::code::claims;
use crate::on_both_stores;
use crate::world::{ADA, World};

fn refresh(token: &str) -> String {
    format!("grant_type=refresh_token&refresh_token={token}")
}

on_both_stores! {
    async fn a_client_goes_on_with_its_refresh_token(world: World) {
        world.has_account(ADA).await;
        for client in [Registered::with_secret(&world, "shop").await, Registered::public(&world, "spa").await] {
            let first = client.signs_in(&world, ADA, "openid email offline_access").await;
            let answer = client.refreshes(&world, &first["refresh_token"]).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
            let next = answer.json();
            assert_ne!(next["refresh_token"], first["refresh_token"]);
            assert_eq!(next["scope"], first["scope"]);
            let (before, after) = (claims(&first["id_token"]), claims(&next["id_token"]));
            for name in ["iss", "sub", "aud", "sid", "auth_time"] {
                assert_eq!(before[name], after[name], "{name}");
            }
            let again = client.refreshes(&world, &first["refresh_token"]).await;
            assert_eq!(refusal(&again), (429, "temporarily_unavailable".to_owned()));
            // RFC 9700 §4.14.2: somebody has a copy.
            let third = client.refreshes(&world, &next["refresh_token"]).await.json();
            world.clock.advance(Duration::from_mins(1));
            let copied = client.refreshes(&world, &first["refresh_token"]).await;
            assert_eq!(refusal(&copied), (400, "invalid_grant".to_owned()));
            let ended = client.refreshes(&world, &third["refresh_token"]).await;
            assert_eq!(refusal(&ended), (400, "invalid_grant".to_owned()));
        }
    }

    // A refresh token is bound to its client, and nothing happens to it elsewhere.
    async fn a_refresh_token_is_of_no_use_to_anybody_else(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let other = Registered::with_secret(&world, "other").await;
        let spa = Registered::public(&world, "spa").await;
        let of_shop = shop.signs_in(&world, ADA, "offline_access").await["refresh_token"].clone();
        let own = world.signs_in(ADA).await["refresh_token"].clone();
        for client in [&other, &spa] {
            for token in [&of_shop, &own] {
                let answer = client.refreshes(&world, token).await;
                assert_eq!(refusal(&answer), (400, "invalid_grant".to_owned()), "{}", client.id);
            }
        }
        assert_eq!(refusal(&shop.refreshes(&world, &own).await), (400, "invalid_grant".to_owned()));
        for (client, error) in [("", (400, "invalid_grant")), ("client_id=vestibule&", (400, "invalid_grant")),
            ("client_id=shop&", (401, "invalid_client")), ("client_id=nobody&", (401, "invalid_client"))] {
            let answer = world.post_form("/v1/token", &format!("{client}{}", refresh(of_shop.as_str().unwrap()))).await;
            assert_eq!(refusal(&answer), (error.0, error.1.to_owned()), "{client}");
        }
        assert_eq!(shop.refreshes(&world, &of_shop).await.status, 200);
        let form = format!("client_id=vestibule&{}", refresh(own.as_str().unwrap()));
        let answer = world.post_form("/v1/token", &form).await;
        assert_eq!((answer.status, answer.json().get("scope")), (200, None));
    }

    async fn a_token_may_be_for_less_but_not_for_more(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let code = code_with(&world, "shop", ADA, |asked| {
            asked.scope = Some("openid orders:read offline_access".to_owned());
            asked.resource = vec![API.to_owned()];
        })
        .await;
        let token = shop.redeems(&world, &code).await.json()["refresh_token"].as_str().unwrap().to_owned();
        for (more, error) in [
            ("&scope=email", "invalid_scope"), ("&scope=openid+email", "invalid_scope"), ("&scope=a++b", "invalid_scope"),
            ("&resource=https://other.example.org", "invalid_target"), ("&resource=x", "invalid_target"),
        ] {
            let answer = shop.asks(&world, &format!("{}{more}", refresh(&token))).await;
            assert_eq!(refusal(&answer), (400, error.to_owned()), "{more}");
        }
        let answer = shop.asks(&world, &format!("{}&scope=orders:read&resource={API}", refresh(&token))).await;
        let less = answer.json();
        assert_eq!((answer.status, &less["scope"]), (200, &json!("orders:read")), "{}", answer.text);
        assert_eq!(claims(&less["access_token"])["aud"], API);
        let all = shop.refreshes(&world, &less["refresh_token"]).await.json();
        assert_eq!(all["scope"], "offline_access openid orders:read");
    }

    // hole B14: each use asks again whether client, grant and user are still there.
    async fn nothing_goes_on_without_grant_and_client(world: World) {
        world.has_account(ADA).await;
        let shop = Registered::with_secret(&world, "shop").await;
        let own = world.access_token(ADA).await;
        let session = shop.signs_in(&world, ADA, "openid offline_access").await;
        assert_eq!(world.send_as("DELETE", "/v1/me/grants/shop", &own, None).await.status, 204);
        assert_eq!(refusal(&shop.refreshes(&world, &session["refresh_token"]).await), (400, "invalid_grant".to_owned()));
        let session = shop.signs_in(&world, ADA, "openid offline_access").await;
        world.accounts.remove_application(Actor::Operator, &"shop".parse().unwrap()).await.unwrap();
        assert_eq!(refusal(&shop.refreshes(&world, &session["refresh_token"]).await), (401, "invalid_client".to_owned()));
        let token = session["access_token"].as_str().unwrap();
        assert_eq!(world.get_as("/v1/userinfo", token).await.problem(), (401, "invalid_token".to_owned()));
    }
}
