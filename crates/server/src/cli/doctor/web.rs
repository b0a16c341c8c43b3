//! Whether `public_url` leads here: DNS, connection, TLS, and what answers.

use std::time::Duration;

use hyper::Uri;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use vestibule::Env;

use super::certificate::{self, Judgement};
use super::report::{Finding, Report};
use crate::config::settings::Config;
use crate::config::values::{Listen, PublicUrl};
use crate::failure::Failure;

const CHECK: &str = "public url";
/// A person waits; browsers are more patient.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Asks the server by the address that people use.
pub(super) async fn check(config: &Config, report: &mut Report) -> Result<(), Failure> {
    let Some(url) = &config.public_url else { return Ok(()) };
    let (findings, answered) = match timeout(ANSWER_MAX, ask(url)).await {
        Ok((findings, answered)) => (findings, answered),
        Err(_) => (Vec::new(), Err(format!("no answer within {} s", ANSWER_MAX.as_secs()))),
    };
    report.add_all(&findings)?;
    report.add(&judged(url, answered))?;
    proxies(config).map_or(Ok(()), |finding| report.add(&finding))
}

fn judged(url: &PublicUrl, answered: Result<u16, String>) -> Finding {
    let ready = format!("{}/readyz", url.text);
    match answered {
        Ok(200) => Finding::ok(CHECK, format!("{ready} answers: a server is ready")),
        Ok(503) => Finding::fail(CHECK, format!("{ready} answers 503"))
            .cause("no server is ready behind the proxy: it is not running, or cannot write to its database")
            .fix("`vestibule healthcheck` on the machine of the server; `journalctl -u vestibule` is its log"),
        Ok(status) => Finding::fail(CHECK, format!("{ready} answers {status}"))
            .cause("the proxy leads elsewhere, or does not pass the path on unchanged")
            .fix("let the proxy pass everything under public_url to the address in `listen`: `vestibule check-config --explain listen`"),
        Err(cause) => Finding::fail(CHECK, format!("{ready} does not answer")).cause(cause).fix(
            "start the server, `systemctl start vestibule`; let DNS and the proxy lead to it, or correct VESTIBULE_PUBLIC_URL",
        ),
    }
}

/// Whoever is in front ends TLS, and is the client of every request unless it is named.
fn proxies(config: &Config) -> Option<Finding> {
    let is_behind_one = config.public_url.as_ref().is_some_and(|url| url.is_https);
    if !is_behind_one || matches!(config.listen, Listen::Unix(_)) {
        return None;
    }
    if !config.trusted_proxies.is_empty() {
        let number = config.trusted_proxies.len();
        return Some(Finding::ok(
            "proxies",
            format!("{number} address(es) or network(s) are trusted with the client's address"),
        ));
    }
    Some(
        Finding::warn(
            "proxies",
            "`trusted_proxies` is empty, though something in front of the server ends TLS",
        )
        .cause("all people together count as one client, the proxy, and soon meet the limits")
        .fix("set VESTIBULE_TRUSTED_PROXIES to the proxy's address, e.g. 127.0.0.1"),
    )
}

/// What was found on the way, and the status of the answer or why there was none.
async fn ask(url: &PublicUrl) -> (Vec<Finding>, Result<u16, String>) {
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
        return (Vec::new(), status(stream, &uri, url).await);
    }
    match certificate::shake_hands(stream, name).await {
        Ok((stream, expires)) => {
            let finding = expires.map(|expires| of_certificate(&Judgement::of(expires, Env::system().now())));
            (finding.into_iter().collect(), status(stream, &uri, url).await)
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

async fn status(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    uri: &Uri,
    url: &PublicUrl,
) -> Result<u16, String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
    let driver = tokio::spawn(connection);
    let host = uri.authority().map_or(url.host.as_str(), |it| it.as_str());
    let request =
        hyper::Request::get(format!("{}/readyz", url.path)).header("host", host).body(String::new());
    let response = sender.send_request(request.map_err(text)?).await.map_err(text);
    driver.abort();
    Ok(response?.status().as_u16())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
