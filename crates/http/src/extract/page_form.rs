//! The forms of our own pages, sent from our own pages (B2).

use axum::extract::{FromRef, FromRequest, Request};
use axum::http::{HeaderMap, header};
use vestibule::Accounts;

use super::{Form, Pairs};
use crate::catalogue::Code;
use crate::problem::Problem;

/// The body of a form; 403 `forbidden` when a browser says that another site sent it.
pub(crate) struct PageForm(pub(crate) Pairs);

impl<S> FromRequest<S> for PageForm
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_own(request.headers(), Accounts::from_ref(state).public_url()) {
            let detail = "The form was sent from another site. Open the page here and press its button.";
            return Err(Problem::new(Code::Forbidden).detail(detail));
        }
        Form::from_request(request, state).await.map(|Form(pairs)| Self(pairs))
    }
}

/// `Sec-Fetch-Site` decides where a browser sends it, which it does over TLS and to the own machine. `Origin` decides
/// elsewhere; there `null` says nothing, because it is also what our pages send: they forbid referrers (Fetch, "`Origin` header").
fn is_own(headers: &HeaderMap, public_url: &str) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    if sites.peek().is_some() {
        return sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    }
    let own =
        |origin: &[u8]| origin == b"null" || origin.eq_ignore_ascii_case(origin_of(public_url).as_bytes());
    headers.get_all(header::ORIGIN).iter().all(|origin| own(origin.as_bytes()))
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> &str {
    let host_at = url.find("://").map_or(0, |at| at + 3);
    url[host_at..].find('/').map_or(url, |end| &url[..host_at + end])
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn own(sent: &[(&'static str, &'static str)]) -> bool {
        let pairs =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_own(&pairs.collect(), "https://accounts.example.org/base")
    }

    // B2
    #[test]
    fn a_form_of_another_site_is_known_by_its_headers() {
        for sent in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://accounts.example.org")],
            &[("origin", "null")],
        ] {
            assert!(own(sent), "{sent:?}");
        }
        for sent in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://accounts.example.org")],
            &[("sec-fetch-site", "cross-site"), ("origin", "null")],
            &[("sec-fetch-site", "")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://accounts.example.org")],
            &[("origin", "https://accounts.example.org:8443")],
            &[("origin", "https://accounts.example.org.evil.example")],
            &[("origin", "")],
        ] {
            assert!(!own(sent), "{sent:?}");
        }
    }
}
