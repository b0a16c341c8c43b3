//! The forms of our own pages, sent from our own pages (B2).

use axum::extract::{FromRef as _, FromRequest, Request};
use axum::http::{HeaderMap, header};
use vestibule::Accounts;

use super::cookies::Cookie;
use super::{Form, Pairs};
use crate::catalogue::Code;
use crate::problem::Problem;
use crate::{App, Site};

/// The body of a form that this browser was shown; else 403 `forbidden`.
pub(crate) struct PageForm(pub(crate) Pairs);

/// The body of a form that was shown in this session; else 403 `forbidden`.
pub(crate) struct MemberForm(pub(crate) Pairs);

impl FromRequest<App> for PageForm {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        read(request, app, Cookie::Form).await.map(Self)
    }
}

impl FromRequest<App> for MemberForm {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        read(request, app, Cookie::Session).await.map(Self)
    }
}

/// Two walls: what the browser says about the sender, and a token that only a page shown to this browser has.
async fn read(request: Request, app: &App, holder: Cookie) -> Result<Pairs, Problem> {
    let accounts = Accounts::from_ref(app);
    let site = std::sync::Arc::<Site>::from_ref(app);
    if !is_own(request.headers(), accounts.public_url()) {
        let detail = "The form was sent from another site. Open the page here and press its button.";
        return Err(Problem::new(Code::Forbidden).detail(detail));
    }
    let holder = site.cookies.get(request.headers(), holder).map(str::to_owned);
    let Form(mut pairs) = Form::from_request(request, app).await?;
    let token = pairs.take("form_token").unwrap_or_default();
    if !holder.is_some_and(|holder| accounts.is_form_token(&holder, &token)) {
        let detail =
            "The form was not shown in this browser session, or cookies are off. Open the page again.";
        return Err(Problem::new(Code::Forbidden).detail(detail));
    }
    Ok(pairs)
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
pub(crate) fn origin_of(url: &str) -> &str {
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
