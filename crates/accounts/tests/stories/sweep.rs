use crate::on_both_stores;
use crate::world::*;

on_both_stores! {
    // What expired is forgotten; what lives stays.
    async fn the_sweeper_forgets_what_is_over(world: &World) {
        world.has_account("ada@example.org").await;
        world.signs_up("bob@example.org").await;
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(world.accounts.sweep().await.unwrap(), 0);
        world.advance(hours(24));
        // Two sign-ups: the one that became a user, and the one that did not.
        assert_eq!(world.accounts.sweep().await.unwrap(), 2);
        world.advance(hours(30 * 24));
        // Three mails, the session; requests, codes and hand-overs of two addresses, and the subjects they were counted for.
        assert!(world.accounts.sweep().await.unwrap() >= 3 + 1 + 6);
        assert_eq!(world.accounts.sweep().await.unwrap(), 0);
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    async fn health_counts_mail_and_names_its_cause(world: &World) {
        let health = world.accounts.health().await.unwrap();
        assert_eq!((health.mails_waiting, health.mails_failed, health.last_mail_error), (0, 0, None));
        let start = world.clock.now();
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let health = world.accounts.health().await.unwrap();
        assert_eq!((health.mails_waiting, health.oldest_mail_at), (1, Some(start)));
        world.deliver().await;
        world.letter_to("ada@example.org");
    }
}
