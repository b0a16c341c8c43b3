//! A relay that may have a message before it answers: slow, or silent for good.

use crate::on_both_stores;
use crate::webhooks::creates;
use crate::world::*;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use vestibule::{Actor, Mail, MailQuery, MailState, MailTransport, QueuedMail, SendAttempt, SendError};

/// A relay that passes each message on immediately, and answers when told to.
struct Slow {
    mailbox: Mailbox,
    passed_on: tokio::sync::Notify,
    answer: mpsc::UnboundedSender<Result<(), SendError>>,
    answers: Mutex<mpsc::UnboundedReceiver<Result<(), SendError>>>,
}

impl Slow {
    fn new(world: &World) -> Self {
        let (answer, answers) = mpsc::unbounded_channel();
        let (mailbox, answers) = (world.mailbox.clone(), Mutex::new(answers));
        Self { mailbox, passed_on: tokio::sync::Notify::new(), answer, answers }
    }
}

impl MailTransport for Slow {
    async fn send(&self, mail: &Mail, attempt: &SendAttempt) -> Result<(), SendError> {
        attempt.leaves().await?;
        self.mailbox.put(mail);
        self.passed_on.notify_one();
        self.answers.lock().await.recv().await.unwrap()
    }
}

async fn waiting(world: &World) -> Vec<QueuedMail> {
    let query = MailQuery { state: Some(MailState::Waiting), ..MailQuery::default() };
    world.accounts.list_mail(Actor::Operator, &query).await.unwrap().items
}

/// Advances the clock in steps, so that the worker keeps up with it.
async fn passes(world: &World, length: Duration) {
    let end = world.clock.now() + length;
    while world.clock.now() < end {
        world.advance(seconds(5));
        let kept = world.clock.now() + seconds(10);
        while waiting(world).await.iter().any(|mail| mail.due_at < Some(kept)) {
            tokio::task::yield_now().await;
        }
    }
}

