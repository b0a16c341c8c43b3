//! "Connected applications": what a user has let in.

use serde_json::{Value, json};

use super::client::Registered;
use crate::on_both_stores;
use crate::world::{ADA, World};

async fn list(world: &World, token: &str) -> Vec<Value> {
    let answer = world.get_as("/v1/me/grants", token).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

on_both_stores! {
    async fn a_user_sees_and_disconnects_applications(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        assert!(list(&world, &token).await.is_empty());
        let shop = Registered::with_secret(&world, "shop").await;
        let spa = Registered::public(&world, "spa").await;
        let session = shop.signs_in(&world, ADA, "openid offline_access").await;
        world.clock.advance(std::time::Duration::from_mins(1));
        spa.signs_in(&world, ADA, "openid").await;
        let items = list(&world, &token).await;
        assert_eq!(items.iter().map(|item| &item["client_id"]).collect::<Vec<_>>(), ["spa", "shop"]);
        assert_eq!(items[1], json!({
            "client_id": "shop", "name": "The shop", "scopes": ["offline_access", "openid"], "claims": [],
            "created_at": "2027-01-15T08:00:00.000Z", "last_used_at": "2027-01-15T08:00:00.000Z",
        }));
        assert_eq!(shop.refreshes(&world, &session["refresh_token"]).await.status, 200);
        let used = list(&world, &token).await;
        assert_eq!((&used[1]["client_id"], &used[0]["last_used_at"]), (&json!("spa"), &used[1]["last_used_at"]));
        let answer = world.send_as("DELETE", "/v1/me/grants/shop", &token, None).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
        assert_eq!(list(&world, &token).await.len(), 1);
        let again = world.send_as("DELETE", "/v1/me/grants/shop", &token, None).await;
        assert_eq!(again.problem(), (404, "not_found".to_owned()));
    }

    // ASVS 8.2.2
    async fn nobody_disconnects_the_applications_of_others(world: World) {
        world.has_account(ADA).await;
        world.has_account("eve@example.org").await;
        let shop = Registered::with_secret(&world, "shop").await;
        shop.signs_in(&world, ADA, "openid").await;
        let (ada, eve) = (world.access_token(ADA).await, world.access_token("eve@example.org").await);
        for id in ["shop", "nobody", "SHOP", "%73hop", "x", "%00", "vestibule"] {
            let answer = world.send_as("DELETE", &format!("/v1/me/grants/{id}"), &eve, None).await;
            assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{id}");
        }
        assert_eq!((list(&world, &ada).await.len(), list(&world, &eve).await.len()), (1, 0));
    }
}
