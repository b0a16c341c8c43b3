use crate::on_both_stores;
use crate::world::*;
use std::sync::Mutex;
use vestibule::{Mail, MailTransport, SendError};

/// A transport that cannot deliver to one address.
struct Poisoned<'w> {
    mailbox: &'w Mailbox,
    poison: &'static str,
    attempts: Mutex<Vec<String>>,
}

impl MailTransport for Poisoned<'_> {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        self.attempts.lock().unwrap().push(mail.id.to_string());
        if mail.to.as_str() == self.poison {
            return Err(SendError::Temporary("451 try later".into()));
        }
        self.mailbox.send(mail).await
    }
}

on_both_stores! {
    // M7: one message that cannot be delivered does not hold up the others, and keeps its id.
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

    // M7: a worker that dies after taking a message, or after handing it over, loses nothing; the repetition is the same
    // message with the same link and code.
    async fn a_message_of_a_dead_worker_comes_back(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let dying = Dying { mailbox: world.mailbox.clone(), handed_over: tokio::sync::Notify::new() };
        tokio::select! {
            step = world.accounts.deliver(&dying) => panic!("the worker came back: {step:?}"),
            () = dying.handed_over.notified() => {} // and is gone, before it can say so
        }
        let first = world.letter_to("ada@example.org");
        world.advance(seconds(89));
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

    // Two workers on two instances hand over each message once.
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

    // T8: what nobody needs any more is not sent.
    async fn a_message_whose_cause_is_gone_is_dropped(world: &World) {
        world.mailbox.fails(SendError::Temporary("down".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        world.mailbox.works_again();
        world.advance(hours(24));
        let step = world.accounts.deliver(&world.mailbox).await.unwrap();
        assert_eq!((step.sent, step.dropped), (0, 1));
    }

    async fn the_worker_is_woken_by_a_sign_up(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        world.accounts.mail_queued().await;
        world.deliver().await;
        world.letter_to("ada@example.org");
    }
}

/// Hands the message over and never comes back to say so.
struct Dying {
    mailbox: Mailbox,
    handed_over: tokio::sync::Notify,
}

impl MailTransport for Dying {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        self.mailbox.send(mail).await?;
        self.handed_over.notify_one();
        std::future::pending().await
    }
}
