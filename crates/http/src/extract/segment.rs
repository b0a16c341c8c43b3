//! The end of a path, as sent: an encoded spelling names something else (H5). 404 if it names nothing.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::catalogue::Code;
use crate::problem::Problem;

/// The last segment of the path.
pub(crate) struct LastSegment<T>(pub(crate) T);

/// The second to last segment, in paths that end with an action.
pub(crate) struct SegmentBeforeLast<T>(pub(crate) T);

/// The third to last segment, in paths that end with an action on a part.
pub(crate) struct ThirdFromLast<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for ThirdFromLast<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        named(parts, 2).map(Self)
    }
}

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for LastSegment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        named(parts, 0).map(Self)
    }
}

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for SegmentBeforeLast<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        named(parts, 1).map(Self)
    }
}

fn named<T: FromStr>(parts: &Parts, from_end: usize) -> Result<T, Problem> {
    let segment = parts.uri.path().rsplit('/').nth(from_end);
    segment.and_then(|text| text.parse().ok()).ok_or(Problem::new(Code::NotFound))
}
