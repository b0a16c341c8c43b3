//! What the proxies in front of the server tell it of its clients.

use serde::Deserialize;

use super::report::Finding;

const CHECK: &str = "proxies";

/// What a server of ours says of a question that came through the public URL.
#[derive(Debug, Deserialize)]
pub(super) struct Arrived {
    /// Shows that it is one of ours.
    pub(super) answer: String,
    /// Who connected to it; `None` on a Unix socket.
    #[serde(default)]
    peer: Option<String>,
    peer_trusted: bool,
    /// Whether `X-Forwarded-For` named a client.
    forwarded: bool,
}

/// `is_https`: something ends TLS in front of the server.
pub(super) fn check(arrived: &Arrived, is_https: bool) -> Finding {
    let peer = arrived.peer.as_deref().unwrap_or("the Unix socket");
    match (arrived.peer_trusted, arrived.forwarded) {
        (true, true) => Finding::ok(CHECK, format!("{peer} is trusted, and names the client")),
        (true, false) => Finding::fail(CHECK, format!("{peer} is trusted, and names no client"))
            .cause("without X-Forwarded-For all people together count as one client, and soon meet the limits")
            .fix("nginx: `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`; Caddy and Traefik send it by themselves"),
        (false, true) => Finding::fail(CHECK, format!("{peer} names the client, and is not trusted"))
            .cause("all people together count as one client, the proxy, and soon meet the limits")
            .fix(format!("VESTIBULE_TRUSTED_PROXIES={peer}, added to those that are there already")),
        (false, false) if is_https => Finding::fail(CHECK, format!("{peer} ends TLS, and names no client"))
            .cause("all people together count as one client, the proxy, and soon meet the limits")
            .fix(format!("let it send X-Forwarded-For, and set VESTIBULE_TRUSTED_PROXIES={peer}")),
        (false, false) => Finding::ok(CHECK, format!("none: {peer} is the client")),
    }
}
