use crate::on_both_stores;
use crate::world::{ADA, World, without_mailbox};

on_both_stores! {
    async fn the_mailbox_shows_what_was_sent(world: World) {
        assert!(world.get("/dev/mail").await.text.contains("No email yet"));
        let mail = world.signs_up(ADA).await;
        let answer = world.get("/dev/mail/latest?to=ada%40example.org&wait=5").await;
        assert_eq!(answer.status, 200);
        let latest = answer.json();
        assert_eq!(latest["code"].as_str(), mail.code.as_deref());
        assert_eq!(latest["link"].as_str(), mail.link.as_deref());
        assert!(latest["subject"].is_string() && latest["text"].is_string());
        let list = world.get("/dev/mail").await.text;
        assert!(list.contains(ADA) && list.contains(&mail.code.unwrap()), "{list}");
    }

    async fn a_question_for_no_mail_is_answered(world: World) {
        for (query, status) in [
            ("to=nobody@example.org", 404), ("to=nobody@example.org&wait=1s", 404), ("", 400), ("wait=1", 400),
            ("to=a&wait=31", 400), ("to=a&wait=x", 400), ("to=a&to=b", 400),
        ] {
            assert_eq!(world.get(&format!("/dev/mail/latest?{query}")).await.problem().0, status, "{query}");
        }
    }

    async fn there_is_no_mailbox_in_production(world: World) {
        let mut world = world;
        world.router_with(without_mailbox());
        for path in ["/dev/mail", "/dev/mail/latest?to=a"] {
            assert_eq!(world.get(path).await.problem(), (404, "not_found".to_owned()));
        }
    }
}
