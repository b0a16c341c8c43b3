use crate::on_both_stores;
use crate::world::*;
use std::time::Duration;
use vestibule::SendError;

on_both_stores! {
    // S7, C4: not before the minute of the code is over; the link stays, the code changes.
    async fn a_further_mail_comes_after_a_minute(world: &World) {
        let first = world.signs_up("ada@example.org").await;
        world.advance(seconds(60).checked_sub(Duration::from_millis(1)).unwrap());
        world.asks_again("ada@example.org").await;
        assert!(world.take_mails_to("ada@example.org").is_empty());
        world.advance(Duration::from_millis(1));
        world.asks_again("ada@example.org").await;
        let second = world.letter_to("ada@example.org");
        assert_eq!(first.token(), second.token());
        assert_ne!(first.mail.id, second.mail.id);
        if first.code() != second.code() {
            let old = world.confirms("ada@example.org", PASSWORD, &first.code()).await;
            assert_eq!(refusal(old), "CodeInvalid { attempts_left: 2 }");
        }
        world.confirms("ada@example.org", PASSWORD, &second.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // C4: the waits grow to 2, 4, 8 and 15 minutes.
    async fn each_further_mail_waits_longer(world: &World) {
        world.signs_up("ada@example.org").await;
        for minutes in [1, 2, 4, 8, 15, 15] {
            world.advance(seconds(minutes * 60 - 1));
            world.asks_again("ada@example.org").await;
            assert!(world.take_mails_to("ada@example.org").is_empty(), "{minutes} minutes");
            world.advance(seconds(1));
            world.asks_again("ada@example.org").await;
            assert_eq!(world.take_mails_to("ada@example.org").len(), 1, "{minutes} minutes");
        }
    }

    // C4: five codes a day; the sixth mail carries the link only.
    async fn the_sixth_mail_of_a_day_carries_no_code(world: &World) {
        let mut letter = world.signs_up("ada@example.org").await;
        for _ in 0..4 {
            assert!(letter.has_code());
            world.advance(hours(1));
            world.asks_again("ada@example.org").await;
            letter = world.letter_to("ada@example.org");
        }
        assert!(letter.has_code());
        world.advance(hours(1));
        world.asks_again("ada@example.org").await;
        let sixth = world.letter_to("ada@example.org");
        assert!(!sixth.has_code());
        // A new sign-up does not change that.
        world.signs_up_with("ada@example.org", OTHER_PASSWORD).await.unwrap();
        assert!(!world.letter_to("ada@example.org").has_code());
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, "0000").await), "CodeExpired");
        world.clicks(&sixth.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // S7: an address without a sign-up, or with an account since before yesterday, gets the same answer and no mail.
    async fn asking_for_nothing_changes_nothing(world: &World) {
        world.asks_again("nobody@example.org").await;
        assert!(world.take_mails_to("nobody@example.org").is_empty());
        world.has_account("ada@example.org").await;
        world.advance(hours(24));
        world.asks_again("ada@example.org").await;
        assert!(world.take_mails_to("ada@example.org").is_empty());
    }

    // A user who has confirmed and asks again is informed, once a day. It counts like the request of an open sign-up
    // (S3).
    async fn who_has_confirmed_is_told_so(world: &World) {
        world.has_account("ada@example.org").await;
        world.asks_again("ada@example.org").await;
        assert!(world.take_mails_to("ada@example.org").is_empty(), "within a minute of the mail before");
        world.advance(seconds(60));
        world.asks_again("ada@example.org").await;
        assert_eq!(world.kinds_to("ada@example.org"), ["already_registered"]);
        world.advance(hours(1));
        world.asks_again("ada@example.org").await;
        assert!(world.take_mails_to("ada@example.org").is_empty());
    }

    // T8: a mail that waited while its sign-up was confirmed by an earlier one is not sent.
    async fn nobody_is_mailed_what_is_done(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        world.mailbox.fails(SendError::Temporary("busy".into()));
        world.signs_up_with("ada@example.org", OTHER_PASSWORD).await.unwrap();
        world.advance(seconds(1));
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        world.mailbox.works_again();
        // A pretended mail may go before the first mail that gets through, and is then tried once more.
        for _ in 0..2 {
            world.advance(hours(1));
            world.deliver().await;
        }
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // A mail that is still on its way comes first; asking again does not add another.
    async fn a_mail_on_its_way_is_not_doubled(world: &World) {
        world.mailbox.fails(SendError::Temporary("busy".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        world.advance(seconds(600));
        world.accounts.resend(&address("ada@example.org"), &client()).await.unwrap();
        world.mailbox.works_again();
        world.deliver().await;
        world.letter_to("ada@example.org");
    }

    // A dead letter does not block: another mail can be requested.
    async fn a_dead_letter_can_be_followed_by_another_mail(world: &World) {
        world.mailbox.fails(SendError::Permanent("no such domain".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(world.accounts.health().await.unwrap().mails_failed, 1);
        world.mailbox.works_again();
        world.asks_again("ada@example.org").await;
        world.letter_to("ada@example.org");
    }

    async fn twenty_requests_at_once_cause_one_mail(world: &World) {
        world.signs_up("ada@example.org").await;
        world.advance(seconds(60));
        let other = world.another_instance().await;
        let email = address("ada@example.org");
        let from = client();
        let requests = (0..20).map(|n| if n % 2 == 0 { &world.accounts } else { &other }.resend(&email, &from));
        for answer in futures_util::future::join_all(requests).await {
            answer.unwrap();
        }
        world.deliver().await;
        world.letter_to("ada@example.org");
    }
}
