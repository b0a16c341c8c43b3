//! What a page may do in a browser (Content Security Policy, B1).

use axum::http::HeaderValue;

use crate::base::origin_of;

/// Our own scripts and styles, forms to ourselves, nothing else, and no framing (B1).
pub(crate) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The policy of a page whose form ends up at `to`: browsers apply `form-action` to redirects of a form as well.
pub(crate) fn leading_to(to: Option<&str>) -> HeaderValue {
    let away = to.filter(|to| !to.starts_with('/')).map(origin_of);
    let own = POLICY;
    let own = own.to_str().unwrap_or_default();
    let both = away.map(|origin| own.replace("form-action 'self'", &format!("form-action 'self' {origin}")));
    both.and_then(|policy| HeaderValue::try_from(policy).ok()).unwrap_or(POLICY)
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
}
