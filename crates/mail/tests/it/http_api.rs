use std::collections::BTreeMap;

use vestibule::{MailTransport as _, SendAttempt, SendError};
use vestibule_mail::{HttpApi, HttpApiConfig, HttpAuth, HttpBody, Transport, TransportError};

use crate::support::{CODE, Provider, Request, confirm, confirmation, mail, mailer};

const OK: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const FROM: &str = "\"Exämple, Inc.\" <no-reply@example.net>";
const SUBJECT: &str = "Confirm your email for Fish & Chips";
const MESSAGE_ID: &str = "<msg_0123456789abcdefghijklmno0@example.net>";

/// The request a provider receives for `url` with the endpoint of the test server.
async fn request(url: &str) -> Request {
    let provider = Provider::start(OK).await;
    let mailer = mailer(&format!("{url}?endpoint={}", provider.address));
    mailer.send(&confirmation(), &SendAttempt::untracked()).await.unwrap();
    let request = provider.request().await;
    assert_eq!(request.headers["idempotency-key"], "msg_0123456789abcdefghijklmno0");
    request
}

/// The body as JSON, without its two long texts, which are checked here.
fn json(request: &Request, text: &str, html: &str) -> serde_json::Value {
    assert_eq!(request.headers["content-type"], "application/json");
    let mut body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    for (at, part) in [(text, "Fish & Chips"), (html, "Fish &amp; Chips")] {
        let value = body.pointer_mut(at).unwrap().take();
        let value = value.as_str().unwrap();
        assert!(value.contains(CODE) && value.contains(part), "{at}: {value}");
    }
    body
}

fn headers() -> serde_json::Value {
    serde_json::json!({
        "Message-ID": MESSAGE_ID, "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
    })
}

#[tokio::test]
async fn postmark() {
    let request = request("http+postmark://t%2Foken@").await;
    assert_eq!(request.line, "POST /email HTTP/1.1");
    assert_eq!(request.headers["x-postmark-server-token"], "t/oken");
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(
        json(&request, "/TextBody", "/HtmlBody"),
        serde_json::json!({
            "From": FROM, "To": "ada@example.org", "Subject": SUBJECT, "TextBody": null, "HtmlBody": null,
            "MessageStream": "outbound", "TrackOpens": false, "TrackLinks": "None",
            "Headers": [
                { "Name": "Message-ID", "Value": MESSAGE_ID },
                { "Name": "X-PM-KeepID", "Value": "true" },
                { "Name": "Auto-Submitted", "Value": "auto-generated" },
                { "Name": "X-Auto-Response-Suppress", "Value": "All" },
            ],
        })
    );
}

#[tokio::test]
async fn sendgrid() {
    let request = request("http-mail+sendgrid://SG.key@").await;
    assert_eq!(request.line, "POST /v3/mail/send HTTP/1.1");
    assert_eq!(request.headers["authorization"], "Bearer SG.key");
    assert_eq!(
        json(&request, "/content/0/value", "/content/1/value"),
        serde_json::json!({
            "personalizations": [{ "to": [{ "email": "ada@example.org" }] }],
            "from": { "email": "no-reply@example.net", "name": "Exämple, Inc." },
            "subject": SUBJECT,
            "content": [{ "type": "text/plain", "value": null }, { "type": "text/html", "value": null }],
            "headers": headers(),
            "tracking_settings": {
                "click_tracking": { "enable": false, "enable_text": false }, "open_tracking": { "enable": false },
                "subscription_tracking": { "enable": false },
            },
        })
    );
}

#[tokio::test]
async fn mailgun() {
    let request = request("http+mailgun://key@mg.example.net").await;
    assert_eq!(request.line, "POST /v3/mg.example.net/messages HTTP/1.1");
    // base64 of "api:key".
    assert_eq!(request.headers["authorization"], "Basic YXBpOmtleQ==");
    assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    let mut fields: BTreeMap<String, String> = serde_urlencoded::from_str(&request.body).unwrap();
    assert!(fields.remove("text").unwrap().contains(CODE));
    assert!(fields.remove("html").unwrap().contains("Fish &amp; Chips"));
    let expected = [
        ("from", FROM),
        ("to", "ada@example.org"),
        ("subject", SUBJECT),
        ("h:Message-Id", MESSAGE_ID),
        ("h:Auto-Submitted", "auto-generated"),
        ("h:X-Auto-Response-Suppress", "All"),
        ("o:tracking", "no"),
    ];
    assert_eq!(
        fields,
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    );
}

