//! The address of a client, which the limits count: from the connection, from a proxy, or, if so configured, unknown.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};

use super::proxies::{TrustedProxies, UnknownPeer};
use crate::catalogue::Code;
use crate::problem::Problem;

/// The log message and the first answer of a router behind a server without addresses.
const NOT_SERVED: &str = "The server does not learn the addresses of its clients, so no limit per client could hold. \
     Serve it with `vestibule_http::serve`, or with \
     `router.into_make_service_with_connect_info::<std::net::SocketAddr>()`. Where only a proxy connects, e.g. on a Unix \
     socket, or in a test, say so with `TrustedProxies::with_unknown_peers`.";

impl TrustedProxies {
    /// The same networks, with this treatment of requests without a `ConnectInfo<SocketAddr>` among their extensions.
    #[must_use]
    pub fn with_unknown_peers(self, peers: UnknownPeer) -> Self {
        Self(self.0, peers)
    }

    /// Whether the address of this request's client can be known (L5).
    pub(crate) fn check(&self, extensions: &Extensions) -> Result<(), Problem> {
        if peer(extensions).is_some() || self.1 != UnknownPeer::IsRefused {
            return Ok(());
        }
        tracing::error!("{NOT_SERVED}");
        Err(Problem::new(Code::InternalError).detail(NOT_SERVED))
    }

    /// The address of the client; `None` only if that was allowed.
    pub(crate) fn client_of(
        &self,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> Result<Option<IpAddr>, Problem> {
        self.check(extensions)?;
        Ok(match (peer(extensions), self.1) {
            (Some(peer), _) => Some(self.client(peer, headers)),
            (None, UnknownPeer::IsProxy) => {
                Some(self.forwarded(headers).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
            }
            (None, _) => None,
        })
    }

    /// Who connected, and whether a proxy named a client.
    pub(crate) fn seen(&self, extensions: &Extensions, headers: &HeaderMap) -> (Option<IpAddr>, bool) {
        let peer = peer(extensions).map(|peer| peer.to_canonical());
        (peer, self.forwarded(headers).is_some())
    }

    /// Whether the request comes from a trusted proxy, whose headers count.
    pub(crate) fn contain_peer_of(&self, extensions: &Extensions) -> bool {
        peer(extensions).map_or(self.1 == UnknownPeer::IsProxy, |peer| self.contain(peer.to_canonical()))
    }
}

fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    // L5
    #[test]
    fn a_peer_that_nobody_knows_is_what_was_said() {
        let mut headers = HeaderMap::new();
        let nowhere = Extensions::new();
        let client = |peers, headers: &HeaderMap| {
            TrustedProxies::default().with_unknown_peers(peers).client_of(&nowhere, headers)
        };
        assert!(client(UnknownPeer::default(), &headers).is_err());
        assert_eq!(client(UnknownPeer::IsUnlimited, &headers).ok(), Some(None));
        let own: IpAddr = [127, 0, 0, 1].into();
        assert_eq!(client(UnknownPeer::IsProxy, &headers).ok(), Some(Some(own)));
        headers.append("x-forwarded-for", HeaderValue::from_static("1.1.1.1, 203.0.113.9"));
        let named: IpAddr = [203, 0, 113, 9].into();
        assert_eq!(client(UnknownPeer::IsProxy, &headers).ok(), Some(Some(named)));
        assert_eq!(client(UnknownPeer::IsUnlimited, &headers).ok(), Some(None), "whoever wrote it");
    }
}
