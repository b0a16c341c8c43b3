//! `vestibule healthcheck`: one request to `/readyz`, for container health checks. The image has no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};

use super::context::Context;
use super::terminal::output;
use crate::config::values::Listen;
use crate::failure::Failure;
use crate::open;

/// Shorter than the usual timeout of a container runtime, so that the cause is still printed.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the check: exit code 0 if a sign-up would work now.
pub(crate) fn run(context: &Context, url: Option<&str>) -> Result<(), Failure> {
    let target = if let Some(url) = url {
        Target::of_url(url)?
    } else {
        let config = context.config()?;
        let base = config.public_url.map_or_else(String::new, |url| url.path);
        Target::of_listen(config.listen, &base)
    };
    open::block_on(async {
        let late = || Err(format!("no answer within {} s", TIMEOUT.as_secs()));
        let status = tokio::time::timeout(TIMEOUT, target.status()).await.unwrap_or_else(|_| late());
        match status {
            Ok(200) if context.json => output::object(json!({ "ready": true })),
            Ok(200) => output::line("ready"),
            Ok(status) => Err(not_ready(&format!("{} answers {status}", target.name))),
            Err(cause) => Err(not_ready(&format!("{}: {cause}", target.name))),
        }
    })
}

fn not_ready(cause: &str) -> Failure {
    Failure::failed(format!("not ready: {cause}")).fix("look at the server's log; --url asks another address")
}

/// The server to ask, and the path.
struct Target {
    name: String,
    place: Place,
    path: String,
}

enum Place {
    Tcp(String),
    Unix(std::path::PathBuf),
}

impl Target {
    /// A server that listens on every address is asked on a local one.
    fn of_listen(listen: Listen, base: &str) -> Self {
        let place = match listen {
            Listen::Unix(path) => Place::Unix(path),
            Listen::Tcp(address) => {
                let ip = match address.ip() {
                    IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
                    IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
                    ip => ip,
                };
                Place::Tcp(SocketAddr::new(ip, address.port()).to_string())
            }
        };
        let name = match &place {
            Place::Tcp(address) => format!("http://{address}{base}/readyz"),
            Place::Unix(path) => format!("unix:{}", path.display()),
        };
        Self { name, place, path: format!("{base}/readyz") }
    }

    fn of_url(url: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::usage(format!("--url {url:?} is not an http:// address"))
                .fix("write e.g. http://127.0.0.1:8080/readyz")
        };
        let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        if authority.is_empty() || url.contains(|c: char| c.is_control() || c == ' ') {
            return Err(wrong());
        }
        let address = if has_port { authority.to_owned() } else { format!("{authority}:80") };
        let path = if path.is_empty() { "/readyz" } else { path };
        Ok(Self { name: url.to_owned(), place: Place::Tcp(address), path: path.to_owned() })
    }

    async fn status(&self) -> Result<u16, String> {
        match &self.place {
            Place::Unix(path) => self.ask(UnixStream::connect(path).await.map_err(text)?, "localhost").await,
            Place::Tcp(address) => {
                let addresses: Vec<_> = lookup_host(address).await.map_err(text)?.collect();
                self.ask(TcpStream::connect(addresses.as_slice()).await.map_err(text)?, address).await
            }
        }
    }

    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        host: &str,
    ) -> Result<u16, String> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        let driver = tokio::spawn(connection);
        let request = Request::get(&self.path).header("host", host).body(String::new()).map_err(text)?;
        let response = sender.send_request(request).await.map_err(text)?;
        driver.abort();
        Ok(response.status().as_u16())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
