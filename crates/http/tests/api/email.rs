use serde_json::{Value, json};

use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const NEW: &str = "ada@example.com";
const NEW_PASSWORD: &str = "copper-lamp-river-77";

async fn asks_for(world: &World, token: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    world.send_as("POST", "/v1/me/email", token, Some(body)).await
}

async fn address(world: &World, token: &str) -> Value {
    world.get_as("/v1/me", token).await.json()["email"].clone()
}

on_both_stores! {
    // X3: the old address stays in force until the new one is confirmed.
    async fn an_address_is_changed_by_the_mail_that_went_there(world: World) {
        world.has_account(ADA).await;
        let (here, elsewhere) = (world.access_token(ADA).await, world.access_token(ADA).await);
        let answer = asks_for(&world, &here, NEW, PASSWORD).await;
        assert_eq!((answer.status, answer.json()), (202, json!({"status": "accepted"})));
        assert_eq!(address(&world, &here).await, ADA);
        let token = world.mailed_token("email_change", NEW).await;
        let alone = world.post("/v1/email/confirm", json!({"token": token})).await;
        assert_eq!(alone.field_errors(), ["/password required"]);
        let elsewhere_too = world.send_as("POST", "/v1/email/confirm", &elsewhere, Some(json!({"token": token}))).await;
        assert_eq!(elsewhere_too.problem(), (401, "invalid_credentials".to_owned()));
        let confirmed = world.send_as("POST", "/v1/email/confirm", &here, Some(json!({"token": token}))).await;
        assert_eq!((confirmed.status, &confirmed.json()["email"]), (200, &json!(NEW)), "{}", confirmed.text);
        assert_eq!(address(&world, &here).await, NEW);
        assert_eq!(world.get_as("/v1/me", &elsewhere).await.status, 401);
        let again = world.post("/v1/email/confirm", json!({"token": token, "password": PASSWORD})).await;
        assert_eq!(again.problem(), (410, "link_used".to_owned()));
        world.signs_in(NEW).await;
    }

    async fn a_change_is_undone_from_the_old_address(world: World) {
        world.has_account(ADA).await;
        let thief = world.access_token(ADA).await;
        asks_for(&world, &thief, "thief@example.com", PASSWORD).await;
        let token = world.mailed_token("email_change", "thief@example.com").await;
        let undo = world.mailed_token("email_undo", ADA).await;
        let confirm = json!({"token": token, "password": PASSWORD});
        assert_eq!(world.post("/v1/email/confirm", confirm).await.status, 200);
        let known = world.post("/v1/email/undo", json!({"token": undo, "new_password": PASSWORD})).await;
        assert_eq!(known.field_errors(), ["/new_password password_unchanged"]);
        let undone = world.post("/v1/email/undo", json!({"token": undo, "new_password": NEW_PASSWORD})).await;
        assert_eq!((undone.status, &undone.json()["email"]), (200, &json!(ADA)), "{}", undone.text);
        assert_eq!(world.get_as("/v1/me", &thief).await.problem(), (401, "invalid_token".to_owned()));
        let old = world.post("/v1/login", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(old.problem(), (401, "invalid_credentials".to_owned()));
        assert_eq!(world.post("/v1/login", json!({"email": ADA, "password": NEW_PASSWORD})).await.status, 200);
    }

    async fn a_taken_address_is_answered_like_a_free_one(world: World) {
        world.has_account(ADA).await;
        world.has_account("bob@example.org").await;
        let here = world.access_token(ADA).await;
        let free = asks_for(&world, &here, NEW, PASSWORD).await;
        let taken = asks_for(&world, &here, "bob@example.org", PASSWORD).await;
        assert_eq!((free.status, free.json()), (taken.status, taken.json()));
        assert_eq!(world.mails("email_change", "bob@example.org").await, 0);
        assert_eq!(world.mails("already_registered", "bob@example.org").await, 1);
    }

    async fn an_address_that_was_taken_meanwhile_is_told_to_its_link(world: World) {
        world.has_account(ADA).await;
        let here = world.access_token(ADA).await;
        asks_for(&world, &here, NEW, PASSWORD).await;
        let token = world.mailed_token("email_change", NEW).await;
        world.has_admin(NEW).await;
        let answer = world.post("/v1/email/confirm", json!({"token": token, "password": PASSWORD})).await;
        assert_eq!(answer.problem(), (409, "email_taken".to_owned()));
        assert_eq!(address(&world, &here).await, ADA);
    }

    async fn a_change_of_address_needs_the_password(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for wrong in ["another-long-word-9", "\u{0}"] {
            let answer = asks_for(&world, &token, NEW, wrong).await;
            assert_eq!(answer.field_errors(), ["/password password_wrong"], "{wrong:?}");
        }
        assert_eq!(world.mails("email_change", NEW).await, 0);
        assert_eq!(world.mails("email_undo", ADA).await, 0);
        let nobody = world.post("/v1/me/email", json!({"email": NEW, "password": PASSWORD})).await;
        assert_eq!(nobody.problem(), (401, "authentication_required".to_owned()));
    }

    async fn every_bad_field_of_an_address_is_named(world: World) {
        world.has_account(ADA).await;
        let token = world.access_token(ADA).await;
        for (path, body, expected) in [
            ("/v1/me/email", json!({}), "/email required"),
            ("/v1/me/email", json!({"email": NEW}), "/password required"),
            ("/v1/me/email", json!({"email": [NEW], "password": 7}), "/email wrong_type, /password wrong_type"),
            ("/v1/me/email", json!({"email": "a\u{0}@example.org", "password": "x"}), "/email email_invalid"),
            ("/v1/me/email", json!({"email": NEW, "password": "x", "token": "y"}), "/token unknown_field"),
            ("/v1/email/confirm", json!({}), "/token required"),
            ("/v1/email/confirm", json!({"token": null}), "/token wrong_type"),
            ("/v1/email/confirm", json!({"token": "x", "password": 7}), "/password wrong_type"),
            ("/v1/email/undo", json!({"token": "x"}), "/new_password required"),
            ("/v1/email/undo", json!({"token": "x", "new_password": NEW_PASSWORD, "email": NEW}), "/email unknown_field"),
        ] {
            let answer = world.send_as("POST", path, &token, Some(body.clone())).await;
            assert_eq!(answer.field_errors().join(", "), expected, "{path} {body}");
        }
        for (path, field) in [("/v1/email/confirm", "password"), ("/v1/email/undo", "new_password")] {
            for token in ["", "x", "a\u{0}b", &"A".repeat(43)] {
                let answer = world.post(path, json!({"token": token, field: PASSWORD})).await;
                assert_eq!(answer.problem(), (410, "link_expired".to_owned()), "{path} {token:?}");
            }
        }
    }
}
