use std::time::Duration;

use serde_json::json;

use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

on_both_stores! {
    async fn a_server_is_alive_and_ready(world: World) {
        assert_eq!(world.get("/livez").await.json(), json!({"status": "alive"}));
        let ready = world.get("/readyz").await;
        let expected = json!({"status": "ready", "mail": "ok", "mails_waiting": 0, "mails_failed": 0});
        assert_eq!((ready.status, ready.json()), (200, expected));
        world.post("/v1/signup", json!({"email": ADA, "password": PASSWORD})).await;
        world.clock.advance(Duration::from_secs(1));
        let waiting = world.get("/readyz").await.json();
        assert_eq!(waiting["mails_waiting"], 1);
        assert!(waiting["oldest_mail_at"].is_string());
    }

    // However many requests there are, the store is queried once a second.
    async fn a_ready_check_is_answered_for_a_second(world: World) {
        let waiting = async || world.get("/readyz").await.json()["mails_waiting"].clone();
        assert_eq!(waiting().await, 0);
        world.post("/v1/signup", json!({"email": ADA, "password": PASSWORD})).await;
        world.clock.advance(Duration::from_millis(999));
        assert_eq!(waiting().await, 0);
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(waiting().await, 1);
    }

    async fn the_public_keys_can_be_kept(world: World) {
        let answer = world.get("/.well-known/jwks.json").await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.header("cache-control"), "public, max-age=300");
        let key = &answer.json()["keys"][0];
        assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
        assert!(key.get("d").is_none(), "only the public part");
    }
}
