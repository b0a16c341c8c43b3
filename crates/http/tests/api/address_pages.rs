use std::time::Duration;

use vestibule::Client;

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, World};

on_both_stores! {
    async fn the_forgot_page_answers_alike_for_everybody(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let page = browser.get(&world, "/forgot").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("<form method=\"post\" action=\"/forgot\""), "{}", page.text);
        assert!(page.text.contains("type=\"email\""));
        let known = browser.submit(&world, "/forgot", "email=ada%40example.org").await;
        let unknown = browser.submit(&world, "/forgot", "email=nobody%40example.org").await;
        assert_eq!((known.status, &known.text), (200, &unknown.text));
        assert!(known.text.contains("If there’s an account"), "{}", known.text);
        assert_eq!(world.mails("password_reset", ADA).await, 1);
        assert_eq!(world.mails("password_reset", "nobody@example.org").await, 0);
    }

    async fn a_bad_address_is_shown_again_and_escaped(world: World) {
        let mut browser = Browser::default();
        browser.get(&world, "/forgot").await;
        for path in ["/forgot", "/confirm/resend"] {
            let page = browser.submit(&world, path, "email=%22%3E%3Cscript%3E").await;
            assert_eq!(page.status, 422);
            assert!(page.text.contains("That’s not an email address") && page.text.contains("<title>Error: "));
            assert!(page.text.contains("&gt;&lt;script&gt;") && !page.text.contains("<script>"), "{}", page.text);
            assert_eq!(browser.submit(&world, path, "").await.status, 422);
            let twice = browser.submit(&world, path, "email=a&email=b").await;
            assert_eq!(twice.problem(), (400, "invalid_request".to_owned()));
        }
    }

    async fn an_expired_link_offers_another_mail_in_place(world: World) {
        let link = world.signs_up(ADA).await.link.unwrap();
        let path = link.strip_prefix("https://accounts.example.org").unwrap();
        world.clock.advance(Duration::from_mins(2));
        for path in ["/confirm?token=x", path] {
            let offered = world.get(path).await.text.contains("action=\"/confirm/resend\"");
            assert_eq!(offered, path == "/confirm?token=x", "{path}");
        }
        let mut browser = Browser::default();
        browser.get(&world, "/forgot").await;
        let known = browser.submit(&world, "/confirm/resend", "email=ada%40example.org").await;
        let unknown = browser.submit(&world, "/confirm/resend", "email=nobody%40example.org").await;
        let unknown = unknown.text.replace("nobody@example.org", ADA);
        assert_eq!((known.status, &known.text), (200, &unknown));
        assert_eq!(world.mails("confirm", ADA).await, 2);
        world.clock.advance(Duration::from_hours(24));
        let page = world.get(path).await;
        assert!(page.text.contains("no longer works"), "{}", page.text);
        assert!(page.text.contains("action=\"/confirm/resend\""), "{}", page.text);
        let posted = browser.submit(&world, "/confirm", "token=x&password=whatever").await;
        assert!(posted.status == 410 && posted.text.contains("action=\"/confirm/resend\""), "{}", posted.text);
    }

    // L6, S3: a client that requests too many mails is informed on the page, whatever the address.
    async fn who_asks_for_too_many_mails_is_told_when_to_come_back(world: World) {
        world.has_account(ADA).await;
        let mut browser = Browser { ip: Some("203.0.113.9"), ..Browser::default() };
        browser.fills(&world, "/signup", "email=bob%40example.org&password=violet-otter-maps-42").await;
        let client = Client { ip: Some("203.0.113.9".parse().unwrap()), ..Client::default() };
        for _ in 0..99 {
            world.accounts.resend(&"nobody@example.org".parse().unwrap(), &client).await.unwrap();
        }
        for (page, action, email) in [
            ("/forgot", "/forgot", "email=ada%40example.org"),
            ("/forgot", "/forgot", "email=nobody%40example.org"),
            ("/forgot", "/confirm/resend", "email=bob%40example.org"),
            ("/check-mail", "/check-mail/resend", ""),
            ("/signup", "/signup", "email=eve%40example.org&password=violet-otter-maps-42"),
        ] {
            let answer = {
                browser.get(&world, page).await;
                browser.submit(&world, action, email).await
            };
            assert_eq!((answer.status, answer.header("retry-after")), (429, "3600"), "{action}");
            assert!(answer.text.contains("Too many attempts. Try again in 60 minutes"), "{}", answer.text);
            assert!(answer.text.contains(&format!("action=\"{action}\"")), "{}", answer.text);
        }
        assert_eq!(world.mails("password_reset", ADA).await, 0);
        world.clock.advance(Duration::from_hours(1));
        assert_eq!(browser.fills(&world, "/forgot", "email=ada%40example.org").await.status, 200);
        assert_eq!(world.mails("password_reset", ADA).await, 1);
    }
}
