//! One header of a request.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::catalogue::Code;
use crate::problem::Problem;

/// The only value of a header that must not occur twice (H9).
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a HeaderValue>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(
            Problem::new(Code::InvalidRequest).detail(format!("The header `{name}` came more than once."))
        );
    }
    Ok(first)
}
