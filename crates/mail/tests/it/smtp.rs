use std::time::Duration;

use vestibule::{MailTransport as _, Secret, SendAttempt, SendError};
use vestibule_mail::{Mailer, MailerConfig, Transport};

use crate::support::{CODE, DROP, Relay, SILENCE, config, confirm, confirmation, mail, mailer};

async fn outcome(script: &[(&'static str, &'static str)]) -> Result<(), SendError> {
    let relay = Relay::start(script).await;
    mailer(&relay.url()).send(&confirmation(), &SendAttempt::untracked()).await
}

fn temporary(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Temporary(cause)) => cause,
        other => panic!("not temporary: {other:?}"),
    }
}

fn deferred(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Deferred(cause)) => cause,
        other => panic!("not deferred: {other:?}"),
    }
}

fn refused(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Refused(cause)) => cause,
        other => panic!("not refused: {other:?}"),
    }
}

fn uncertain(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Uncertain(cause)) => cause,
        other => panic!("not uncertain: {other:?}"),
    }
}

fn permanent(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Permanent(cause)) => cause,
        other => panic!("not permanent: {other:?}"),
    }
}

#[tokio::test]
async fn a_relay_receives_the_message() {
    let relay = Relay::start(&[]).await;
    mailer(&format!("{}?ehlo=app.example.net", relay.url()))
        .send(&confirmation(), &SendAttempt::untracked())
        .await
        .unwrap();
    let seen = relay.seen();
    for line in [
        "EHLO app.example.net",
        "MAIL FROM:<no-reply@example.net>",
        "RCPT TO:<ada@example.org>",
        "DATA",
        "Message-ID: <msg_0123456789abcdefghijklmno0@example.net>",
        "Auto-Submitted: auto-generated",
        "To: ada@example.org",
        "Subject: Confirm your email for Fish & Chips",
        ".",
    ] {
        assert!(seen.iter().any(|it| it == line), "{line:?} is not in {seen:#?}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_message() {
    let relay = Relay::start(&[]).await;
    let mailer = mailer(&relay.url());
    for _ in 0..3 {
        mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    }
    let count = |line: &str| relay.seen().iter().filter(|it| *it == line).count();
    assert_eq!((count("*"), count("DATA"), count("NOOP")), (1, 3, 2));
}

#[tokio::test]
async fn a_connection_carries_a_bounded_number_of_messages() {
    let relay = Relay::start(&[]).await;
    let mailer = mailer(&relay.url());
    for _ in 0..51 {
        mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    }
    assert_eq!(relay.seen().iter().filter(|it| *it == "*").count(), 2);
}

#[tokio::test]
async fn a_connection_that_died_is_replaced() {
    let relay = Relay::start(&[("NOOP", DROP)]).await;
    let mailer = mailer(&relay.url());
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    assert_eq!(relay.seen().iter().filter(|it| *it == "*").count(), 2);
}

// RFC 5321 §3.8: whatever happened to a kept connection, a new one is tried immediately.
#[tokio::test]
async fn a_worn_connection_keeps_no_message_waiting() {
    for verb in ["MAIL AGAIN", "RCPT AGAIN", "DATA AGAIN", "BODY AGAIN"] {
        for answer in ["421 4.7.0 too many messages in this connection", DROP] {
            let relay = Relay::start(&[(verb, answer)]).await;
            let mailer = mailer(&relay.url());
            mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
            let second = mailer.send(&confirmation(), &SendAttempt::untracked()).await;
            let connections = relay.seen().iter().filter(|it| *it == "*").count();
            if (verb, answer) == ("BODY AGAIN", DROP) {
                // It may have the message.
                uncertain(second);
                assert_eq!(connections, 1);
            } else {
                assert_eq!((second, connections), (Ok(()), 2), "{verb}: {answer}");
            }
        }
    }
    // A reply on a new connection is final.
    let relay = Relay::start(&[("MAIL", "421 4.7.0 too many connections")]).await;
    temporary(mailer(&relay.url()).send(&confirmation(), &SendAttempt::untracked()).await);
    assert_eq!(relay.seen().iter().filter(|it| *it == "*").count(), 1);
}

// RFC 5321 §4.1.1.1: a name that others can look up.
#[tokio::test]
async fn a_relay_is_told_the_host_of_the_public_url() {
    let greeting = async |public_url: &str, parameter: &str| {
        let relay = Relay::start(&[]).await;
        let transport = Transport::from_url(&Secret::from(format!("{}{parameter}", relay.url()))).unwrap();
        let config = MailerConfig { public_url: public_url.to_owned(), ..config() };
        let mailer = Mailer::new(config, transport).unwrap();
        mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
        relay.seen().into_iter().find(|line| line.starts_with("EHLO")).unwrap()
    };
    for (public_url, parameter, said) in [
        ("https://accounts.example.net/", "", "EHLO accounts.example.net"),
        ("https://bücher.example:8443/x", "", "EHLO xn--bcher-kva.example"),
        ("http://192.0.2.7:8080", "", "EHLO [192.0.2.7]"),
        ("http://[2001:db8::1]", "", "EHLO [IPv6:2001:db8::1]"),
        ("https://accounts.example.net", "?ehlo=mail.example.net", "EHLO mail.example.net"),
        ("https://accounts.example.net", "?ehlo=[192.0.2.7]", "EHLO [192.0.2.7]"),
    ] {
        assert_eq!(greeting(public_url, parameter).await, said);
    }
    for name in ["", "a%20b", "mail_1", "ä.example"] {
        let url = Secret::from(format!("smtp://127.0.0.1?ehlo={name}"));
        let error = Transport::from_url(&url).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("`ehlo` must be a host name"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_4xx_is_worth_another_try() {
    for verb in ["RCPT", "DATA", "BODY"] {
        let cause = deferred(outcome(&[(verb, "451 4.3.0 try later")]).await);
        assert!(cause.contains("451") && cause.contains("try later"), "{verb}: {cause}");
    }
    // These replies would apply to any message.
    for (verb, answer) in [("MAIL", "451 try later"), ("RCPT", "421 closing"), ("BODY", "421 closing")] {
        let cause = temporary(outcome(&[(verb, answer)]).await);
        assert!(cause.contains("takes nothing now") && cause.ends_with(&answer[4..]), "{verb}: {cause}");
    }
}

// O2: the cause ends up in logs and in the outbox, so it contains neither the address nor the code.
#[tokio::test]
async fn a_5xx_is_final_and_does_not_repeat_secrets() {
    for verb in ["RCPT", "DATA", "BODY"] {
        let cause =
            permanent(outcome(&[(verb, "550-5.1.1 <ada@example.org>\r\n550 no such user 4711")]).await);
        assert!(cause.contains("550") && cause.contains("no such user"), "{verb}: {cause}");
        assert!(!cause.contains("ada@") && !cause.contains(CODE), "{verb}: {cause}");
    }
}

#[tokio::test]
async fn a_relay_that_refuses_everybody_is_the_operators_to_repair() {
    for (verb, answer) in [("HELLO", "554 5.7.1 your address is on a list"), ("EHLO", "550 not you")] {
        let cause = refused(outcome(&[(verb, answer)]).await);
        assert!(cause.contains("refuses to talk"), "{verb}: {cause}");
    }
    let cause = temporary(outcome(&[("HELLO", "421 4.3.2 too busy")]).await);
    assert!(cause.contains("does not talk to us now"), "{cause}");
}

// A refusal before the recipient was named is not about the recipient.
#[tokio::test]
async fn a_refused_sender_is_the_operators_to_repair() {
    for answer in ["552 5.2.3 daily quota exceeded", "550 5.1.8 sender not verified", "553 5.7.1 not yours"] {
        let cause = refused(outcome(&[("MAIL", answer)]).await);
        assert!(cause.contains("refuses mail from us") && cause.contains(&answer[4..]), "{cause}");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_worth_another_try() {
    for verb in ["HELLO", "EHLO", "MAIL", "RCPT", "DATA"] {
        temporary(outcome(&[(verb, DROP)]).await);
    }
}

// RFC 5321 §4.2.5: after the final dot the relay may have the message.
#[tokio::test]
async fn what_becomes_of_a_message_without_an_answer_is_uncertain() {
    let cause = uncertain(outcome(&[("BODY", DROP)]).await);
    assert!(cause.contains("before the relay answered"), "{cause}");
    let relay = Relay::start(&[("BODY", SILENCE)]).await;
    let url = format!("{}?message_timeout=1", relay.url());
    let cause = uncertain(mailer(&url).send(&confirmation(), &SendAttempt::untracked()).await);
    assert_eq!(cause, "the relay did not answer to the message within 1 s");
}

#[tokio::test]
async fn a_relay_that_goes_silent_before_the_message_has_nothing() {
    for verb in ["HELLO", "EHLO", "MAIL", "RCPT", "DATA"] {
        let relay = Relay::start(&[(verb, SILENCE)]).await;
        let url = format!("{}?command_timeout=1", relay.url());
        let cause = temporary(mailer(&url).send(&confirmation(), &SendAttempt::untracked()).await);
        assert!(cause.starts_with("the relay did not answer"), "{verb}: {cause}");
        assert!(!relay.seen().contains(&".".to_owned()), "{verb}");
    }
}

// RFC 5321 §4.5.3.2: ten minutes for the answer to the message, five or two for the others.
#[tokio::test]
async fn a_relay_may_take_its_time() {
    let steps =
        [("HELLO", "*", 5), ("MAIL", "MAIL", 5), ("RCPT", "RCPT", 5), ("DATA", "DATA", 2), ("BODY", ".", 10)];
    for (verb, line, minutes) in steps {
        let relay = Relay::start(&[(verb, SILENCE)]).await;
        let mailer = mailer(&relay.url());
        let (mail, attempt) = (confirmation(), SendAttempt::untracked());
        let mut sending = std::pin::pin!(mailer.send(&mail, &attempt));
        let reached = async {
            while !relay.seen().iter().any(|seen| seen.starts_with(line)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            outcome = sending.as_mut() => panic!("{verb}: {outcome:?}"),
            () = reached => {}
        }
        // From here on only time passes.
        tokio::time::pause();
        let nearly = Duration::from_secs(minutes * 60 - 1);
        let early = tokio::time::timeout(nearly, sending.as_mut()).await;
        assert!(early.is_err(), "{verb}: given up within {minutes} minutes: {early:?}");
        assert!(sending.await.is_err(), "{verb}");
        tokio::time::resume();
    }
}

#[test]
fn a_time_out_is_a_number_of_seconds() {
    for parameter in ["message_timeout=0", "message_timeout=3601", "command_timeout=10m", "command_timeout="]
    {
        let url = Secret::from(format!("smtp://127.0.0.1?{parameter}"));
        let error = Transport::from_url(&url).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("seconds from 1 to 3600"), "{parameter}: {error}");
    }
}

#[tokio::test]
async fn nobody_listening_is_worth_another_try() {
    let port = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let cause = temporary(
        mailer(&format!("smtp://127.0.0.1:{port}")).send(&confirmation(), &SendAttempt::untracked()).await,
    );
    assert!(cause.contains("no connection"), "{cause}");
}

#[tokio::test]
async fn credentials_are_decoded_and_sent() {
    let relay = Relay::start(&[]).await;
    let url = format!("smtp://us%40er:p%3Ass@127.0.0.1:{}", relay.port);
    mailer(&url).send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    // base64 of "\0us@er\0p:ss".
    assert!(relay.seen().contains(&"AUTH PLAIN AHVzQGVyAHA6c3M=".to_owned()), "{:?}", relay.seen());
}

#[tokio::test]
async fn refused_credentials_lose_no_mail() {
    let relay = Relay::start(&[("AUTH", "535 5.7.8 bad hunter2")]).await;
    let url = format!("smtp://user:hunter2@127.0.0.1:{}", relay.port);
    let cause = refused(mailer(&url).send(&confirmation(), &SendAttempt::untracked()).await);
    assert!(cause.contains("535") && cause.contains("user name or password"), "{cause}");
    assert!(!cause.contains("hunter2"), "{cause}");

    let cause = refused(outcome(&[("MAIL", "530 5.7.0 authentication required")]).await);
    assert!(cause.contains("530") && cause.contains("mail settings"), "{cause}");
    // RFC 4954 §4.7.2: the relay cannot reach its password database.
    let relay = Relay::start(&[("AUTH", "454 4.7.0 temporary failure")]).await;
    let url = format!("smtp://user:hunter2@127.0.0.1:{}", relay.port);
    let cause = temporary(mailer(&url).send(&confirmation(), &SendAttempt::untracked()).await);
    assert!(cause.contains("454"), "{cause}");
    let relay = Relay::start(&[("EHLO", "250-relay.example.org\r\n250 AUTH CRAM-MD5")]).await;
    let url = format!("smtp://user:hunter2@127.0.0.1:{}", relay.port);
    let cause = refused(mailer(&url).send(&confirmation(), &SendAttempt::untracked()).await);
    assert!(cause.contains("sign-in at the relay"), "{cause}");
}

// M5: RFC 6531.
#[tokio::test]
async fn a_utf8_name_needs_a_relay_that_takes_it() {
    let ehlo = "250-relay.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8";
    let relay = Relay::start(&[("EHLO", ehlo)]).await;
    let to = mail("ärger@Bücher.example", None, confirm());
    mailer(&relay.url()).send(&to, &SendAttempt::untracked()).await.unwrap();
    let seen = relay.seen();
    assert!(seen.contains(&"MAIL FROM:<no-reply@example.net> SMTPUTF8 BODY=8BITMIME".to_owned()), "{seen:?}");
    assert!(seen.contains(&"RCPT TO:<ärger@xn--bcher-kva.example>".to_owned()), "{seen:?}");

    let relay = Relay::start(&[]).await;
    let cause = permanent(mailer(&relay.url()).send(&to, &SendAttempt::untracked()).await);
    assert!(cause.contains("SMTPUTF8"), "{cause}");
    assert!(!relay.seen().iter().any(|line| line.starts_with("MAIL")));
    for (answer, is_final) in [
        ("553 5.6.7 ASCII only", true),
        ("550 5.6.7 ASCII only", true),
        ("555 SMTPUTF8 is not known", true),
        ("552 5.2.3 daily quota exceeded", false),
        ("451 4.3.0 try later", false),
    ] {
        let relay = Relay::start(&[("EHLO", ehlo), ("MAIL", answer)]).await;
        let outcome = mailer(&relay.url()).send(&to, &SendAttempt::untracked()).await;
        // Whatever it is, others may get through: it could be about this address.
        let cause = if is_final { permanent(outcome) } else { deferred(outcome) };
        assert!(cause.contains(&answer[4..]), "{cause}");
    }
}

#[tokio::test]
async fn an_international_domain_needs_nothing_special() {
    let relay = Relay::start(&[]).await;
    mailer(&relay.url())
        .send(&mail("ada@Bücher.example", None, confirm()), &SendAttempt::untracked())
        .await
        .unwrap();
    assert!(relay.seen().contains(&"RCPT TO:<ada@xn--bcher-kva.example>".to_owned()));
}

// M6: implicit TLS is not abandoned when the other side does not speak it.
#[tokio::test]
async fn tls_is_never_given_up() {
    let relay = Relay::start(&[]).await;
    let cause = refused(
        mailer(&format!("smtps://u:p@127.0.0.1:{}", relay.port))
            .send(&confirmation(), &SendAttempt::untracked())
            .await,
    );
    assert!(cause.contains("no connection"), "{cause}");
    assert!(!relay.seen().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
}
