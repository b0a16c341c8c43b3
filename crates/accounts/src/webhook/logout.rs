//! What the worker passes to a transport when a session with an application has ended.

use std::future::Future;

use crate::domain::application::id::ApplicationId;
use crate::domain::secret::Secret;
use crate::mail::SendError;

/// One attempt to tell one application that a session with it has ended (OpenID Connect Back-Channel Logout §2.5).
#[derive(Clone, Debug)]
pub struct Logout {
    /// Who is told.
    pub application: ApplicationId,
    /// Its `logout_uri`, as it is registered now.
    pub uri: String,
    /// The logout token, signed for this attempt: to be posted as `logout_token`.
    pub token: Secret,
}

/// Posts logout tokens to applications. `Ok` means that one has been accepted.
pub trait LogoutTransport: Send + Sync {
    /// Posts one. Must give up by itself within a minute.
    fn post(&self, logout: &Logout) -> impl Future<Output = Result<(), SendError>> + Send;
}
