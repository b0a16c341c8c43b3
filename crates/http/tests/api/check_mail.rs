use std::time::Duration;

use serde_json::json;
use vestibule::SendError;
use vestibule_http::DevMailbox as _;

use crate::admin_overview_page::Failing;
use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

const SESSION: &str = "__Host-vestibule_session";

/// A browser that waits, and what was mailed.
async fn waits(world: &World) -> (Browser, vestibule_http::DevMail) {
    let mut browser = Browser::default();
    browser.fills(world, "/signup", &format!("email={ADA}&password={PASSWORD}")).await;
    world.deliver().await;
    browser.get(world, "/check-mail").await;
    (browser, world.mailbox.list().remove(0))
}

on_both_stores! {
    async fn the_code_signs_the_browser_in(world: World) {
        let (mut browser, mail) = waits(&world).await;
        let code = mail.code.unwrap();
        let wrong = browser.submit(&world, "/check-mail", &format!("code={:04}", (code.parse::<u32>().unwrap() + 1) % 10_000)).await;
        assert_eq!(wrong.status, 422);
        assert!(wrong.text.contains("The code is wrong. Attempts left: 2") && wrong.text.contains("href=\"#code\""));
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

    // S4: the browser that signed up, and only that one, confirms its link without the password.
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
        let gmail = "target=\"_blank\" rel=\"noopener noreferrer\">Open Gmail</a>";
        let in_development = page(&world, "ada@gmail.com").await;
        assert!(in_development.contains("href=\"/dev/mail\"") && !in_development.contains(gmail));
        let mut world = world;
        world.router_with(vestibule_http::HttpOptions::default());
        let in_production = page(&world, "bob@GMAIL.com").await;
        assert!(in_production.contains(gmail) && !in_production.contains("/dev/mail"), "{in_production}");
        assert!(!page(&world, "bob@example.org").await.contains("_blank"));
    }

    // The same for everybody, whether the address is free or taken (S3).
    async fn an_outage_of_mail_is_told(world: World) {
        let (mut browser, _) = waits(&world).await;
        let told = "Mail is delayed at the moment";
        assert!(!browser.get(&world, "/check-mail").await.text.contains(told));
        world.post("/v1/signup", json!({"email": "bob@example.org", "password": PASSWORD})).await;
        world.accounts.deliver(&Failing(SendError::Temporary("no connection".to_owned()))).await.unwrap();
        assert!(browser.get(&world, "/check-mail").await.text.contains(told));
        world.clock.advance(Duration::from_mins(1));
        world.deliver().await;
        assert!(!browser.get(&world, "/check-mail").await.text.contains(told));
    }

    // S4: an attacker's browser has proofs, too, for other sign-ups.
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
        // Looking signs nobody in.
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
}
