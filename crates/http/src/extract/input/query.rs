//! The query of a URL, read as strictly as a body.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use vestibule::Accounts;

use super::fields::{Fields, ReadFields};
use super::form::Pairs;
use super::tree::Tree;
use crate::problem::Problem;

/// A query whose parameters make a `T`.
pub(crate) struct Query<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: ReadFields,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let pairs = Pairs::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        let sent = pairs.0.into_iter().map(|(name, value)| (name, Tree::Text(value))).collect();
        Fields::read_all(sent, Accounts::from_ref(state).policy()).map(Query)
    }
}
