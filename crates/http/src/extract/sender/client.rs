//! The client of a request.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use vestibule::{Accounts, Secret};

use super::proxies::TrustedProxies;
use crate::extract::cookies::{Cookie, Cookies};
use crate::problem::Problem;

/// Characters of a `User-Agent` that are kept.
const USER_AGENT_MAX: usize = 256;

/// The client of a request, for the limits and the list of sessions.
///
/// The address is known if the server was started with `into_make_service_with_connect_info::<SocketAddr>()`, or puts a
/// `ConnectInfo<SocketAddr>` into the extensions of each request. Without it the request is refused with 500, unless
/// the [`TrustedProxies`] say otherwise.
#[derive(Clone, Debug)]
pub struct Client(pub vestibule::Client);

impl<S> FromRequestParts<S> for Client
where
    S: Send + Sync,
    Accounts: FromRef<S>,
    TrustedProxies: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let cookies = Cookies::of(Accounts::from_ref(state).public_url());
        Self::of(parts, &TrustedProxies::from_ref(state), cookies).map(Self)
    }
}

impl Client {
    pub(crate) fn of(
        parts: &Parts,
        proxies: &TrustedProxies,
        cookies: Cookies,
    ) -> Result<vestibule::Client, Problem> {
        let user_agent = parts
            .headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(USER_AGENT_MAX).collect());
        Ok(vestibule::Client {
            ip: proxies.client_of(&parts.extensions, &parts.headers)?,
            user_agent,
            device_token: cookies.get(&parts.headers, Cookie::Device).map(Secret::from),
        })
    }
}