#[tokio::test]
async fn resend() {
    let request = request("http+resend://re_key@").await;
    assert_eq!(request.line, "POST /emails HTTP/1.1");
    assert_eq!(request.headers["authorization"], "Bearer re_key");
    assert_eq!(
        json(&request, "/text", "/html"),
        serde_json::json!({
            "from": FROM, "to": ["ada@example.org"], "subject": SUBJECT, "text": null, "html": null,
            "headers": headers(),
        })
    );
}

#[tokio::test]
async fn brevo() {
    let request = request("http+brevo://xkeysib@").await;
    assert_eq!(request.line, "POST /v3/smtp/email HTTP/1.1");
    assert_eq!(request.headers["api-key"], "xkeysib");
    assert_eq!(
        json(&request, "/textContent", "/htmlContent"),
        serde_json::json!({
            "sender": { "email": "no-reply@example.net", "name": "Exämple, Inc." },
            "to": [{ "email": "ada@example.org" }], "subject": SUBJECT, "textContent": null, "htmlContent": null,
            "headers": { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
        })
    );
}

#[tokio::test]
async fn any_server_that_takes_json() {
    let provider = Provider::start(OK).await;
    let place = provider.address.strip_prefix("http://").unwrap();
    mailer(&format!("http+json://token@{place}/send/it"))
        .send(&confirmation(), &SendAttempt::untracked())
        .await
        .unwrap();
    let request = provider.request().await;
    assert_eq!(request.line, "POST /send/it HTTP/1.1");
    assert_eq!(request.headers["authorization"], "Bearer token");
    assert_eq!(
        json(&request, "/text", "/html"),
        serde_json::json!({
            "id": "msg_0123456789abcdefghijklmno0", "from": FROM, "to": "ada@example.org", "subject": SUBJECT,
            "text": null, "html": null, "headers": headers(),
        })
    );
}

async fn outcome(answer: &'static str) -> Result<(), SendError> {
    outcome_for("ada@example.org", answer).await
}

async fn outcome_for(to: &str, answer: &'static str) -> Result<(), SendError> {
    let provider = Provider::start(answer).await;
    let mailer = mailer(&format!("http+resend://hunter2@?endpoint={}", provider.address));
    mailer.send(&mail(to, None, confirm()), &SendAttempt::untracked()).await
}

#[tokio::test]
async fn any_2xx_is_success() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        OK,
    ] {
        assert_eq!(outcome(answer).await, Ok(()), "{answer}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for answer in [
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    ] {
        let outcome = outcome(answer).await;
        assert!(matches!(outcome, Err(SendError::Temporary(_))), "{answer}: {outcome:?}");
    }
    let conflict = outcome("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(conflict, Err(SendError::Deferred(_))), "{conflict:?}");
}

// RFC 9110 §10.2.3, RFC 6585 §4
#[tokio::test]
async fn a_wait_that_is_asked_for_is_told() {
    for (answer, seconds) in [
        ("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n", 120),
        ("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 7),
        (
            "HTTP/1.1 429 Too Many Requests\r\nDate: Fri, 31 Dec 1999 23:59:59 GMT\r\n\
             Retry-After: Sat, 01 Jan 2000 00:01:59 GMT\r\nContent-Length: 0\r\n\r\n",
            120,
        ),
    ] {
        let Err(SendError::Throttled { cause, retry_after }) = outcome(answer).await else {
            panic!("{answer}")
        };
        assert_eq!(retry_after.as_secs(), seconds, "{cause}");
    }
    let answer = "HTTP/1.1 422 Unprocessable\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    assert!(matches!(outcome(answer).await, Err(SendError::Permanent(_))), "a wait does not help");
}

// A provider that read the request may have sent the message.
#[tokio::test]
async fn without_an_answer_it_is_uncertain() {
    for answer in [
        "",
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
    ] {
        let outcome = outcome(answer).await;
        assert!(matches!(outcome, Err(SendError::Uncertain(_))), "{answer}: {outcome:?}");
    }
    let nobody = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    let mailer = mailer(&format!("http+resend://key@?endpoint=http://{nobody}"));
    let outcome = mailer.send(&confirmation(), &SendAttempt::untracked()).await;
    assert!(matches!(outcome, Err(SendError::Temporary(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_refused_key_is_named_as_the_cause_but_not_shown() {
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 11\r\n\r\nbad hunter2";
    let Err(SendError::Refused(cause)) = outcome(answer).await else { panic!("not refused") };
    assert!(cause.contains("401") && cause.contains("mail settings"), "{cause}");
    assert!(!cause.contains("hunter2"), "{cause}");
}

// A refusal that would apply to any recipient is retried until an operator has acted.
#[tokio::test]
async fn what_is_not_about_the_message_is_the_operators_to_repair() {
    for answer in [
        "HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        // Postmark: an unconfirmed sender, and no credits.
        "HTTP/1.1 422 Unprocessable\r\nContent-Length: 17\r\n\r\n{\"ErrorCode\":401}",
        "HTTP/1.1 422 Unprocessable\r\nContent-Length: 17\r\n\r\n{\"ErrorCode\":405}",
    ] {
        let outcome = outcome(answer).await;
        assert!(matches!(outcome, Err(SendError::Refused(_))), "{answer}: {outcome:?}");
    }
    // An address the provider may reject must not look as if nothing got through.
    for to in ["o'hara@example.org", "ärger@example.org", "ada@example.x"] {
        let outcome = outcome_for(to, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        assert!(matches!(outcome, Err(SendError::Deferred(_))), "{to}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_message_is_final() {
    let answer =
        "HTTP/1.1 422 Unprocessable\r\nContent-Length: 32\r\n\r\n{\"error\":\"ada@example.org 4711\"}";
    let Err(SendError::Permanent(cause)) = outcome(answer).await else { panic!("not permanent") };
    assert!(cause.contains("422") && cause.contains("error"), "{cause}");
    assert!(!cause.contains("ada@") && !cause.contains(CODE), "{cause}");
    // Postmark: a recipient whose mails bounced.
    let inactive =
        outcome("HTTP/1.1 422 Unprocessable\r\nContent-Length: 17\r\n\r\n{\"ErrorCode\":406}").await;
    assert!(matches!(inactive, Err(SendError::Permanent(_))), "{inactive:?}");
}

fn custom(endpoint: &str, template: &str) -> Result<HttpApi, TransportError> {
    HttpApi::new(HttpApiConfig {
        endpoint: endpoint.to_owned(),
        auth: HttpAuth::None,
        body: HttpBody::Json(template.to_owned()),
    })
}

#[test]
fn a_request_template_is_checked_when_it_is_read() {
    for template in ["{ \"to\": {{ to }} }", "{ \"to\": {{ to|tojson }} }"] {
        assert!(custom("https://mail.example.org/send", template).is_ok(), "{template}");
    }
    for template in
        ["{ \"to\": \"{{ to }}\" }", "{ \"to\": {{ too }} }", "{ \"to\": {{ to ", "to={{ to|safe }}"]
    {
        let error = custom("https://mail.example.org/send", template).unwrap_err();
        assert!(matches!(error, TransportError::RequestTemplate(_)), "{template}: {error}");
    }
}

#[test]
fn unencrypted_requests_stay_on_this_machine() {
    assert_eq!(custom("http://mail.example.org/", "{}").unwrap_err(), TransportError::Unencrypted);
    assert!(custom("http://127.0.0.1:1/", "{}").is_ok());
    assert!(custom("http://[::1]:1/", "{}").is_ok());
    assert!(custom("https://user:pass@mail.example.org/", "{}").is_err());
    assert_eq!(Transport::HttpApi(Box::new(custom("https://x.example/", "{}").unwrap())).name(), "http");
}
