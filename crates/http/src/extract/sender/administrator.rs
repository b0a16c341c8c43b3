//! Administrators, identified before anything else in their request is read.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use vestibule::Accounts;

use super::bearer::Bearer;
use crate::problem::Problem;

/// A signed-in administrator; 403 `forbidden` for everyone else, whatever they sent. The operation checks again.
pub(crate) struct Administrator(pub(crate) vestibule::SignedIn);

impl<S> FromRequestParts<S> for Administrator
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Bearer(who) = Bearer::from_request_parts(parts, state).await?;
        if who.is_admin() { Ok(Self(who)) } else { Err(Problem::lacking_role("admin")) }
    }
}
