//! Tests that need their own resolver or timeout.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vestibule::{Logout, LogoutTransport as _, Secret, Timestamp};

use super::logout::HttpLogouts;
use super::reach::Found;
use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn event() -> Webhook {
    Webhook {
        id: "evt_0123456789abcdefghijklmno0".parse().unwrap(),
        event: "user.created".to_owned(),
        user_id: "usr_0123456789abcdefghijklmno0".parse().unwrap(),
        created_at: Timestamp::from_millis(1_700_000_000_123),
        attempted_at: Timestamp::from_millis(1_700_000_060_000),
    }
}

fn webhooks(url: &str, allow_private: bool, lookup: Lookup) -> HttpWebhooks {
    let url = WebhookUrl::new(&Secret::from(url), allow_private).unwrap();
    HttpWebhooks::with_lookup("app".to_owned(), url, SECRET.parse().unwrap(), lookup).unwrap()
}

fn answer(addresses: &'static [&str]) -> Found {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    Box::pin(async { Ok(addresses) })
}

/// A listener that must not be connected to.
fn trap() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn refused(webhooks: &HttpWebhooks) -> String {
    let Err(SendError::Temporary(cause)) = webhooks.post(&event()).await else { panic!("not temporary") };
    cause
}

// O6: a public name that resolves to a private address.
#[tokio::test]
async fn a_name_with_a_private_address_is_not_connected_to() {
    let (listener, port) = trap();
    let url = format!("https://app.example.org:{port}/hunter2");
    let lookups: [Lookup; 5] = [
        |_| answer(&["127.0.0.1"]),
        |_| answer(&["::ffff:127.0.0.1"]),
        // A good address does not make the others good.
        |_| answer(&["8.8.8.8", "127.0.0.1"]),
        |_| answer(&["2a00:1450::1", "64:ff9b::7f00:1"]),
        |_| answer(&["169.254.169.254"]),
    ];
    for lookup in lookups {
        let cause = refused(&webhooks(&url, false, lookup)).await;
        assert!(cause.contains("app.example.org is ") && cause.contains(" address"), "{cause}");
        assert!(!cause.contains("hunter2"), "{cause}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

// O6: DNS rebinding. The name is resolved and checked again for each connection.
#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let lookup: Lookup = |_| {
        let first = ASKED.fetch_add(1, Ordering::SeqCst) == 0;
        answer(if first { &["127.0.0.1"] } else { &["169.254.169.254"] })
    };
    let url = format!("http://app:{}/", listener.local_addr().unwrap().port());
    let webhooks = webhooks(&url, true, lookup);
    let event = event();
    let (first, ()) = tokio::join!(webhooks.post(&event), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
    });
    assert_eq!(first, Ok(()));
    let cause = refused(&webhooks).await;
    assert!(cause.contains("app is 169.254.169.254"), "{cause}");
    assert_eq!(ASKED.load(Ordering::SeqCst), 2);
}

// Unencrypted requests stay in private networks, whatever the name resolves to.
#[tokio::test]
async fn http_to_a_public_address_is_refused() {
    let webhooks = webhooks("http://app/", true, |_| answer(&["8.8.8.8"]));
    let cause = refused(&webhooks).await;
    assert!(cause.contains("app is 8.8.8.8, a public address"), "{cause}");
}

// O6: the same for the addresses of applications, by either scheme.
#[tokio::test]
async fn logout_tokens_are_judged_by_the_same_resolver() {
    let (listener, port) = trap();
    let cases: [(bool, &str, Lookup, &str); 4] = [
        (false, "https", |_| answer(&["127.0.0.1"]), "app is 127.0.0.1, a private address"),
        (false, "https", |_| answer(&["8.8.8.8", "10.0.0.1"]), "app is 10.0.0.1, a private address"),
        (true, "https", |_| answer(&["169.254.169.254"]), "app is 169.254.169.254, an address"),
        (true, "http", |_| answer(&["8.8.8.8"]), "app is 8.8.8.8, a public address"),
    ];
    for (allow_private, scheme, lookup, why) in cases {
        let logouts = HttpLogouts::with_lookup(allow_private, lookup);
        let logout = Logout {
            application: "shop".parse().unwrap(),
            uri: format!("{scheme}://app:{port}/hunter2"),
            token: Secret::from("a.b.c"),
        };
        let outcome = logouts.post(&logout).await;
        let Err(SendError::Temporary(cause)) = outcome else { panic!("{why}: {outcome:?}") };
        assert!(cause.contains(why) && !cause.contains("hunter2"), "{cause}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn a_name_that_is_not_found_is_tried_again() {
    let lookup: Lookup = |_| Box::pin(async { Err(io::Error::other("no such name")) });
    let cause = refused(&webhooks("https://app.example.org/", false, lookup)).await;
    assert_eq!(cause, "the receiver cannot be reached: no such name");
}

#[tokio::test]
async fn a_receiver_that_says_nothing_is_given_up() {
    // The system accepts the connection, but nothing reads from it.
    let (_listener, port) = trap();
    let mut webhooks = webhooks(&format!("http://127.0.0.1:{port}/"), true, system);
    webhooks.answer_max = Duration::from_millis(100);
    let cause = refused(&webhooks).await;
    assert!(cause.starts_with("the receiver did not answer in time"), "{cause}");
}
