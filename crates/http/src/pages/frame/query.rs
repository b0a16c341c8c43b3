//! The query of a page's address.

use axum::http::Uri;

use crate::extract::Pairs;

/// The parameters of an address. Mail programs add their own, so malformed ones count as none.
pub(crate) fn query(uri: &Uri) -> Pairs {
    Pairs::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default()
}
