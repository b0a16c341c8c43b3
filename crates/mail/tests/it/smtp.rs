use vestibule::{MailTransport as _, SendError};

use crate::support::{CODE, DROP, Relay, confirm, confirmation, mail, mailer};

async fn outcome(script: &[(&'static str, &'static str)]) -> Result<(), SendError> {
    let relay = Relay::start(script).await;
    mailer(&relay.url()).send(&confirmation()).await
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

fn permanent(outcome: Result<(), SendError>) -> String {
    match outcome {
        Err(SendError::Permanent(cause)) => cause,
        other => panic!("not permanent: {other:?}"),
    }
}

#[tokio::test]
async fn a_relay_receives_the_message() {
    let relay = Relay::start(&[]).await;
    mailer(&format!("{}?ehlo=app.example.net", relay.url())).send(&confirmation()).await.unwrap();
    let seen = relay.seen();
    for line in [
        "EHLO app.example.net",
        "MAIL FROM:<no-reply@example.net>",
        "RCPT TO:<ada@example.org>",
        "DATA",
        "Message-ID: <msg_0123456789abcdefghijklmno0@example.net>",
        "Auto-Submitted: auto-generated",
        "To: ada@example.org",
        "Subject: Confirm your e-mail address for Fish & Chips",
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
        mailer.send(&confirmation()).await.unwrap();
    }
    let count = |line: &str| relay.seen().iter().filter(|it| *it == line).count();
    assert_eq!((count("*"), count("DATA"), count("NOOP")), (1, 3, 2));
}

#[tokio::test]
async fn a_connection_carries_a_bounded_number_of_messages() {
    let relay = Relay::start(&[]).await;
    let mailer = mailer(&relay.url());
    for _ in 0..51 {
        mailer.send(&confirmation()).await.unwrap();
    }
    assert_eq!(relay.seen().iter().filter(|it| *it == "*").count(), 2);
}

#[tokio::test]
async fn a_connection_that_died_is_replaced() {
    let relay = Relay::start(&[("NOOP", DROP)]).await;
    let mailer = mailer(&relay.url());
    mailer.send(&confirmation()).await.unwrap();
    mailer.send(&confirmation()).await.unwrap();
    assert_eq!(relay.seen().iter().filter(|it| *it == "*").count(), 2);
}

#[tokio::test]
async fn a_4xx_is_worth_another_try() {
    for verb in ["RCPT", "DATA", "BODY"] {
        let cause = deferred(outcome(&[(verb, "451 4.3.0 try later")]).await);
        assert!(cause.contains("451") && cause.contains("try later"), "{verb}: {cause}");
    }
    // These would be said to whatever message.
    for (verb, answer) in [("MAIL", "451 try later"), ("RCPT", "421 closing"), ("BODY", "421 closing")] {
        let cause = temporary(outcome(&[(verb, answer)]).await);
        assert!(cause.contains("takes nothing now") && cause.ends_with(&answer[4..]), "{verb}: {cause}");
    }
}

// O2: the cause lands in logs and in the outbox, so the address and the code are not in it.
#[tokio::test]
async fn a_5xx_is_final_and_does_not_repeat_secrets() {
    for verb in ["MAIL", "RCPT", "DATA", "BODY"] {
        let cause =
            permanent(outcome(&[(verb, "550-5.1.1 <ada@example.org>\r\n550 no such user 4711")]).await);
        assert!(cause.contains("550") && cause.contains("no such user"), "{verb}: {cause}");
        assert!(!cause.contains("ada@") && !cause.contains(CODE), "{verb}: {cause}");
    }
}

#[tokio::test]
async fn a_relay_that_refuses_everybody_is_the_operators_to_repair() {
    for (verb, answer) in [("HELLO", "554 5.7.1 your address is on a list"), ("EHLO", "550 not you")] {
        let cause = temporary(outcome(&[(verb, answer)]).await);
        assert!(cause.contains("refuses to talk"), "{verb}: {cause}");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_worth_another_try() {
    for verb in ["HELLO", "EHLO", "MAIL", "RCPT", "DATA", "BODY"] {
        temporary(outcome(&[(verb, DROP)]).await);
    }
}

#[tokio::test]
async fn nobody_listening_is_worth_another_try() {
    let port = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let cause = temporary(mailer(&format!("smtp://127.0.0.1:{port}")).send(&confirmation()).await);
    assert!(cause.contains("no connection"), "{cause}");
}

#[tokio::test]
async fn credentials_are_decoded_and_sent() {
    let relay = Relay::start(&[]).await;
    let url = format!("smtp://us%40er:p%3Ass@127.0.0.1:{}", relay.port);
    mailer(&url).send(&confirmation()).await.unwrap();
    // base64 of "\0us@er\0p:ss".
    assert!(relay.seen().contains(&"AUTH PLAIN AHVzQGVyAHA6c3M=".to_owned()), "{:?}", relay.seen());
}

#[tokio::test]
async fn refused_credentials_lose_no_mail() {
    let relay = Relay::start(&[("AUTH", "535 5.7.8 bad hunter2")]).await;
    let url = format!("smtp://user:hunter2@127.0.0.1:{}", relay.port);
    let cause = temporary(mailer(&url).send(&confirmation()).await);
    assert!(cause.contains("535") && cause.contains("user name or password"), "{cause}");
    assert!(!cause.contains("hunter2"), "{cause}");

    let cause = temporary(outcome(&[("MAIL", "530 5.7.0 authentication required")]).await);
    assert!(cause.contains("530") && cause.contains("mail settings"), "{cause}");
}

// M5: RFC 6531.
#[tokio::test]
async fn a_utf8_name_needs_a_relay_that_takes_it() {
    let ehlo = "250-relay.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8";
    let relay = Relay::start(&[("EHLO", ehlo)]).await;
    let to = mail("ärger@Bücher.example", None, confirm());
    mailer(&relay.url()).send(&to).await.unwrap();
    let seen = relay.seen();
    assert!(seen.contains(&"MAIL FROM:<no-reply@example.net> SMTPUTF8 BODY=8BITMIME".to_owned()), "{seen:?}");
    assert!(seen.contains(&"RCPT TO:<ärger@xn--bcher-kva.example>".to_owned()), "{seen:?}");

    let relay = Relay::start(&[]).await;
    let cause = permanent(mailer(&relay.url()).send(&to).await);
    assert!(cause.contains("SMTPUTF8"), "{cause}");
    assert!(!relay.seen().iter().any(|line| line.starts_with("MAIL")));
}

#[tokio::test]
async fn an_international_domain_needs_nothing_special() {
    let relay = Relay::start(&[]).await;
    mailer(&relay.url()).send(&mail("ada@Bücher.example", None, confirm())).await.unwrap();
    assert!(relay.seen().contains(&"RCPT TO:<ada@xn--bcher-kva.example>".to_owned()));
}

// M6: implicit TLS is not given up when the other side does not speak it.
#[tokio::test]
async fn tls_is_never_given_up() {
    let relay = Relay::start(&[]).await;
    let cause =
        temporary(mailer(&format!("smtps://u:p@127.0.0.1:{}", relay.port)).send(&confirmation()).await);
    assert!(cause.contains("no connection"), "{cause}");
    assert!(!relay.seen().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
}
