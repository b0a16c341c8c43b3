use std::time::Duration;

use crate::on_both_stores;
use crate::world::{ADA, World};

on_both_stores! {
    async fn the_forgot_page_answers_alike_for_everybody(world: World) {
        world.has_account(ADA).await;
        let page = world.get("/forgot").await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("<form method=\"post\" action=\"/forgot\""), "{}", page.text);
        assert!(page.text.contains("type=\"email\"") && !page.text.contains("<script"));
        let known = world.post_form("/forgot", "email=ada%40example.org").await;
        let unknown = world.post_form("/forgot", "email=nobody%40example.org").await;
        assert_eq!((known.status, &known.text), (200, &unknown.text));
        assert!(known.text.contains("If there is an account"), "{}", known.text);
        assert_eq!(world.mails("password_reset", ADA).await, 1);
        assert_eq!(world.mails("password_reset", "nobody@example.org").await, 0);
    }

    async fn a_bad_address_is_shown_again_and_escaped(world: World) {
        for path in ["/forgot", "/confirm/resend"] {
            let page = world.post_form(path, "email=%22%3E%3Cscript%3E").await;
            assert_eq!(page.status, 422);
            assert!(page.text.contains("Not an e-mail address") && page.text.contains("<title>Error: "));
            assert!(page.text.contains("&gt;&lt;script&gt;") && !page.text.contains("<script>"), "{}", page.text);
            assert_eq!(world.post_form(path, "").await.status, 422);
            let twice = world.post_form(path, "email=a&email=b").await;
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
        let known = world.post_form("/confirm/resend", "email=ada%40example.org").await;
        let unknown = world.post_form("/confirm/resend", "email=nobody%40example.org").await;
        assert_eq!((known.status, &known.text), (200, &unknown.text));
        assert_eq!(world.mails("confirm", ADA).await, 2);
        world.clock.advance(Duration::from_hours(24));
        let page = world.get(path).await;
        assert!(page.text.contains("does not work any more"), "{}", page.text);
        assert!(page.text.contains("action=\"/confirm/resend\""), "{}", page.text);
        let posted = world.post_form("/confirm", "token=x&password=whatever").await;
        assert!(posted.status == 410 && posted.text.contains("action=\"/confirm/resend\""), "{}", posted.text);
    }
}
