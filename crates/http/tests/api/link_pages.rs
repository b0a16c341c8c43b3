use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const NEW: &str = "copper-lamp-river-77";
const PAGES: [&str; 3] = ["/reset", "/email/confirm", "/email/undo"];

/// Requests a change to this address; returns the tokens of the two mails.
async fn wishes_for(world: &World, email: &str) -> (String, String) {
    let token = world.access_token(ADA).await;
    let body = json!({"email": email, "password": PASSWORD});
    assert_eq!(world.send_as("POST", "/v1/me/email", &token, Some(body)).await.status, 202);
    (world.mailed_token("email_change", email).await, world.mailed_token("email_undo", ADA).await)
}

on_both_stores! {
    async fn the_reset_page_sets_a_password_by_its_button(world: World) {
        world.has_account(ADA).await;
        world.post("/v1/password/forgot", json!({"email": ADA})).await;
        let token = world.mailed_token("password_reset", ADA).await;
        let mut browser = Browser::default();
        for _ in 0..2 {
            let page = browser.get(&world, &format!("/reset?token={token}&utm_source=mail")).await;
            assert_eq!(page.status, 200);
            assert!(page.text.contains("<form method=\"post\" action=\"/reset\" novalidate"), "{}", page.text);
            assert!(page.text.contains("autocomplete=\"new-password\"") && page.text.contains("At least 8"));
            assert!(page.text.contains(&token), "{}", page.text);
        }
        for (password, problem) in [
            ("", "Fill this in"),
            ("violet", "too short: use at least 8 characters"),
            ("password1", "This password is too common"),
            ("ada%40example.org", "That’s a name"),
            ("%00", "The password has a character we can’t use"),
        ] {
            let page = browser.submit(&world, "/reset", &format!("token={token}&new_password={password}")).await;
            assert_eq!(page.status, 422, "{password}");
            assert!(page.text.contains(problem) && page.text.contains(&token), "{}", page.text);
            assert!(page.text.contains("<title>Error: "));
        }
        let done = browser.submit(&world, "/reset", &format!("token={token}&new_password={NEW}")).await;
        assert_eq!(done.status, 200);
        assert!(done.text.contains("Your password is changed") && !done.text.contains(&token), "{}", done.text);
        assert_eq!(world.post("/v1/login", json!({"email": ADA, "password": NEW})).await.status, 200);
        browser.get(&world, "/forgot").await;
        let again = browser.submit(&world, "/reset", &format!("token={token}&new_password={NEW}")).await;
        assert_eq!(again.status, 410);
        assert!(again.text.contains("This link has already been used") && again.text.contains("href=\"/forgot\""), "{}", again.text);
    }

    async fn the_pages_of_a_change_of_address_work_by_their_buttons(world: World) {
        world.has_account(ADA).await;
        let (change, undo) = wishes_for(&world, "ada@example.com").await;
        for (path, form, button, done) in [
            ("/email/confirm", format!("token={change}&password={PASSWORD}"), "Use this address", "Your email is changed"),
            ("/email/undo", format!("token={undo}&new_password={NEW}"), "Undo the change", "Your old email is back"),
        ] {
            let token = form.split('&').next().unwrap();
            let before = world.accounts_email().await;
            let mut browser = Browser::default();
            for _ in 0..2 {
                let page = browser.get(&world, &format!("{path}?{token}")).await;
                assert!(page.status == 200 && page.text.contains(button), "{}", page.text);
            }
            assert_eq!(world.accounts_email().await, before, "opening a page changes nothing");
            // The mail alone is not enough: it may have gone to a mistyped address, or the thief knows the password.
            for half in [token.to_owned(), format!("{token}&password=wrong-password&new_password={PASSWORD}")] {
                let page = browser.submit(&world, path, &half).await;
                assert!([401, 422].contains(&page.status) && page.text.contains(button), "{}", page.text);
            }
            assert_eq!(world.accounts_email().await, before);
            let page = browser.submit(&world, path, &form).await;
            assert!(page.status == 200 && page.text.contains(done), "{}", page.text);
            assert_ne!(world.accounts_email().await, before);
            browser.get(&world, "/forgot").await;
            let again = browser.submit(&world, path, &form).await;
            assert!(again.status == 410 && again.text.contains("This link has already been used"), "{}", again.text);
        }
        assert_eq!(world.accounts_email().await, ADA);
    }

    // The session that requested the change needs no password; another one does.
    async fn the_browser_that_asked_confirms_its_new_address(world: World) {
        world.has_account(ADA).await;
        let [mut here, mut elsewhere] = [Browser::default(), Browser::default()];
        for browser in [&mut here, &mut elsewhere] {
            let signed_in = browser.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
            assert_eq!(signed_in.leads_to(), "/account");
            browser.get(&world, "/account").await;
        }
        here.submit(&world, "/account/email", &format!("email=ada@example.com&password={PASSWORD}")).await;
        let token = world.mailed_token("email_change", "ada@example.com").await;
        let page = here.get(&world, &format!("/email/confirm?token={token}")).await;
        assert!(!page.text.contains("type=\"password\""), "{}", page.text);
        elsewhere.get(&world, &format!("/email/confirm?token={token}")).await;
        let refused = elsewhere.submit(&world, "/email/confirm", &format!("token={token}")).await;
        assert!(refused.status == 422 && refused.text.contains("type=\"password\""), "{}", refused.text);
        assert_eq!(world.accounts_email().await, ADA);
        let done = here.submit(&world, "/email/confirm", &format!("token={token}")).await;
        assert_eq!(done.status, 200, "{}", done.text);
        assert_eq!(world.accounts_email().await, "ada@example.com");
    }

    async fn an_address_that_was_taken_meanwhile_is_told_on_the_page(world: World) {
        world.has_account(ADA).await;
        let (change, _) = wishes_for(&world, "ada@example.com").await;
        world.has_admin("ada@example.com").await;
        let mut browser = Browser::default();
        browser.get(&world, "/forgot").await;
        let page = browser.submit(&world, "/email/confirm", &format!("token={change}&password={PASSWORD}")).await;
        assert_eq!(page.status, 409);
        assert!(page.text.contains("This address already has an account"), "{}", page.text);
    }

    async fn a_broken_link_is_told_and_escaped(world: World) {
        let mut browser = Browser::default();
        for path in PAGES {
            let bare = world.get(path).await;
            assert!(bare.status == 200 && bare.text.contains("is incomplete"), "{path} {}", bare.text);
            let page = world.get(&format!("{path}?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")).await;
            assert!(page.status == 200 && !page.text.contains("<script>"), "{path} {}", page.text);
            let field = if path == "/email/confirm" { "password" } else { "new_password" };
            for token in ["", "x", "%22%3E%3Cscript%3E", "%00"] {
                browser.get(&world, "/forgot").await;
                let posted = browser.submit(&world, path, &format!("token={token}&{field}={NEW}")).await;
                assert_eq!(posted.status, 410, "{path} {token}");
                assert!(!posted.text.contains("<script>"));
            }
            let twice = browser.submit(&world, path, "token=a&token=b").await;
            assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
            let json = world.post(path, json!({"token": "x"})).await;
            assert_eq!(json.problem(), (415, "unsupported_media_type".to_owned()));
        }
    }

    // B1, T6
    async fn the_pages_are_locked_down(world: World) {
        for path in ["/reset?token=x", "/email/confirm?token=x", "/email/undo?token=x", "/forgot", "/login", "/invitation?token=x", "/setup"] {
            let page = world.get(path).await;
            assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
            let policy = page.header("content-security-policy");
            assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("referrer-policy"), "no-referrer");
            assert_eq!(page.header("cache-control"), "no-store");
        }
        assert!(world.get("/login").await.text.contains("<a href=\"/forgot\">"));
    }
}
