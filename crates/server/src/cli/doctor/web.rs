//! Whether `public_url` leads here: DNS, connection, TLS, and what answers.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use vestibule::{Accounts, Env};

use super::certificate::{self, Judgement};
use super::proxies::{self, Arrived};
use super::report::{Finding, Report};
use crate::config::settings::Config;
use crate::config::values::PublicUrl;
use crate::failure::Failure;

const CHECK: &str = "public url";
/// A person waits; browsers are more patient.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Ours are much smaller.
const BODY_MAX: usize = 64 * 1024;

/// What answered.
struct Answer {
    /// Of `/readyz`.
    status: u16,
    /// How our question arrived, if a server of ours answered; `None`: it was not one.
    arrived: Option<Arrived>,
}

/// Asks the server by the address that people use.
pub(super) async fn check(
    config: &Config,
    accounts: Option<&Accounts>,
    report: &mut Report,
) -> Result<(), Failure> {
    let Some(url) = &config.public_url else { return Ok(()) };
    let (findings, answered) = match timeout(ANSWER_MAX, ask(url, accounts)).await {
        Ok((findings, answered)) => (findings, answered),
        Err(_) => (Vec::new(), Err(format!("no answer within {} s", ANSWER_MAX.as_secs()))),
    };
    report.add_all(&findings)?;
    report.add(&judged(url, &answered, accounts.is_some()))?;
    match answered {
        Ok(Answer { arrived: Some(arrived), .. }) => report.add(&proxies::check(&arrived, url.is_https)),
        _ => Ok(()),
    }
}

/// `asked`: whether a server of ours would have said so.
fn judged(url: &PublicUrl, answered: &Result<Answer, String>, asked: bool) -> Finding {
    let ready = format!("{}/readyz", url.text);
    let through = "let the proxy pass everything under public_url to the address in `listen`: \
                   `vestibule check-config --explain listen`";
    match answered {
        Ok(Answer { status: 200, arrived: Some(_) }) => {
            Finding::ok(CHECK, format!("{ready} answers: a server with this secret key is ready"))
        }
        Ok(Answer { status: 200, arrived: None }) if asked => {
            Finding::fail(CHECK, format!("{ready} answers, but not a server with this secret key"))
                .cause("the proxy or DNS leads elsewhere, or the server has another key or is of an older release")
                .fix(through)
        }
        Ok(Answer { status: 200, .. }) => {
            Finding::ok(CHECK, format!("{ready} answers; whether with this database was not asked"))
        }
        Ok(Answer { status: 503, .. }) => Finding::fail(CHECK, format!("{ready} answers 503"))
            .cause("no server is ready behind the proxy: it is not running, or cannot write to its database")
            .fix("`vestibule healthcheck` on the machine of the server; `journalctl -u vestibule` is its log"),
        Ok(Answer { status, .. }) => Finding::fail(CHECK, format!("{ready} answers {status}"))
            .cause("the proxy leads elsewhere, or does not pass the path on unchanged")
            .fix(through),
        Err(cause) => Finding::fail(CHECK, format!("{ready} does not answer")).cause(cause.clone()).fix(
            "start the server, `systemctl start vestibule`; let DNS and the proxy lead to it, or correct VESTIBULE_PUBLIC_URL",
        ),
    }
}

/// What was found on the way, and the answer or why there was none.
async fn ask(url: &PublicUrl, accounts: Option<&Accounts>) -> (Vec<Finding>, Result<Answer, String>) {
    let uri: Uri = match url.text.parse() {
        Ok(uri) => uri,
        Err(error) => return (Vec::new(), Err(text(error))),
    };
    let name = url.host.trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if url.is_https { 443 } else { 80 });
    let stream = match connect(name, port).await {
        Ok(stream) => stream,
        Err(cause) => return (Vec::new(), Err(cause)),
    };
    if !url.is_https {
        return (Vec::new(), answer(stream, &uri, url, accounts).await);
    }
    match certificate::shake_hands(stream, name).await {
        Ok((stream, expires)) => {
            let finding = expires.map(|expires| of_certificate(&Judgement::of(expires, Env::system().now())));
            (finding.into_iter().collect(), answer(stream, &uri, url, accounts).await)
        }
        Err(cause) => {
            let finding = Finding::fail("certificate", format!("no trusted connection to {name}:{port}"))
                .cause(cause.clone())
                .fix(
                    "renew or correct the proxy's certificate (`certbot renew`, `systemctl reload caddy`), with its \
                     intermediates; an authority of your own: SSL_CERT_FILE=/path/to/ca.pem vestibule doctor",
                );
            (vec![finding], Err(cause))
        }
    }
}

fn of_certificate(judgement: &Judgement) -> Finding {
    let found = format!("trusted, and valid until {}", judgement.until);
    if judgement.is_good {
        return Finding::ok("certificate", found);
    }
    Finding::warn("certificate", format!("{found}: {} day(s) more", judgement.days))
        .cause("what renews it has stopped, or renews late")
        .fix("`certbot renew`, or `systemctl reload caddy`; their logs say why it was not renewed")
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let found = lookup_host((host, port)).await;
    let addresses: Vec<_> = found.map_err(|error| format!("{host} has no address: {error}"))?.collect();
    TcpStream::connect(addresses.as_slice()).await.map_err(|error| format!("{host}:{port}: {error}"))
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    uri: &Uri,
    url: &PublicUrl,
    accounts: Option<&Accounts>,
) -> Result<Answer, String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let driver = tokio::spawn(connection);
    let host = uri.authority().map_or(url.host.as_str(), |it| it.as_str());
    let request = Request::get(format!("{}/readyz", url.path)).header("host", host).body(String::new());
    let (status, _) = exchange(&mut sender, request.map_err(text)?).await?;
    let arrived = match accounts {
        Some(accounts) => arrived(&mut sender, url, host, accounts).await,
        None => None,
    };
    driver.abort();
    Ok(Answer { status, arrived })
}

/// Asks what only a server with our secret key can answer.
async fn arrived(
    sender: &mut SendRequest<String>,
    url: &PublicUrl,
    host: &str,
    accounts: &Accounts,
) -> Option<Arrived> {
    let question = accounts.doctor_question();
    let request = Request::post(format!("{}/v1/doctor", url.path))
        .header("host", host)
        .header("content-type", "application/json")
        .body(json!({ "question": question.expose() }).to_string());
    sender.ready().await.ok()?;
    let (status, body) = exchange(sender, request.ok()?).await.ok()?;
    let arrived: Arrived = serde_json::from_slice(&body).ok().filter(|_| status == 200)?;
    accounts.is_doctor_answer(&question, &arrived.answer).then_some(arrived)
}

async fn exchange(
    sender: &mut SendRequest<String>,
    request: Request<String>,
) -> Result<(u16, Bytes), String> {
    let response = sender.send_request(request).await.map_err(text)?;
    let status = response.status().as_u16();
    let body = to_bytes(Body::new(response.into_body()), BODY_MAX).await.map_err(text)?;
    Ok((status, body))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
