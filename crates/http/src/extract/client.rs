//! Who is asking.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use vestibule::Secret;

use super::TrustedProxies;
use super::cookies::{DEVICE, cookie};
use crate::problem::Problem;

/// Characters of a `User-Agent` that are kept.
const USER_AGENT_MAX: usize = 256;

/// The client of a request, for the limits and the list of sessions.
///
/// The address is there when the server was started with `into_make_service_with_connect_info::<SocketAddr>()`, or
/// puts a `ConnectInfo<SocketAddr>` into the extensions of each request.
#[derive(Clone, Debug)]
pub struct Client(pub vestibule::Client);

impl<S> FromRequestParts<S> for Client
where
    S: Send + Sync,
    TrustedProxies: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let ip = peer.map(|peer| TrustedProxies::from_ref(state).client(peer, &parts.headers));
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(USER_AGENT_MAX).collect());
        let device_token = cookie(&parts.headers, DEVICE).map(Secret::from);
        Ok(Self(vestibule::Client { ip, user_agent, device_token }))
    }
}
