//! A form that is sent too late is not lost: it is shown again, explains why, and nothing is done.

use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, PASSWORD, World};

const STALE: &str = "This page was open for too long";

fn shown_again(answer: &Answer, typed: &str) {
    assert!(answer.status == 403 && answer.text.contains(STALE), "{} {}", answer.status, answer.text);
    assert!(answer.text.contains(&format!("value=\"{typed}\"")), "{typed}: {}", answer.text);
    assert!(!answer.text.contains(PASSWORD), "no password comes back");
}

/// Working links, and the password field that each form needs.
async fn links(world: &World) -> [(&'static str, String, &'static str); 3] {
    world.has_admin("root@example.org").await;
    let admin = world.access_token("root@example.org").await;
    world.send_as("POST", "/v1/admin/users", &admin, Some(json!({"email": "bob@example.org"}))).await;
    world.post("/v1/password/forgot", json!({"email": "root@example.org"})).await;
    let confirm = world.signs_up("carla@example.org").await.link.unwrap();
    [
        ("/confirm", confirm.split_once("token=").unwrap().1.to_owned(), "password"),
        ("/invitation", world.mailed_token("invitation", "bob@example.org").await, "password"),
        ("/reset", world.mailed_token("password_reset", "root@example.org").await, "new_password"),
    ]
}

