//! The end of a path.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::catalogue::Code;
use crate::problem::Problem;

/// The last segment of the path as it was sent: an encoded spelling names something else (H5). 404 where it names
/// nothing.
pub(crate) struct LastSegment<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for LastSegment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let named = parts.uri.path().rsplit('/').next().and_then(|text| text.parse().ok());
        named.map(Self).ok_or(Problem::new(Code::NotFound))
    }
}
