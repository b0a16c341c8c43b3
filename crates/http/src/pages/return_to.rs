//! Where a sign-in leads (B3): to one of our own paths, or to an address that the operator registered.

use axum::http::{HeaderValue, Uri};

use super::render::POLICY;
use crate::extract::origin_of;

/// The longest path to come back to.
const PATH_MAX: usize = 1024;

/// The wanted place, if it may be gone to.
pub(super) fn checked<'a>(wanted: &'a str, registered: &[String]) -> Option<&'a str> {
    (is_own_path(wanted) || registered.iter().any(|url| url == wanted)).then_some(wanted)
}

/// One path of this host, which every browser reads as such: nothing in it can become a host, a scheme or another path.
fn is_own_path(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    if text.len() > PATH_MAX || !text.starts_with('/') || !text.bytes().all(plain) {
        return false;
    }
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let path = uri.path().to_ascii_lowercase();
    let encoded = ["%2f", "%5c", "%2e", "%00", "%0a", "%0d", "%09"].iter().any(|part| path.contains(part));
    let dots = path.split('/').any(|segment| matches!(segment, "." | ".."));
    uri.authority().is_none() && uri.scheme().is_none() && !path.contains("//") && !encoded && !dots
}

/// The policy of a page whose form ends up there: browsers apply `form-action` to where a form is redirected, too.
pub(super) fn policy(to: Option<&str>) -> HeaderValue {
    let away = to.filter(|to| !to.starts_with('/')).map(origin_of);
    let own = POLICY;
    let own = own.to_str().unwrap_or_default();
    let both = away.map(|origin| own.replace("form-action 'self'", &format!("form-action 'self' {origin}")));
    both.and_then(|policy| HeaderValue::try_from(policy).ok()).unwrap_or(POLICY)
}

#[cfg(test)]
mod tests {
    use super::*;

    // B3
    #[test]
    fn only_own_paths_and_registered_addresses_are_gone_to() {
        let registered = ["https://app.example.org/signed-in".to_owned()];
        for good in [
            "/",
            "/account",
            "/account?done=profile",
            "/a/b-c_d.e?x=//evil.example&y=%2F",
            "/a?next=https://evil.example",
            "/account#sessions",
            "https://app.example.org/signed-in",
        ] {
            assert_eq!(checked(good, &registered), Some(good));
        }
        for bad in [
            "",
            "account",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/a\\..\\..//evil.example",
            "/%2f/evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/a//evil.example",
            "/./evil",
            "/..//evil.example",
            "/%2e%2e//evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x=y",
            "/a b",
            "/ä",
            " /account",
            "javascript:alert(1)",
            "data:text/html,x",
            "https:/account",
            "https://evil.example",
            "https://app.example.org",
            "https://app.example.org/signed-in/",
            "https://app.example.org/signed-in?x=1",
            "https://app.example.org/signed-in#x",
            "https://app.example.org@evil.example/signed-in",
            "https://app.example.org.evil.example/signed-in",
            "HTTPS://APP.example.org/signed-in",
            "http://app.example.org/signed-in",
        ] {
            assert_eq!(checked(bad, &registered), None, "{bad:?}");
        }
        let longest = format!("/{}", "a".repeat(PATH_MAX - 1));
        assert_eq!(checked(&longest, &registered), Some(longest.as_str()));
        assert_eq!(checked(&format!("{longest}a"), &registered), None);
    }

    #[test]
    fn a_form_may_end_up_where_it_is_allowed_to() {
        assert_eq!(policy(Some("/account")), POLICY);
        let away = policy(Some("https://app.example.org:8443/signed-in"));
        let text = away.to_str().expect("text");
        assert!(text.contains("form-action 'self' https://app.example.org:8443;"), "{text}");
    }
}
