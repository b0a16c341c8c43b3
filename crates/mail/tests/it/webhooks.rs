use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use vestibule::{Secret, SendError, Timestamp, Webhook, WebhookTransport as _};
use vestibule_mail::{HttpWebhooks, WebhookUrl};

use crate::support::{Provider, Request};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn event() -> Webhook {
    Webhook {
        id: "evt_0123456789abcdefghijklmno0".parse().unwrap(),
        event: "user.created".to_owned(),
        user_id: "usr_0123456789abcdefghijklmno0".parse().unwrap(),
        created_at: Timestamp::from_millis(1_700_000_000_123),
        attempted_at: Timestamp::from_millis(1_700_000_060_999),
    }
}

fn webhooks(address: &str, secrets: &str) -> HttpWebhooks {
    let url = WebhookUrl::new(&Secret::from(format!("{address}/hooks?token=t")), true).unwrap();
    HttpWebhooks::new("app", url, secrets.parse().unwrap()).unwrap()
}

/// Verifies as a receiver does, with another implementation of HMAC.
fn is_signed(request: &Request, signature: &str, secret: &str) -> bool {
    let key = data_encoding::BASE64.decode(secret.strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    let signature = signature.strip_prefix("v1,").unwrap();
    let signature = data_encoding::BASE64.decode(signature.as_bytes()).unwrap();
    let (id, at) = (&request.headers["webhook-id"], &request.headers["webhook-timestamp"]);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{at}.{}", request.body).as_bytes());
    mac.verify_slice(&signature).is_ok()
}

#[tokio::test]
async fn an_event_is_posted_and_signed() {
    let provider = Provider::start("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let event = event();
    webhooks(&provider.address, SECRET).post(&event).await.unwrap();
    let mut request = provider.request().await;
    assert_eq!(request.line, "POST /hooks?token=t HTTP/1.1");
    assert_eq!(request.headers["content-type"], "application/json");
    assert_eq!(request.headers["webhook-id"], "evt_0123456789abcdefghijklmno0");
    assert_eq!(request.headers["webhook-timestamp"], "1700000060");
    assert!(request.headers["user-agent"].starts_with("vestibule/"));
    assert_eq!(request.body, event.payload());
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "id": "evt_0123456789abcdefghijklmno0", "type": "user.created", "created_at": "2023-11-14T22:13:20.123Z",
            "data": { "user_id": "usr_0123456789abcdefghijklmno0" },
        })
    );
    let signature = request.headers["webhook-signature"].clone();
    assert!(is_signed(&request, &signature, SECRET) && !is_signed(&request, &signature, NEW_SECRET));
    request.body.push(' ');
    assert!(!is_signed(&request, &signature, SECRET), "another body is not signed");
}

#[tokio::test]
async fn while_the_secret_changes_both_sign() {
    let provider = Provider::start("HTTP/1.1 204 No Content\r\n\r\n").await;
    webhooks(&provider.address, &format!("{NEW_SECRET} {SECRET}")).post(&event()).await.unwrap();
    let request = provider.request().await;
    let (new, old) = request.headers["webhook-signature"].split_once(' ').unwrap();
    assert!(is_signed(&request, new, NEW_SECRET) && is_signed(&request, old, SECRET));
}

async fn outcome(answer: &'static str) -> Result<(), SendError> {
    let provider = Provider::start(answer).await;
    webhooks(&provider.address, SECRET).post(&event()).await
}

#[tokio::test]
async fn any_2xx_is_success() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        // The body of the answer is not waited for.
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n",
    ] {
        assert_eq!(outcome(answer).await, Ok(()), "{answer}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for answer in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        "SMTP\r\n\r\n",
        "",
    ] {
        let outcome = outcome(answer).await;
        assert!(matches!(outcome, Err(SendError::Temporary(_))), "{answer}: {outcome:?}");
    }
}

// RFC 9110 §10.2.3
#[tokio::test]
async fn a_receiver_that_asks_for_a_wait_gets_it() {
    let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    let Err(SendError::Throttled { retry_after, .. }) = outcome(answer).await else { panic!("no wait") };
    assert_eq!(retry_after.as_secs(), 120);
}

#[tokio::test]
async fn gone_is_final_and_the_answer_is_not_repeated() {
    let answer = "HTTP/1.1 410 Gone\r\nContent-Length: 7\r\n\r\nhunter2";
    assert_eq!(
        outcome(answer).await,
        Err(SendError::Permanent("the receiver wants no more (410)".to_owned()))
    );
}

// O6: redirects are not followed to their target.
#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for status in
        ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"]
    {
        let location = format!("http://{}/", elsewhere.local_addr().unwrap());
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let outcome = outcome(answer.leak()).await;
        let Err(SendError::Temporary(cause)) = outcome else { panic!("{status}: {outcome:?}") };
        assert!(cause.contains("another place") && cause.contains(&status[..3]), "{cause}");
    }
    assert!(elsewhere.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn nobody_listening_is_tried_again() {
    let port = {
        let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        closed.local_addr().unwrap().port()
    };
    let outcome = webhooks(&format!("http://localhost:{port}"), SECRET).post(&event()).await;
    let Err(SendError::Temporary(cause)) = outcome else { panic!("{outcome:?}") };
    assert!(cause.starts_with("the receiver cannot be reached: ") && !cause.contains("token"), "{cause}");
}