on_both_stores! {
    // C1: the code of a delivered mail works even before the relay has answered.
    async fn a_code_works_while_the_relay_is_slow(world: &World) {
        for (email, length) in [("ada@example.org", 35), ("bob@example.org", 540)] {
            world.accounts.sign_up(wish(email, PASSWORD), &client()).await.unwrap();
            let slow = Slow::new(world);
            let person = async {
                slow.passed_on.notified().await;
                let letter = world.letter_to(email);
                passes(world, seconds(length)).await;
                assert!(world.accounts.due_mail(16).await.unwrap().is_empty(), "nobody else takes it meanwhile");
                confirm(&world.accounts, email, PASSWORD, &letter.code()).await.unwrap();
                slow.answer.send(Ok(())).unwrap();
                slow.answer.send(Ok(())).unwrap();
            };
            let (step, ()) = tokio::join!(world.accounts.deliver(&slow), person);
            assert_eq!(step.unwrap().sent, 1);
            world.accounts.deliver(&slow).await.unwrap();
            assert_eq!(world.kinds_to(email), ["welcome"]);
        }
    }

    async fn the_minute_of_a_slow_relay_ends(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let slow = Slow::new(world);
        let answers = async {
            slow.passed_on.notified().await;
            passes(world, seconds(35)).await;
            slow.answer.send(Ok(())).unwrap();
        };
        let (step, ()) = tokio::join!(world.accounts.deliver(&slow), answers);
        assert_eq!(step.unwrap().sent, 1);
        let letter = world.letter_to("ada@example.org");
        world.advance(seconds(60).checked_sub(Duration::from_millis(1)).unwrap());
        let wrong = world.confirms("ada@example.org", PASSWORD, &letter.wrong_code()).await;
        assert_eq!(refusal(wrong), "CodeInvalid { attempts_left: 2 }");
        world.advance(Duration::from_millis(1));
        let late = world.confirms("ada@example.org", PASSWORD, &letter.code()).await;
        assert_eq!(refusal(late), "CodeExpired");
    }

    // C1, C3: after waiting in vain for the relay's answer the same code is sent again; it has three guesses in all.
    async fn a_relay_that_goes_silent_may_have_the_mail(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let slow = Slow::new(world);
        let silent = || slow.answer.send(Err(SendError::Uncertain("no answer".into()))).unwrap();
        silent();
        let step = world.accounts.deliver(&slow).await.unwrap();
        assert_eq!((step.sent, step.delayed), (0, 1));
        let first = world.letter_to("ada@example.org");
        world.advance(seconds(29));
        let wrong = world.confirms("ada@example.org", PASSWORD, &first.wrong_code()).await;
        assert_eq!(refusal(wrong), "CodeInvalid { attempts_left: 2 }");
        world.advance(seconds(31));
        let late = confirm(&world.accounts, "ada@example.org", PASSWORD, &first.code()).await;
        assert_eq!(refusal(late), "CodeExpired", "a minute after giving up");
        silent();
        assert_eq!(world.accounts.deliver(&slow).await.unwrap().delayed, 1);
        let second = world.letter_to("ada@example.org");
        assert_eq!((first.mail.id, first.token(), first.code()), (second.mail.id, second.token(), second.code()));
        let wrong = world.confirms("ada@example.org", PASSWORD, &second.wrong_code()).await;
        assert_eq!(refusal(wrong), "CodeInvalid { attempts_left: 1 }");
        world.advance(hours(1));
        world.mailbox.works_again();
        world.deliver().await;
        let third = world.letter_to("ada@example.org");
        assert_eq!(third.code(), first.code());
        world.advance(seconds(59));
        world.confirms("ada@example.org", PASSWORD, &third.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    async fn the_guesses_of_a_code_that_comes_again_stay_spent(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let slow = Slow::new(world);
        slow.answer.send(Err(SendError::Uncertain("no answer".into()))).unwrap();
        world.accounts.deliver(&slow).await.unwrap();
        let letter = world.letter_to("ada@example.org");
        for left in [2, 1, 0] {
            let wrong = world.confirms("ada@example.org", PASSWORD, &letter.wrong_code()).await;
            assert_eq!(refusal(wrong), format!("CodeInvalid {{ attempts_left: {left} }}"));
        }
        world.advance(seconds(60));
        world.deliver().await;
        let again = world.letter_to("ada@example.org");
        let right = world.confirms("ada@example.org", PASSWORD, &again.code()).await;
        assert_eq!(refusal(right), "CodeExpired");
        // Another mail brings another code with its own guesses.
        world.advance(seconds(60));
        world.asks_again("ada@example.org").await;
        let other = world.letter_to("ada@example.org");
        world.confirms("ada@example.org", PASSWORD, &other.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // A mail the relay did not accept after all brings no code, but takes nothing away from an earlier attempt.
    async fn a_mail_that_was_not_taken_brings_no_code(world: &World) {
        let deferred = || Err(SendError::Deferred("451 later".into()));
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        let slow = Slow::new(world);
        slow.answer.send(deferred()).unwrap();
        assert_eq!(world.accounts.deliver(&slow).await.unwrap().delayed, 1);
        let letter = world.letter_to("ada@example.org");
        let unsent = world.confirms("ada@example.org", PASSWORD, &letter.code()).await;
        assert_eq!(refusal(unsent), "CodeInvalid { attempts_left: 2 }", "nobody has it, so it cannot be right");
        world.advance(seconds(60));
        slow.answer.send(Err(SendError::Uncertain("no answer".into()))).unwrap();
        world.accounts.deliver(&slow).await.unwrap();
        let mail = waiting(world).await.remove(0);
        world.accounts.retry_mail(Actor::Operator, mail.id).await.unwrap();
        world.advance(seconds(30));
        slow.answer.send(deferred()).unwrap();
        assert_eq!(world.accounts.deliver(&slow).await.unwrap().delayed, 1);
        assert_eq!(world.take_mails_to("ada@example.org").len(), 2);
        world.advance(seconds(29));
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        world.advance(hours(1));
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // S3: a slow or silent relay reveals nothing about a taken address.
    async fn a_slow_relay_tells_nothing(world: &World) {
        // Not by a sign-up, which would count.
        creates(&world.accounts, "taken@example.org").await;
        world.signs_up_with("taken@example.org", OTHER_PASSWORD).await.unwrap();
        assert_eq!(world.kinds_to("taken@example.org"), ["already_registered"]);
        for answer in [Ok(()), Err(SendError::Uncertain("no answer".into()))] {
            // An instance that knows no other relay.
            let instance = world.another_instance().await;
            let mut heard = Vec::new();
            for email in ["free@example.org", "taken@example.org"] {
                world.advance(hours(1));
                instance.sign_up(wish(email, OTHER_PASSWORD), &client()).await.unwrap();
                let slow = Slow::new(world);
                let guess = async || refusal(confirm(&instance, email, OTHER_PASSWORD, "99999").await);
                let observer = async {
                    passes(world, seconds(90)).await;
                    let guessed = guess().await;
                    slow.answer.send(answer.clone()).unwrap();
                    guessed
                };
                let (step, first) = tokio::join!(instance.deliver(&slow), observer);
                let step = step.unwrap();
                assert_eq!((step.sent, step.delayed), (answer.is_ok().into(), answer.is_err().into()));
                world.advance(seconds(59));
                let second = guess().await;
                world.advance(seconds(1));
                heard.push([first, second, guess().await]);
                for mail in waiting(world).await {
                    world.accounts.drop_mail(Actor::Operator, mail.id).await.unwrap();
                }
            }
            assert_eq!(heard[0], ["CodeInvalid { attempts_left: 2 }", "CodeInvalid { attempts_left: 1 }", "CodeExpired"]);
            assert_eq!(heard[0], heard[1]);
        }
        assert_eq!(world.take_mails_to("free@example.org").len(), 2);
    }
}
