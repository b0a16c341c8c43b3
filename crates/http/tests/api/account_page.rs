use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const NEW: &str = "copper-lamp-river-77";

/// A signed-in browser that looks at its account.
async fn member(world: &World) -> Browser {
    let mut browser = Browser::default();
    let answer = browser.fills(world, "/login", &format!("login={ADA}&password={PASSWORD}")).await;
    assert_eq!(answer.leads_to(), "/account");
    browser.get(world, "/account").await;
    browser
}

on_both_stores! {
    async fn the_profile_is_changed(world: World) {
        world.has_account(ADA).await;
        let mut browser = member(&world).await;
        let answer = browser.submit(&world, "/account/profile", "user_name=countess&locale=de").await;
        assert_eq!(answer.leads_to(), "/account?said=profile#profile");
        let page = browser.get(&world, "/account?said=profile").await;
        assert!(page.text.contains("value=\"countess\"") && page.text.contains("<html lang=\"de\""), "{}", page.text);
        assert!(page.text.contains("Gespeichert."));
        world.has_account("bob@example.org").await;
        let mut bob = Browser::default();
        bob.fills(&world, "/login", &format!("login=bob@example.org&password={PASSWORD}")).await;
        bob.get(&world, "/account").await;
        let taken = bob.submit(&world, "/account/profile", "user_name=countess").await;
        assert!(taken.status == 409 && taken.text.contains("id=\"profile-user_name-mistake\""), "{}", taken.text);
    }

    async fn a_display_name_is_shown_and_emptied(world: World) {
        world.has_account(ADA).await;
        let mut browser = member(&world).await;
        let saved = "/account?said=profile#profile";
        let answer = browser.submit(&world, "/account/profile", "display_name=Ada+%3CLovelace%3E&user_name=").await;
        assert_eq!(answer.leads_to(), saved);
        let page = browser.get(&world, "/account").await;
        assert!(page.text.contains("value=\"Ada &lt;Lovelace&gt;\""), "{}", page.text);
        let wrong = browser.submit(&world, "/account/profile", "display_name=a%00b").await;
        assert!(wrong.status == 422 && wrong.text.contains("id=\"profile-display_name-mistake\""), "{}", wrong.text);
        assert_eq!(browser.submit(&world, "/account/profile", "locale=de").await.leads_to(), saved);
        assert!(browser.get(&world, "/account").await.text.contains("Lovelace"), "a field that is not sent stays");
        assert_eq!(browser.submit(&world, "/account/profile", "display_name=&locale=en").await.leads_to(), saved);
        assert!(!browser.get(&world, "/account").await.text.contains("Lovelace"));
    }

    async fn a_new_address_waits_and_can_be_called_off(world: World) {
        world.has_account(ADA).await;
        let mut browser = member(&world).await;
        let wrong = browser.submit(&world, "/account/email", "email=ada@example.com&password=not-the-password").await;
        assert!(wrong.status == 422 && wrong.text.contains("id=\"email-password-mistake\""), "{}", wrong.text);
        assert!(wrong.text.contains("value=\"ada@example.com\""), "what was typed stays");
        let form = format!("email=ada@example.com&password={PASSWORD}");
        assert_eq!(browser.submit(&world, "/account/email", &form).await.leads_to(), "/account?said=email#email");
        assert!(browser.get(&world, "/account").await.text.contains("<bdi>ada@example.com</bdi>"));
        let token = world.mailed_token("email_change", "ada@example.com").await;
        let cancelled = browser.submit(&world, "/account/email/cancel", "").await;
        assert_eq!(cancelled.leads_to(), "/account?said=email_cancelled#email");
        assert!(!browser.get(&world, "/account").await.text.contains("ada@example.com"));
        browser.get(&world, "/forgot").await;
        assert_eq!(browser.submit(&world, "/email/confirm", &format!("token={token}")).await.status, 410);
    }

    async fn a_new_password_ends_the_other_sessions(world: World) {
        world.has_account(ADA).await;
        let (mut browser, mut other) = (member(&world).await, member(&world).await);
        let form = format!("current_password=not-the-password&new_password={NEW}");
        let wrong = browser.submit(&world, "/account/password", &form).await;
        assert!(wrong.status == 422 && wrong.text.contains("id=\"password-current_password-mistake\""), "{}", wrong.text);
        let weak = format!("current_password={PASSWORD}&new_password=password1");
        assert!(browser.submit(&world, "/account/password", &weak).await.text.contains("id=\"password-new_password-mistake\""));
        let form = format!("current_password={PASSWORD}&new_password={NEW}");
        let answer = browser.submit(&world, "/account/password", &form).await;
        assert_eq!(answer.leads_to(), "/account?said=password#password");
        assert_eq!(browser.get(&world, "/account").await.status, 200);
        assert_eq!(other.get(&world, "/account").await.status, 303);
    }

    async fn sessions_are_ended_one_by_one_and_together(world: World) {
        world.has_account(ADA).await;
        let (mut browser, mut one, mut two) = (member(&world).await, member(&world).await, member(&world).await);
        let page = browser.get(&world, "/account").await;
        assert!(page.text.contains("This device"));
        let id = page.text.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        browser.submit(&world, "/account/sessions/end", &format!("session={id}")).await;
        let alive = [one.get(&world, "/account").await.status, two.get(&world, "/account").await.status];
        assert_eq!(alive.iter().filter(|status| **status == 200).count(), 1, "{alive:?}");
        browser.get(&world, "/account").await;
        browser.submit(&world, "/account/sessions/end", "").await;
        assert_eq!([one.get(&world, "/account").await.status, two.get(&world, "/account").await.status], [303, 303]);
        assert_eq!(browser.get(&world, "/account").await.status, 200);
    }

    // ASVS 8.2.2: another user's session cannot be ended.
    async fn nobody_ends_the_session_of_somebody_else(world: World) {
        world.has_account(ADA).await;
        let mut browser = member(&world).await;
        world.has_account("eve@example.org").await;
        let mut eve = Browser::default();
        eve.fills(&world, "/login", &format!("login=eve@example.org&password={PASSWORD}")).await;
        eve.get(&world, "/account").await;
        let token = world.access_token(ADA).await;
        let listed = world.get_as("/v1/me/sessions", &token).await.json();
        for session in listed["items"].as_array().unwrap() {
            let id = session["id"].as_str().unwrap();
            eve.submit(&world, "/account/sessions/end", &format!("session={id}")).await;
        }
        assert_eq!(browser.get(&world, "/account").await.status, 200);
        assert_eq!(world.get_as("/v1/me", &token).await.status, 200);
    }

    async fn everything_held_is_downloaded(world: World) {
        world.has_account(ADA).await;
        let mut browser = member(&world).await;
        let file = browser.get(&world, "/account/export").await;
        assert_eq!(file.header("content-disposition"), "attachment; filename=\"account.json\"");
        assert_eq!(file.json()["account"]["email"], ADA);
        assert!(!file.text.contains(&browser.cookies["__Host-vestibule_session"]));
        assert_eq!(Browser::default().get(&world, "/account/export").await.leads_to(), "/login?return_to=%2Faccount%2Fexport");
    }

    async fn the_account_is_deleted_with_its_password(world: World) {
        world.has_account(ADA).await;
        let mut browser = member(&world).await;
        let wrong = browser.submit(&world, "/account/delete", "password=not-the-password").await;
        assert!(wrong.status == 422 && wrong.text.contains("id=\"delete-password-mistake\""), "{}", wrong.text);
        let gone = browser.submit(&world, "/account/delete", &format!("password={PASSWORD}")).await;
        assert!(gone.status == 200 && gone.text.contains("Your account is deleted"), "{}", gone.text);
        assert!(!browser.cookies.contains_key("__Host-vestibule_session"));
        assert_eq!(browser.get(&world, "/account").await.status, 303);
    }
}
