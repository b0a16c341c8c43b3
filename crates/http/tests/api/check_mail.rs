use std::time::Duration;

use serde_json::json;
use vestibule::SendError;

use crate::admin_overview_page::Failing;
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World, without_mailbox};

const SESSION: &str = "__Host-vestibule_session";

/// A waiting browser, and the mail.
async fn waits(world: &World) -> (Browser, vestibule_http::DevMail) {
    let mut browser = Browser::default();
    browser.fills(world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
    browser.get(world, "/check-mail").await;
    (browser, world.newest_mail(ADA).await)
}

on_both_stores! {
    async fn the_code_signs_the_browser_in(world: World) {
        let (mut browser, mail) = waits(&world).await;
        let code = mail.code.unwrap();
        let wrong = browser.submit(&world, "/check-mail", &format!("code={:04}", (code.parse::<u32>().unwrap() + 1) % 10_000)).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("That’s not the code. Tries left: 2") && wrong.text.contains("id=\"code-mistake\""));
        let letters = browser.submit(&world, "/check-mail", "code=abcd").await;
        assert!(letters.status == 422 && letters.text.contains("digits only"), "{}", letters.text);
        let spaced = format!("code=+{}+{}+", &code[..2], &code[2..]);
        let answer = browser.submit(&world, "/check-mail", &spaced).await;
        assert_eq!(answer.leads_to(), "/account");
        let cookie = answer.cookie(SESSION).unwrap();
        assert!(cookie.contains("; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        assert!(!browser.cookies.contains_key("__Host-vestibule_signup"));
        assert!(browser.get(&world, "/account").await.text.contains(ADA));
    }

    // S4: only the browser that signed up confirms its link without the password.
    async fn the_link_needs_no_password_in_the_browser_that_signed_up(world: World) {
        let (mut browser, mail) = waits(&world).await;
        let path = mail.link.unwrap().split_once("example.org").unwrap().1.to_owned();
        let token = path.split_once("token=").unwrap().1.to_owned();
        assert!(Browser::default().get(&world, &path).await.text.contains("type=\"password\""));
        let page = browser.get(&world, &path).await;
        assert!(!page.text.contains("type=\"password\"") && page.text.contains("You signed up in this browser"));
        assert_eq!(browser.submit(&world, "/confirm", &format!("token={token}")).await.leads_to(), "/account?said=active");
        assert!(browser.cookies.contains_key(SESSION));
    }

    async fn the_way_to_the_mailbox_is_short(world: World) {
        let page = async |world: &World, email: &str| {
            let mut browser = Browser::default();
            browser.fills(world, "/signup", &format!("email={email}&password={PASSWORD}")).await;
            world.deliver().await;
            browser.get(world, "/check-mail").await.text
        };
        let gmail = "target=\"_blank\" rel=\"noopener noreferrer\">";
        let in_development = page(&world, "ada@gmail.com").await;
        assert!(in_development.contains("href=\"/dev/mail\"") && !in_development.contains(gmail));
        let mut world = world;
        world.router_with(without_mailbox());
        let in_production = page(&world, "bob@GMAIL.com").await;
        assert!(in_production.contains(gmail) && !in_production.contains("/dev/mail"), "{in_production}");
        assert!(!page(&world, "bob@example.org").await.contains("_blank"));
    }

    // The same for everyone, whether the address is free or taken (S3).
    async fn an_outage_of_mail_is_told(world: World) {
        let (mut browser, _) = waits(&world).await;
        let told = "data-delayed>";
        assert!(!browser.get(&world, "/check-mail").await.text.contains(told));
        world.post("/v1/signup", json!({"email": "bob@example.org", "password": PASSWORD})).await;
        world.accounts.deliver(&Failing(SendError::Temporary("no connection".to_owned()))).await.unwrap();
        assert!(browser.get(&world, "/check-mail").await.text.contains(told));
        world.clock.advance(Duration::from_mins(1));
        world.deliver().await;
        assert!(!browser.get(&world, "/check-mail").await.text.contains(told));
    }

    // S4: an attacker's browser has proofs as well, for other sign-ups.
    async fn the_proof_of_another_sign_up_does_not_help(world: World) {
        let mut eve = Browser::default();
        eve.fills(&world, "/signup", &format!("email=eve@example.org&password={PASSWORD}")).await;
        let mail = world.signs_up(ADA).await;
        let path = mail.link.unwrap().split_once("example.org").unwrap().1.to_owned();
        let page = eve.get(&world, &path).await;
        assert!(page.text.contains("type=\"password\""), "{}", page.text);
        let token = path.split_once("token=").unwrap().1;
        assert_eq!(eve.submit(&world, "/confirm", &format!("token={token}")).await.status, 422);
        assert!(!eve.cookies.contains_key(SESSION));
    }

    async fn the_waiting_browser_goes_on_once_after_another_confirmed(world: World) {
        let (mut browser, mail) = waits(&world).await;
        assert_eq!(browser.get(&world, "/check-mail/state").await.json()["state"], "open");
        browser.get(&world, "/check-mail").await;
        let early = browser.submit(&world, "/check-mail/continue", "").await;
        assert_eq!(early.leads_to(), "/check-mail?said=waiting");
        assert!(browser.get(&world, "/check-mail?said=waiting").await.text.contains("Not confirmed yet"));
        assert_eq!(world.sends_code(ADA, PASSWORD, &mail.code.unwrap()).await.status, 200);
        assert_eq!(browser.get(&world, "/check-mail/state").await.json()["state"], "confirmed");
        // Looking does not sign in.
        assert!(browser.get(&world, "/check-mail").await.cookie(SESSION).is_none());
        let proof = browser.cookies["__Host-vestibule_signup"].clone();
        assert_eq!(browser.submit(&world, "/check-mail/continue", "").await.leads_to(), "/account");
        let mut copy = Browser::default();
        copy.cookies.insert("__Host-vestibule_signup".to_owned(), proof);
        copy.get(&world, "/check-mail").await;
        let again = copy.submit(&world, "/check-mail/continue", "").await;
        assert_eq!(again.leads_to(), "/login?said=active", "once");
        assert!(!copy.cookies.contains_key(SESSION));
    }

    async fn who_did_not_sign_up_is_sent_to_sign_up(world: World) {
        let mut browser = Browser::default();
        for path in ["/check-mail", "/check-mail/state"] {
            assert_eq!(browser.get(&world, path).await.leads_to(), "/signup");
        }
        browser.get(&world, "/login").await;
        for proof in ["x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            browser.cookies.insert("__Host-vestibule_signup".to_owned(), proof.to_owned());
            assert!(browser.get(&world, "/check-mail").await.text.contains("has ended"));
            assert_eq!(browser.submit(&world, "/check-mail", "code=0000").await.status, 410);
            assert_eq!(browser.submit(&world, "/check-mail/continue", "").await.leads_to(), "/check-mail?said=waiting");
        }
    }

    async fn another_mail_is_sent_after_its_wait(world: World) {
        let (mut browser, _) = waits(&world).await;
        assert_eq!(browser.submit(&world, "/check-mail/resend", "").await.leads_to(), "/check-mail?said=soon");
        assert_eq!(world.mails("confirm", ADA).await, 1);
        world.clock.advance(Duration::from_mins(1));
        assert_eq!(browser.submit(&world, "/check-mail/resend", "").await.leads_to(), "/check-mail?said=sent");
        assert_eq!(world.mails("confirm", ADA).await, 2);
        assert!(browser.get(&world, "/check-mail").await.text.contains("data-countdown=\"120\""));
    }

    // L1: signed up by the API, or in another browser. Only the right password leads to the page with the field.
    async fn the_right_password_leads_to_where_the_code_is_entered(world: World) {
        let code = world.signs_up(ADA).await.code.unwrap();
        let mut eve = Browser::default();
        let told = |text: &str| text.contains("That email or password isn’t right") && !text.contains("confirmed") && !text.contains("/confirm/resend");
        for login in [ADA, "nobody@example.org"] {
            let page = eve.fills(&world, "/login", &format!("login={login}&password=not-the-password-9")).await;
            assert!(page.status == 422 && told(&page.text), "{} {}", page.status, page.text);
            assert_eq!(eve.cookies.keys().collect::<Vec<_>>(), ["__Host-vestibule_form"]);
        }
        let mut ada = Browser::default();
        let answer = ada.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}&return_to=/docs/errors")).await;
        assert_eq!(answer.leads_to(), "/check-mail?said=unconfirmed");
        assert!(answer.cookie("__Host-vestibule_signup").unwrap().contains("; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"));
        assert!(!ada.cookies.contains_key(SESSION));
        let page = ada.get(&world, "/check-mail?said=unconfirmed").await;
        assert!(page.text.contains("Your email isn’t confirmed yet") && page.text.contains("id=\"code\""), "{}", page.text);
        // Signing in once more on the way does not lose the destination.
        assert_eq!(ada.fills(&world, "/login", &format!("login={ADA}&password={PASSWORD}")).await.status, 303);
        ada.get(&world, "/check-mail").await;
        assert_eq!(ada.submit(&world, "/check-mail", &format!("code={code}")).await.leads_to(), "/docs/errors");
        assert!(ada.cookies.contains_key(SESSION));
    }

    // S3, S7: the page that sends another mail knows only the address that this browser waits for.
    async fn another_mail_leads_to_where_the_code_is_entered(world: World) {
        let (mut waiting, _) = waits(&world).await;
        world.clock.advance(Duration::from_mins(1));
        let form = format!("email={ADA}");
        assert_eq!(waiting.submit(&world, "/confirm/resend", &form).await.leads_to(), "/check-mail?said=sent");
        assert_eq!(waiting.submit(&world, "/confirm/resend", &form).await.leads_to(), "/check-mail?said=soon");
        let mut pages = Vec::new();
        for email in [ADA, "nobody@example.org"] {
            let mut other = Browser::default();
            other.get(&world, "/confirm?token=x").await;
            let page = other.submit(&world, "/confirm/resend", &format!("email={email}")).await;
            assert!(page.status == 200 && page.text.contains("action=\"/login\"") && page.text.contains("type=\"password\""), "{}", page.text);
            pages.push(page.text.replace(email, "").replace(&other.form_token, ""));
            let next = other.submit(&world, "/login", &format!("login={email}&password={PASSWORD}")).await;
            assert_eq!(next.status, if email == ADA { 303 } else { 422 });
        }
        assert_eq!(pages[0], pages[1]);
    }
}
