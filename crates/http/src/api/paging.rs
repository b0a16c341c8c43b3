//! Shared by all lists: the size of a page, and the link to the next one (RFC 8288).

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue};
use vestibule::Accounts;

use crate::catalogue::Code;
use crate::problem::field_error::FieldError;

pub(super) fn limit(text: &str) -> Result<u32, FieldError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number.ok_or(FieldError::new("/limit", Code::LimitInvalid))
}

/// `Link: <…>; rel="next"` with the conditions of this page, if there is a next one.
pub(super) fn link_to_next(
    accounts: &Accounts,
    path: &str,
    conditions: impl IntoIterator<Item = (&'static str, Option<String>)>,
    cursor: Option<&str>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(cursor) = cursor else { return headers };
    let all = conditions.into_iter().chain([("cursor", Some(cursor.to_owned()))]);
    let sent: Vec<_> = all.filter_map(|(name, value)| Some((name, value?))).collect();
    let query = serde_urlencoded::to_string(sent).unwrap_or_default();
    let link = format!("<{}{path}?{query}>; rel=\"next\"", accounts.public_url());
    if let Ok(link) = HeaderValue::from_str(&link) {
        headers.insert(LINK, link);
    }
    headers
}
