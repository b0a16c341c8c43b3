//! The pages of mailed links show the address, and report immediately when a link can no longer be used.

use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const NEW: &str = "copper-lamp-river-77";

/// One link of each kind: its path, the token, the address it was mailed to, and the form fields that use it.
async fn links(world: &World) -> Vec<(&'static str, String, &'static str, String)> {
    world.has_admin(ADA).await;
    let token = world.access_token(ADA).await;
    let body = json!({"email": "countess@example.net", "password": PASSWORD});
    assert_eq!(world.send_as("POST", "/v1/me/email", &token, Some(body)).await.status, 202);
    world.send_as("POST", "/v1/admin/users", &token, Some(json!({"email": "bob@example.org"}))).await;
    world.post("/v1/password/forgot", json!({"email": ADA})).await;
    let confirm = world.signs_up("carla@example.org").await.link.unwrap();
    vec![
        (
            "/confirm",
            confirm.split_once("token=").unwrap().1.to_owned(),
            "carla@example.org",
            format!("password={PASSWORD}"),
        ),
        (
            "/invitation",
            world.mailed_token("invitation", "bob@example.org").await,
            "bob@example.org",
            format!("password={PASSWORD}"),
        ),
        ("/reset", world.mailed_token("password_reset", ADA).await, ADA, format!("new_password={NEW}")),
        (
            "/email/confirm",
            world.mailed_token("email_change", "countess@example.net").await,
            "countess@example.net",
            format!("password={PASSWORD}"),
        ),
        ("/email/undo", world.mailed_token("email_undo", ADA).await, ADA, format!("new_password={NEW}")),
    ]
}

fn says_whom(page: &Answer, email: &str) {
    let (local, domain) = email.split_once('@').unwrap();
    let masked = format!("This link was sent to <bdi>{}***@{domain}</bdi>.", &local[..1]);
    assert!(page.text.contains(&masked), "{email}: {}", page.text);
    let field = format!("<input type=\"text\" value=\"{email}\" autocomplete=\"username\" readonly hidden>");
    assert!(page.text.contains(&field), "{email}: {}", page.text);
    assert_eq!(page.text.matches(email).count(), 1, "whole for the password manager only");
    // It is next to the password in its form, but is not sent.
    let form = page.text.split("id=\"form\">").nth(1).unwrap().split("</form>").next().unwrap();
    assert!(form.contains(&field) && form.contains("type=\"password\""));
}

on_both_stores! {
    async fn every_mailed_link_says_whom_it_is_about(world: World) {
        for (path, token, email, _) in links(&world).await {
            let mut browser = Browser::default();
            says_whom(&browser.get(&world, &format!("{path}?token={token}")).await, email);
            let wrong = if path == "/confirm" || path == "/email/confirm" { "not-the-password" } else { "short" };
            let field = if path == "/reset" || path == "/email/undo" { "new_password" } else { "password" };
            let page = browser.submit(&world, path, &format!("token={token}&{field}={wrong}")).await;
            assert_eq!(page.status, 422, "{path}");
            says_whom(&page, email);
        }
    }

    // The page does not ask for a password first, and shows the next step.
    async fn a_used_link_says_so_at_once(world: World) {
        for (path, token, _, fields) in links(&world).await {
            // The reset voids the change of address: request it again.
            let token = if path == "/email/confirm" {
                let access = world.post("/v1/login", json!({"email": ADA, "password": NEW})).await.json();
                let body = json!({"email": "countess@example.org", "password": NEW});
                world.send_as("POST", "/v1/me/email", access["access_token"].as_str().unwrap(), Some(body)).await;
                world.mailed_token("email_change", "countess@example.org").await
            } else {
                token
            };
            let fields = if path == "/email/confirm" { format!("password={NEW}") } else { fields };
            let fields = if path == "/email/undo" { "new_password=amber-kettle-forest-58".to_owned() } else { fields };
            let mut browser = Browser::default();
            browser.get(&world, &format!("{path}?token={token}")).await;
            let done = browser.submit(&world, path, &format!("token={token}&{fields}")).await;
            assert!([200, 303].contains(&done.status), "{path}: {} {}", done.status, done.text);
            let page = Browser::default().get(&world, &format!("{path}?token={token}")).await;
            let title = if path == "/confirm" { "Your account is already active" } else { "This link has already been used" };
            assert!(page.status == 200 && page.text.contains(title), "{path}: {}", page.text);
            assert!(!page.text.contains("type=\"password\"") && page.text.contains("class=\"button full\" href=\"/login\""), "{path}: {}", page.text);
        }
    }

    async fn an_expired_link_says_so_at_once(world: World) {
        let links = links(&world).await;
        world.clock.advance(Duration::from_hours(24 * 8));
        for (path, token, ..) in links {
            let page = Browser::default().get(&world, &format!("{path}?token={token}")).await;
            assert!(page.status == 200 && page.text.contains("This link no longer works"), "{path}: {}", page.text);
            assert!(!page.text.contains("type=\"password\""), "{path}");
            let next = match path {
                "/confirm" => "action=\"/confirm/resend\"",
                "/invitation" => "ask whoever invited you for a new invitation",
                "/email/confirm" => "href=\"/account#email\"",
                _ => "action=\"/forgot\"",
            };
            assert!(page.text.contains(next), "{path}: {}", page.text);
        }
    }

    async fn an_invitation_whose_address_has_an_account_leads_to_the_sign_in(world: World) {
        world.has_admin(ADA).await;
        let token = world.access_token(ADA).await;
        world.send_as("POST", "/v1/admin/users", &token, Some(json!({"email": "bob@example.org"}))).await;
        let link = world.mailed_token("invitation", "bob@example.org").await;
        let mut browser = Browser::default();
        browser.get(&world, &format!("/invitation?token={link}")).await;
        world.has_account("bob@example.org").await;
        let page = Browser::default().get(&world, &format!("/invitation?token={link}")).await;
        assert!(page.text.contains("You already have an account") && !page.text.contains("type=\"password\""), "{}", page.text);
        let late = browser.submit(&world, "/invitation", &format!("token={link}&password={PASSWORD}")).await;
        assert!(late.status == 409 || late.status == 410, "{}", late.status);
        assert!(late.text.contains("You already have an account"), "{}", late.text);
    }

    async fn the_forms_of_the_account_name_it_to_password_managers(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        let page = browser.get(&world, "/account").await.text;
        for action in ["/account/email", "/account/password", "/account/delete"] {
            let form = page.split(&format!("action=\"{action}\"")).nth(1).unwrap().split("</form>").next().unwrap();
            assert!(form.contains(&format!("value=\"{ADA}\" autocomplete=\"username\"")), "{action}: {form}");
        }
    }

    async fn password_managers_find_where_a_password_is_changed(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let login = browser.get(&world, "/.well-known/change-password").await.leads_to().to_owned();
        assert_eq!(login, "/login?return_to=%2Faccount%23password");
        browser.get(&world, &login).await;
        let form = format!("login={ADA}&password={PASSWORD}&return_to=%2Faccount%23password");
        assert_eq!(browser.submit(&world, "/login", &form).await.leads_to(), "/account#password");
        assert_eq!(browser.get(&world, "/.well-known/change-password").await.leads_to(), "/account#password");
        // The draft first checks that paths which do not exist are really not found.
        let other = browser.get(&world, "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").await;
        assert_eq!(other.status, 404);
    }
}
