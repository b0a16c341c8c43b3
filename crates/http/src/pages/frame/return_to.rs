//! Where a sign-in leads (B3): to one of our own paths, or to a URL that the operator registered.
//!
//! Links and forms carry it from page to page. While a mail is on its way, the browser that requested the mail keeps
//! it: in the mail it would be the choice of whoever requested that, possibly a stranger.

use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use vestibule::SignUpMode;

use super::visit::{GO_ON, Visit, with_cookie};
use crate::extract::cookies::Cookie;

/// The longest path to return to.
const PATH_MAX: usize = 1024;

impl Visit {
    /// A visit that leads to this place; a place that is not allowed is ignored.
    pub(crate) fn returning(mut self, wanted: Option<&str>) -> Self {
        let to = wanted.and_then(|wanted| checked(wanted, &self.site.return_urls));
        if to.is_none() {
            self.choice.forget("return_to");
        }
        self.return_to = to.map(str::to_owned);
        self
    }

    /// A visit that leads to one of the pages for members, or on with the request of an application.
    pub(crate) fn returning_to_members(self, wanted: Option<&str>) -> Self {
        let inside = wanted.filter(|wanted| is_for_members(&self.site.base.leading_to(wanted)));
        self.returning(inside)
    }

    /// A visit that leads to the place the browser keeps. It is checked again: it may be old.
    pub(crate) fn returning_as_kept(self) -> Self {
        let kept = self.kept_place();
        self.returning(kept.as_deref())
    }

    fn kept_place(&self) -> Option<String> {
        let kept = BASE64URL_NOPAD.decode(self.cookie(Cookie::Return)?.as_bytes()).ok()?;
        String::from_utf8(kept).ok()
    }

    /// The same, but only to go on with the request of an application.
    pub(crate) fn returning_to_application(self) -> Self {
        if self.kept_request().is_some() { self.returning_as_kept() } else { self }
    }

    /// The request of an application that the browser keeps the place of.
    pub(crate) fn kept_request(&self) -> Option<String> {
        let place = self.kept_place().filter(|place| is_own_path(place))?;
        self.site.base.leading_to(&place).strip_prefix(GO_ON).map(str::to_owned)
    }

    /// Makes the browser keep where this visit leads until a mail arrives, or delete where another one led.
    pub(crate) fn keep_return(&self, lasts: Duration) -> HeaderValue {
        let cookies = self.site.cookies;
        match &self.return_to {
            Some(to) => cookies.set(Cookie::Return, &BASE64URL_NOPAD.encode(to.as_bytes()), Some(lasts)),
            None => cookies.clear(Cookie::Return),
        }
    }

    /// A person without an account may need an invitation, which comes by mail: its page leads on.
    pub(crate) fn kept_for_an_invitation(&self, page: Response) -> Response {
        let policy = self.accounts.policy();
        if self.return_to.is_none() || policy.sign_up.mode != SignUpMode::Invitation {
            return page;
        }
        with_cookie(page, self.keep_return(policy.admin.invitation_lifetime))
    }
}

/// Whether one of our paths is a page for members, or where an application's request goes on.
fn is_for_members(path: &str) -> bool {
    if path.starts_with(GO_ON) {
        return true;
    }
    let rest = ["/account", "/admin"].into_iter().find_map(|start| path.strip_prefix(start));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// The requested place, if it is allowed.
fn checked<'a>(wanted: &'a str, registered: &[String]) -> Option<&'a str> {
    (is_own_path(wanted) || registered.iter().any(|url| url == wanted)).then_some(wanted)
}

/// A path of this host, which every browser reads as such: nothing in it can become a host, a scheme or another path.
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
}
