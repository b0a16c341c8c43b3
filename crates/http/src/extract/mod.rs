//! What handlers take from a request. Everything is read strictly: what is not understood is refused, never guessed.

mod admin;
mod basic;
mod bearer;
mod client;
pub(crate) mod cookies;
pub(crate) mod fields;
mod form;
mod if_match;
mod json;
mod page_form;
mod proxies;
mod query;
mod segment;
mod tree;

pub use bearer::SignedIn;
pub use client::Client;
pub use proxies::{ProxyError, TrustedProxies};

pub(crate) use admin::Administrator;
pub(crate) use basic::{Basic, credentials};
pub(crate) use fields::{Fields, GivenPassword, ReadFields};
pub(crate) use form::{Form, Pairs};
pub(crate) use if_match::{IfMatch, etag};
pub(crate) use json::Json;
pub(crate) use page_form::{MemberForm, PageForm, origin_of};
pub(crate) use query::Query;
pub(crate) use segment::{LastSegment, SegmentBeforeLast};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::catalogue::Code;
use crate::problem::Problem;

/// The only value of a header that must not come twice (H9).
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
