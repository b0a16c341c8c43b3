//! What a page may do in a browser (Content Security Policy, B1).

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;
use vestibule::{Accounts, Secret};

use crate::base::origin_of;

/// Our own scripts and styles, forms to ourselves, nothing else, and no framing (B1).
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The policy of a page whose form ends up at `to`: browsers apply `form-action` to redirects of a form as well.
pub(crate) fn leading_to(to: Option<&str>) -> HeaderValue {
    let away = to.filter(|to| !to.starts_with('/')).map(source_of);
    let own = POLICY;
    let own = own.to_str().unwrap_or_default();
    let both = away.map(|source| own.replace("form-action 'self'", &format!("form-action 'self' {source}")));
    both.and_then(|policy| HeaderValue::try_from(policy).ok()).unwrap_or(POLICY)
}

/// What a policy calls the place of an address: its origin. For the addresses that have none, or one that a policy has no
/// word for (an IPv6 address), it is the scheme.
fn source_of(address: &str) -> &str {
    let (scheme, rest) = address.split_at(address.find(':').map_or(0, |at| at + 1));
    if matches!(scheme, "http:" | "https:") && rest.starts_with("//") && !rest.starts_with("//[") {
        let origin = origin_of(address);
        return origin.split('?').next().unwrap_or(origin);
    }
    scheme
}

/// A page on the way to an application, where its forms end up in the end. Only the kept request knows the address.
#[derive(Clone)]
pub(crate) struct WayToApplication {
    pub(crate) accounts: Accounts,
    pub(crate) browser: Secret,
    pub(crate) request: String,
}

impl WayToApplication {
    /// Lets the forms of such a page lead to its application.
    pub(crate) async fn open(mut response: Response) -> Response {
        let Some(way) = response.extensions_mut().remove::<Self>() else { return response };
        let Self { accounts, browser, request } = way;
        match accounts.kept_authorization(browser.expose(), &request).await {
            Ok(Some(request)) => {
                let policy = leading_to(Some(request.redirect_uri().as_str()));
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a form may not lead to its application"),
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_end_up_where_it_is_allowed_to() {
        assert_eq!(leading_to(Some("/account")), POLICY);
        let away = leading_to(Some("https://app.example.org:8443/signed-in"));
        let text = away.to_str().expect("text");
        assert!(text.contains("form-action 'self' https://app.example.org:8443;"), "{text}");
    }

    #[test]
    fn every_address_of_an_application_has_a_word_in_the_policy() {
        for (address, source) in [
            ("https://app.example.org?from=x", "https://app.example.org"),
            ("http://127.0.0.1:49152/callback", "http://127.0.0.1:49152"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:49152/callback", "http:"),
            ("com.example.app:/callback", "com.example.app:"),
            ("com.example.app://callback/x?y", "com.example.app:"),
        ] {
            assert_eq!(source_of(address), source);
        }
    }
}