on_both_stores! {
    async fn a_form_whose_cookie_is_lost_is_shown_again_with_what_was_typed(world: World) {
        for (path, action, fields, typed) in [
            ("/signup", "/signup", "email=ada%40example.org&password=violet-otter-maps-42&user_name=ada", ADA),
            ("/login", "/login", "login=eve%40example.org&password=violet-otter-maps-42&return_to=/docs/errors", "eve@example.org"),
            ("/forgot", "/forgot", "email=ada%40example.org", ADA),
            ("/confirm?token=x", "/confirm/resend", "email=ada%40example.org", ADA),
            ("/setup", "/setup", "token=some-token&email=ada%40example.org&password=violet-otter-maps-42", ADA),
        ] {
            let mut browser = Browser::default();
            browser.get(&world, path).await;
            browser.cookies.clear();
            let again = browser.submit(&world, action, fields).await;
            shown_again(&again, typed);
            assert!(again.text.contains(&format!("action=\"{action}\"")), "{action}");
            // The form that was shown again can be sent.
            let taken = browser.submit(&world, action, fields).await;
            assert!(!taken.text.contains(STALE) && taken.status != 403, "{action}: {} {}", taken.status, taken.text);
        }
        for (path, token, field) in links(&world).await {
            let mut browser = Browser::default();
            browser.get(&world, &format!("{path}?token={token}")).await;
            browser.cookies.clear();
            let form = format!("token={token}&{field}={PASSWORD}");
            shown_again(&browser.submit(&world, path, &form).await, &token);
            let taken = browser.submit(&world, path, &form).await;
            assert!([200, 303].contains(&taken.status) && !taken.text.contains(STALE), "{path}: {} {}", taken.status, taken.text);
        }
        assert!(Browser::default().submit(&world, "/login", "return_to=/docs/errors").await.text.contains("value=\"&#x2f;docs&#x2f;errors\""));
        world.deliver().await;
        assert_eq!(world.mails("confirm", ADA).await, 1, "once, for the form that counted");
    }

    async fn a_waiting_browser_is_shown_its_page_again(world: World) {
        let mut browser = Browser::default();
        browser.fills(&world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
        world.clock.advance(Duration::from_mins(2));
        for action in ["/check-mail", "/check-mail/resend", "/check-mail/continue"] {
            browser.cookies.remove("__Host-vestibule_form");
            let again = browser.submit(&world, action, "code=0000").await;
            assert!(again.status == 403 && again.text.contains(STALE) && again.text.contains("id=\"code\""), "{action}");
        }
        assert_eq!(world.mails("confirm", ADA).await, 1);
    }

    // Another tab has signed in again.
    async fn a_form_of_an_earlier_session_is_shown_again(world: World) {
        world.has_admin(ADA).await;
        let mut browser = Browser::signed_in(&world, ADA).await;
        browser.get(&world, "/account").await;
        let earlier = browser.form_token.clone();
        browser.cookies.remove("__Host-vestibule_session");
        browser.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
        for (action, fields, typed) in [
            ("/account/profile", "user_name=countess&locale=en", "countess"),
            ("/account/email", "email=ada%40example.com&password=violet-otter-maps-42", "ada@example.com"),
            ("/admin/users", "email=bob%40example.org&user_name=bob&locale=en&roles=editor&own_password=violet-otter-maps-42", "bob@example.org"),
        ] {
            browser.form_token.clone_from(&earlier);
            shown_again(&browser.submit(&world, action, fields).await, typed);
        }
        browser.form_token.clone_from(&earlier);
        let out = browser.submit(&world, "/logout", "").await;
        assert!(out.status == 403 && out.text.contains(STALE), "{}", out.text);
        assert_eq!(browser.get(&world, "/account").await.status, 200, "still signed in");
        assert!(!browser.get(&world, "/account").await.text.contains("countess"));
        assert_eq!(browser.submit(&world, "/account/profile", "user_name=countess&locale=en").await.leads_to(), "/account?said=profile#profile");
    }

    // The form keeps the state it was made for: concurrent changes are not overwritten.
    async fn a_form_that_came_back_still_knows_its_state(world: World) {
        world.has_admin("root@example.org").await;
        world.has_account(ADA).await;
        let mut browser = Browser::signed_in(&world, "root@example.org").await;
        let list = browser.get(&world, "/admin/users?q=ada").await;
        let path = list.text.split("href=\"").find(|part| part.starts_with("/admin/users/usr_")).unwrap().split('"').next().unwrap();
        let revision = |page: &Answer| page.text.split("name=\"revision\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let before = revision(&browser.get(&world, path).await);
        let mut ada = Browser::signed_in(&world, ADA).await;
        ada.get(&world, "/account").await;
        ada.submit(&world, "/account/profile", "user_name=countess&locale=en").await;
        let earlier = std::mem::replace(&mut browser.form_token, "x".to_owned());
        let form = format!("revision={before}&user_name=ada&locale=en");
        let again = browser.submit(&world, &format!("{path}/profile"), &form).await;
        shown_again(&again, "ada");
        assert_eq!(revision(&again), before);
        assert_ne!(browser.form_token, "x");
        assert_eq!(browser.form_token, earlier);
        assert_eq!(browser.submit(&world, &format!("{path}/profile"), &form).await.status, 412);
    }

    async fn a_session_that_ended_during_an_edit_says_that_nothing_was_saved(world: World) {
        world.has_admin(ADA).await;
        for (path, back) in [
            ("/account/profile", "/account#profile"), ("/account/email/cancel", "/account#email"), ("/account/sessions/end", "/account#sessions"),
            ("/admin/users", "/admin/users"), ("/admin/users/usr_00000000000000000000000000/disable", "/admin/users/usr_00000000000000000000000000"),
            ("/admin/mail/retry", "/admin/mail"),
        ] {
            let mut browser = Browser::signed_in(&world, ADA).await;
            browser.get(&world, "/account").await;
            let token = world.access_token(ADA).await;
            world.post_as("/v1/logout?all=true", &token).await;
            let answer = browser.submit(&world, path, "user_name=countess&locale=en").await;
            let login = answer.leads_to().to_owned();
            assert!(login.starts_with("/login?said=unsaved&return_to="), "{login}");
            let page = browser.get(&world, &login).await;
            assert!(page.text.contains("Your session ended. Your change was not saved"), "{}", page.text);
            let form = format!("login={ADA}&password={PASSWORD}&return_to={}", back.replace('#', "%23"));
            let kept = format!("name=\"return_to\" value=\"{}\"", back.replace('/', "&#x2f;"));
            assert!(page.text.contains(&kept), "{back}: {}", page.text);
            assert_eq!(browser.submit(&world, "/login", &form).await.leads_to(), back);
            assert!(!browser.get(&world, "/account").await.text.contains("countess"));
        }
        // A user who wanted to sign out is signed out.
        let mut browser = Browser::signed_in(&world, ADA).await;
        browser.get(&world, "/account").await;
        browser.cookies.remove("__Host-vestibule_session");
        assert_eq!(browser.submit(&world, "/logout", "").await.leads_to(), "/login?said=signed_out");
    }
}
