use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const ROOT: &str = "root@example.org";

async fn root(world: &World) -> String {
    world.has_admin(ROOT).await;
    world.access_token(ROOT).await
}

on_both_stores! {
    // O4, S10
    async fn somebody_invited_becomes_a_user(world: World) {
        let token = root(&world).await;
        let body = json!({"email": ADA, "roles": ["editor"], "user_name": "countess", "locale": "de"});
        let made = world.send_as("POST", "/v1/admin/users", &token, Some(body)).await;
        assert_eq!((made.status, made.header("cache-control")), (202, "no-store"), "{}", made.text);
        let invitation = made.json();
        assert!(invitation["id"].as_str().unwrap().starts_with("inv_"));
        assert_eq!((&invitation["email"], &invitation["roles"]), (&json!(ADA), &json!(["editor"])));
        let link = world.mailed_token("invitation", ADA).await;
        assert!(!made.text.contains(&link));
        let login = json!({"email": ADA, "password": PASSWORD});
        assert_eq!(world.post("/v1/login", login.clone()).await.problem().1, "invalid_credentials");
        let accept = json!({"token": link, "password": PASSWORD});
        let user = world.post("/v1/invitation/accept", accept.clone()).await;
        assert_eq!(user.status, 200, "{}", user.text);
        assert_eq!((&user.json()["user_name"], &user.json()["roles"]), (&json!("countess"), &json!(["editor"])));
        assert_eq!(world.post("/v1/login", login).await.status, 200);
        assert_eq!(world.mails("welcome", ADA).await, 1);
        let again = world.post("/v1/invitation/accept", accept).await;
        assert_eq!(again.problem(), (410, "link_used".to_owned()));
        let refused = world.send_as("POST", "/v1/admin/users", &token, Some(json!({"email": ADA}))).await;
        assert_eq!(refused.problem(), (409, "email_taken".to_owned()));
        let named = json!({"email": "bob@example.org", "user_name": "Countess"});
        let refused = world.send_as("POST", "/v1/admin/users", &token, Some(named)).await;
        assert_eq!(refused.problem(), (409, "user_name_taken".to_owned()));
    }

    async fn an_invitation_ends_after_three_days(world: World) {
        let token = root(&world).await;
        world.send_as("POST", "/v1/admin/users", &token, Some(json!({"email": ADA}))).await;
        let link = world.mailed_token("invitation", ADA).await;
        world.clock.advance(std::time::Duration::from_hours(72));
        let late = world.post("/v1/invitation/accept", json!({"token": link, "password": PASSWORD})).await;
        assert_eq!(late.problem(), (410, "link_expired".to_owned()));
    }

    async fn bad_fields_are_told(world: World) {
        let token = root(&world).await;
        for (body, expected) in [
            (json!({}), "/email required"),
            (json!({"email": "ada"}), "/email email_invalid"),
            (json!({"email": ADA, "roles": ["A"]}), "/roles/0 role_invalid"),
            (json!({"email": ADA, "roles": "admin"}), "/roles wrong_type"),
            (json!({"email": ADA, "user_name": "x"}), "/user_name user_name_length"),
            (json!({"email": ADA, "locale": "?"}), "/locale locale_invalid"),
            (json!({"email": ADA, "password": PASSWORD}), "/password unknown_field"),
        ] {
            let answer = world.send_as("POST", "/v1/admin/users", &token, Some(body.clone())).await;
            assert_eq!(answer.field_errors(), [expected], "{body}");
        }
        world.send_as("POST", "/v1/admin/users", &token, Some(json!({"email": ADA}))).await;
        let link = world.mailed_token("invitation", ADA).await;
        for (body, expected) in [
            (json!({"password": PASSWORD}), "/token required"),
            (json!({"token": link}), "/password required"),
            (json!({"token": 1, "password": PASSWORD}), "/token wrong_type"),
            (json!({"token": link, "password": "short"}), "/password password_too_short"),
            (json!({"token": link, "password": "password1"}), "/password password_too_common"),
            (json!({"token": link, "password": PASSWORD, "user_name": "x"}), "/user_name user_name_length"),
            (json!({"token": link, "password": PASSWORD, "email": ADA}), "/email unknown_field"),
        ] {
            assert_eq!(world.post("/v1/invitation/accept", body.clone()).await.field_errors(), [expected], "{body}");
        }
        for wrong in ["", "x", &"A".repeat(43), "\u{0}", &"x".repeat(9000)] {
            let answer = world.post("/v1/invitation/accept", json!({"token": wrong, "password": PASSWORD})).await;
            assert_eq!(answer.problem(), (410, "link_expired".to_owned()));
        }
    }

    // S8: opening the page changes nothing; its button does.
    async fn the_page_accepts_by_its_button(world: World) {
        let token = root(&world).await;
        world.send_as("POST", "/v1/admin/users", &token, Some(json!({"email": ADA}))).await;
        let link = world.mailed_token("invitation", ADA).await;
        let mut browser = Browser::default();
        for _ in 0..2 {
            let page = browser.get(&world, &format!("/invitation?token={link}&utm_source=mail")).await;
            assert!(page.status == 200 && page.text.contains(&link), "{}", page.text);
        }
        assert!(world.get("/invitation").await.text.contains("is incomplete"));
        for (field, words) in [
            ("password=password1", "This password is too common"),
            ("password=", "Fill this in"),
            ("password=violet-otter-maps-42&user_name=x", "Use 3 to 32 characters"),
        ] {
            let page = browser.submit(&world, "/invitation", &format!("token={link}&{field}")).await;
            assert!(page.status == 422 && page.text.contains(words) && page.text.contains(&link), "{}", page.text);
        }
        let form = format!("token={link}&password={PASSWORD}&user_name=");
        let done = browser.submit(&world, "/invitation", &form).await;
        assert_eq!(done.leads_to(), "/account?said=active");
        let account = browser.get(&world, "/account").await;
        assert!(account.status == 200 && account.text.contains(ADA), "signed in: {}", account.text);
        let mut other = Browser::default();
        other.get(&world, "/login").await;
        let again = other.submit(&world, "/invitation", &form).await;
        assert!(again.status == 410 && again.text.contains("You already have an account"), "{}", again.text);
        assert_eq!(world.signs_in(ADA).await["user"]["email"], ADA);
    }
}
