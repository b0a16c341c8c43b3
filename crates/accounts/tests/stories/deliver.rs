use crate::on_both_stores;
use crate::world::{self, *};
use std::sync::Mutex;
use vestibule::{Actor, Mail, MailQuery, MailState, MailTransport, SendAttempt, SendError, StatsPeriod};

/// A transport that cannot deliver to one address.
struct Poisoned<'w> {
    mailbox: &'w Mailbox,
    poison: &'static str,
    attempts: Mutex<Vec<String>>,
}

impl MailTransport for Poisoned<'_> {
    async fn send(&self, mail: &Mail, attempt: &SendAttempt) -> Result<(), SendError> {
        self.attempts.lock().unwrap().push(mail.id.to_string());
        if mail.to.as_str() == self.poison {
            return Err(SendError::Temporary("451 try later".into()));
        }
        self.mailbox.send(mail, attempt).await
    }
}

on_both_stores! {
    // M7: one message that cannot be delivered does not delay the others, and keeps its id.
    async fn a_poisoned_message_blocks_nobody(world: &World) {
        let transport = Poisoned { mailbox: &world.mailbox, poison: "bad@example.org", attempts: Mutex::default() };
        world.accounts.sign_up(wish("bad@example.org", PASSWORD), &client()).await.unwrap();
        for number in 0..20 {
            world.accounts.sign_up(wish(&format!("good-{number}@example.org"), PASSWORD), &client()).await.unwrap();
        }
        let first = world.accounts.deliver(&transport).await.unwrap();
        assert_eq!((first.sent, first.delayed), (15, 1));
        let second = world.accounts.deliver(&transport).await.unwrap();
        assert_eq!((second.sent, second.delayed), (5, 0));
        for number in 0..20 {
            world.letter_to(&format!("good-{number}@example.org"));
        }
        // It is tried again after 30 s, 60 s, 120 s …, plus at most a quarter, and given up before a day is over.
        let mut waits = Vec::new();
        let mut step = second;
        while let Some(due) = step.next_due {
            waits.push(due.since(world.clock.now()).as_secs());
            world.advance(due.since(world.clock.now()));
            step = world.accounts.deliver(&transport).await.unwrap();
        }
        for (wait, base) in waits.iter().zip([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
            assert!((base..=base * 5 / 4).contains(wait), "{waits:?}");
        }
        assert_eq!((step.failed, step.delayed), (1, 0));
        assert!((20..40).contains(&waits.len()), "{waits:?}");
        assert_eq!(world.accounts.health().await.unwrap().mails_failed, 1);
    }

    // M7: a worker that dies after leasing a message, or after sending it, loses nothing; the repetition is the same
    // message with the same link and code.
    async fn a_message_of_a_dead_worker_comes_back(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let dying = Dying { mailbox: world.mailbox.clone(), handed_over: tokio::sync::Notify::new() };
        tokio::select! {
            step = world.accounts.deliver(&dying) => panic!("the worker came back: {step:?}"),
            () = dying.handed_over.notified() => {} // dies before it can record it
        }
        let first = world.letter_to("ada@example.org");
        world.advance(seconds(14));
        world.deliver().await;
        assert!(world.take_mails_to("ada@example.org").is_empty(), "the lease still holds");
        world.advance(seconds(1));
        world.deliver().await;
        let second = world.letter_to("ada@example.org");
        assert_eq!(first.mail.id, second.mail.id);
        assert_eq!((first.token(), first.code()), (second.token(), second.code()));
        world.confirms("ada@example.org", PASSWORD, &second.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // Two workers on two instances send each message once.
    async fn workers_side_by_side_do_not_double_messages(world: &World) {
        for number in 0..24 {
            world.accounts.sign_up(wish(&format!("p{number}@example.org"), PASSWORD), &client()).await.unwrap();
        }
        let other = world.another_instance().await;
        let steps = (0..8).map(|n| if n % 2 == 0 { &world.accounts } else { &other }.deliver(&world.mailbox));
        let sent: usize = futures_util::future::join_all(steps).await.into_iter().map(|step| step.unwrap().sent).sum();
        assert_eq!(sent, 24);
        for number in 0..24 {
            world.letter_to(&format!("p{number}@example.org"));
        }
    }

    // An error for the operator to fix loses no mail, and is logged as an error until a mail gets through.
    async fn who_is_refused_by_the_relay_tries_again(world: &World) {
        world.mailbox.fails(SendError::Refused("552 daily quota exceeded".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        let health = world.accounts.health().await.unwrap();
        let cause = "refused until somebody acts: 552 daily quota exceeded";
        assert_eq!((health.mails_waiting, health.mails_failed, health.last_mail_error.as_deref()), (1, 0, Some(cause)));
        let stats = world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap();
        assert_eq!(stats.waiting_error.as_deref(), Some("552 daily quota exceeded"));
        world.advance(hours(22));
        world.deliver().await;
        assert_eq!(world.accounts.health().await.unwrap().mails_waiting, 1, "tried for a day");
        world.mailbox.works_again();
        world.advance(seconds(75 * 60));
        world.deliver().await;
        world.letter_to("ada@example.org");
        assert_eq!(world.accounts.health().await.unwrap().last_mail_error, None);
    }

    // A mail that cannot be delivered says nothing about others: it neither causes nor hides an outage.
    async fn an_outage_is_told_by_what_meets_every_mail(world: &World) {
        let fails = async |error: SendError, email: &str| {
            world.mailbox.fails(error);
            world.signs_up_with(email, PASSWORD).await.unwrap();
            world.accounts.health().await.unwrap().last_mail_error
        };
        let unknown = || SendError::Permanent("550 unknown".into());
        let deferred = || SendError::Deferred("450 greylisted".into());
        assert_eq!(fails(unknown(), "one@example.org").await, None);
        assert_eq!(fails(deferred(), "two@example.org").await, None);
        for error in [
            SendError::Temporary("connection refused".into()),
            SendError::Throttled { cause: "429".into(), retry_after: seconds(1) },
            SendError::Refused("535".into()),
            SendError::Uncertain("no answer".into()),
        ] {
            // The requested pause is over.
            world.advance(seconds(1));
            let said = Some(error.to_string());
            assert_eq!(fails(error, "three@example.org").await, said);
            world.advance(seconds(1));
            assert_eq!(fails(unknown(), "four@example.org").await, said, "one bad address hides nothing");
            assert_eq!(fails(deferred(), "five@example.org").await, said);
            assert!(world.accounts.is_mail_down());
        }
        // A failure that was not repeated for long is out of date.
        for mail in world.accounts.list_mail(Actor::Operator, &MailQuery::default()).await.unwrap().items {
            world.accounts.drop_mail(Actor::Operator, mail.id).await.unwrap();
        }
        world.advance(hours(2));
        assert_eq!(world.accounts.health().await.unwrap().last_mail_error, None);
    }

    // RFC 9110 §10.2.3: a requested pause applies to every mail.
    async fn a_pause_that_is_asked_for_is_kept(world: &World) {
        let asked = |seconds| SendError::Throttled { cause: "429".into(), retry_after: world::seconds(seconds) };
        world.mailbox.fails(asked(600));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        world.advance(seconds(599));
        world.signs_up_with("bob@example.org", PASSWORD).await.unwrap();
        assert!(world.take_mails_to("bob@example.org").is_empty());
        assert_eq!(world.accounts.next_mail_due().await.unwrap(), Some(world.clock.now() + seconds(1)));
        world.advance(seconds(1));
        world.deliver().await;
        world.letter_to("ada@example.org");
        world.letter_to("bob@example.org");
        // The wait of a message may be longer than the general pause, but never too long for the message.
        world.mailbox.fails(asked(30 * 3600));
        world.signs_up_with("eve@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        world.advance(hours(1));
        world.signs_up("dan@example.org").await;
        world.advance(hours(22) + seconds(3570));
        world.deliver().await;
        world.letter_to("eve@example.org");
        // An operator who knows better need not wait.
        world.mailbox.fails(asked(600));
        world.signs_up_with("joe@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        let query = MailQuery { state: Some(MailState::Waiting), ..MailQuery::default() };
        let waits = world.accounts.list_mail(Actor::Operator, &query).await.unwrap().items.remove(0);
        world.accounts.retry_mail(Actor::Operator, waits.id).await.unwrap();
        world.deliver().await;
        world.letter_to("joe@example.org");
    }

    // After an outage no message waits for the end of its pause.
    async fn the_first_mail_that_gets_through_takes_the_others_along(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        for number in 0..5 {
            world.accounts.sign_up(wish(&format!("p{number}@example.org"), PASSWORD), &client()).await.unwrap();
        }
        for _ in 0..8 {
            world.deliver().await;
            world.advance(seconds(75 * 60));
        }
        world.deliver().await;
        let due = world.accounts.next_mail_due().await.unwrap().unwrap().since(world.clock.now());
        assert!(due > seconds(1800), "{due:?}");
        world.mailbox.works_again();
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        world.letter_to("ada@example.org");
        for number in 0..5 {
            world.letter_to(&format!("p{number}@example.org"));
        }
    }

    // T8: what is no longer needed is not sent.
    async fn a_message_whose_cause_is_gone_is_dropped(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        world.advance(hours(24));
        let step = world.accounts.deliver(&world.mailbox).await.unwrap();
        assert_eq!((step.sent, step.dropped), (0, 1));
    }

    // During an update two versions of the program run side by side.
    async fn a_message_of_a_newer_program_waits_for_it(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        world.sql("UPDATE outbox SET kind = 'by_carrier_pigeon'");
        world.advance(seconds(60));
        let step = world.accounts.deliver(&world.mailbox).await.unwrap();
        assert_eq!((step.sent, step.dropped, step.delayed), (0, 0, 1));
        world.sql("UPDATE outbox SET kind = 'confirm'");
        world.advance(seconds(120));
        world.deliver().await;
        world.letter_to("ada@example.org");
    }

    async fn the_worker_is_woken_by_a_sign_up(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        world.accounts.mail_queued().await;
        world.deliver().await;
        world.letter_to("ada@example.org");
    }
}

/// Sends the message and dies before recording it.
struct Dying {
    mailbox: Mailbox,
    handed_over: tokio::sync::Notify,
}

impl MailTransport for Dying {
    async fn send(&self, mail: &Mail, attempt: &SendAttempt) -> Result<(), SendError> {
        self.mailbox.send(mail, attempt).await?;
        self.handed_over.notify_one();
        std::future::pending().await
    }
}
