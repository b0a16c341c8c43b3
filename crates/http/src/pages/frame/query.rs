//! What the address of a page asks for.

use axum::http::Uri;

use crate::extract::Pairs;

/// The parameters of an address. Mail programs add some of their own, so broken ones count as none.
pub(crate) fn query(uri: &Uri) -> Pairs {
    Pairs::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default()
}
