use std::sync::Arc;
use std::time::Duration;

use vestibule::{MailTransport as _, SendAttempt, SendError};
use vestibule_mail::{Fault, Mailer, Memory, Transport};

use crate::support::{CODE, LINK, config, confirm, confirmation, mail};

const SOON: Duration = Duration::from_secs(5);

fn mailbox() -> (Memory, Arc<Mailer>) {
    let memory = Memory::new();
    let mailer = Mailer::new(config(), Transport::Memory(memory.clone())).unwrap();
    (memory, Arc::new(mailer))
}

#[tokio::test]
async fn a_message_is_kept_with_all_its_parts() {
    let (memory, mailer) = mailbox();
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    let message = memory.latest(&"ADA@example.org".parse().unwrap()).unwrap();
    assert_eq!((message.number, message.kind, message.to.as_str()), (1, "confirm", "ada@example.org"));
    assert_eq!(message.subject, "Confirm your email for Fish & Chips");
    assert_eq!(message.code.as_ref().unwrap().expose(), CODE);
    assert_eq!(message.link.as_ref().unwrap().expose(), LINK);
    assert!(message.text.contains(CODE) && message.html.contains(CODE));
    assert!(message.source.contains("Content-Type: multipart/alternative;"));
    assert!(memory.latest(&"bob@example.org".parse().unwrap()).is_none());
    assert_eq!(format!("{message:?}"), "Received { number: 1, kind: \"confirm\", .. }");
}

#[tokio::test]
async fn the_mailbox_is_bounded_and_numbers_go_on() {
    let (memory, mailer) = mailbox();
    for _ in 0..1001 {
        mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    }
    let list = memory.list();
    assert_eq!((list.len(), list[0].number, list[999].number), (1000, 2, 1001));
    memory.clear();
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    assert_eq!(memory.list()[0].number, 1002);
}

#[tokio::test]
async fn waiting_ends_when_the_message_arrives() {
    let (memory, mailer) = mailbox();
    let ada = "ada@example.org".parse().unwrap();
    let waiting = tokio::spawn({
        let (memory, ada) = (memory.clone(), mail("ada@example.org", None, confirm()).to);
        async move { memory.wait_for(&ada, 0, SOON).await }
    });
    tokio::task::yield_now().await;
    mailer.send(&mail("bob@example.org", None, confirm()), &SendAttempt::untracked()).await.unwrap();
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap().number, 2);
    // A message that is already there is returned without waiting.
    assert_eq!(memory.wait_for(&ada, 1, SOON).await.unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_in_time() {
    let (memory, mailer) = mailbox();
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    assert!(memory.wait_for(&"ada@example.org".parse().unwrap(), 1, SOON).await.is_none());
}

#[tokio::test]
async fn faults_can_be_switched() {
    let (memory, mailer) = mailbox();
    memory.set_fault(Fault::Temporary);
    assert!(matches!(
        mailer.send(&confirmation(), &SendAttempt::untracked()).await,
        Err(SendError::Deferred(_))
    ));
    memory.set_fault(Fault::Unreachable);
    assert!(matches!(
        mailer.send(&confirmation(), &SendAttempt::untracked()).await,
        Err(SendError::Temporary(_))
    ));
    memory.set_fault(Fault::Permanent);
    assert!(matches!(
        mailer.send(&confirmation(), &SendAttempt::untracked()).await,
        Err(SendError::Permanent(_))
    ));
    assert!(memory.list().is_empty());
    memory.set_fault(Fault::Ok);
    assert_eq!(mailer.send(&confirmation(), &SendAttempt::untracked()).await, Ok(()));
    assert_eq!(memory.fault(), Fault::Ok);
}

#[tokio::test]
async fn a_stalled_provider_goes_on_when_told() {
    let (memory, mailer) = mailbox();
    memory.set_fault(Fault::Stall);
    let sending = tokio::spawn(async move { mailer.send(&confirmation(), &SendAttempt::untracked()).await });
    tokio::task::yield_now().await;
    assert!(!sending.is_finished());
    memory.set_fault(Fault::Ok);
    assert_eq!(sending.await.unwrap(), Ok(()));
}

// M6: an attempt gives up by itself.
#[tokio::test(start_paused = true)]
async fn a_stalled_provider_is_given_up_after_a_minute() {
    let (memory, mailer) = mailbox();
    memory.set_fault(Fault::Stall);
    let start = tokio::time::Instant::now();
    let outcome = mailer.send(&confirmation(), &SendAttempt::untracked()).await;
    assert_eq!(outcome, Err(SendError::Temporary("not handed over within 60 s".to_owned())));
    assert_eq!(start.elapsed(), Duration::from_mins(1));
}
