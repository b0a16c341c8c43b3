//! Cookies (RFC 6265, B2).
//!
//! Over HTTPS each has the prefix `__Host-`: a browser accepts it from this host only, with `Secure` and for the whole
//! host, so no other subdomain can plant one (RFC 6265bis §4.1.3). Plain HTTP is served on the local machine only.
//! There browsers differ in how they treat `Secure` (Chromium and Firefox accept it from `localhost`, Safari does not),
//! so the cookies have neither the attribute nor the prefix.

use std::time::Duration;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use vestibule::Secret;

/// How long a device stays known: half a year.
const DEVICE_LASTS: Duration = Duration::from_hours(180 * 24);

/// How long a browser remembers a language or a theme: the longest that browsers allow.
pub(crate) const REMEMBERED: Duration = Duration::from_hours(400 * 24);

/// The purpose of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The secret of the session.
    Session,
    /// The proof that this browser signed up.
    SignUp,
    /// What forms are tied to while nobody is signed in.
    Form,
    /// Recognises a known device: see [`vestibule::Tokens::device_token`].
    Device,
    /// The chosen language.
    Language,
    /// The chosen theme: light or dark.
    Theme,
    /// Where the person wants to end up, while a mail is on its way.
    Return,
    /// The challenge for a second factor, after the right password.
    SecondFactor,
}

impl Cookie {
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-vestibule_session",
            (Self::SignUp, true) => "__Host-vestibule_signup",
            (Self::Form, true) => "__Host-vestibule_form",
            (Self::Device, true) => "__Host-vestibule_device",
            (Self::Language, true) => "__Host-vestibule_lang",
            (Self::Theme, true) => "__Host-vestibule_theme",
            (Self::Return, true) => "__Host-vestibule_return",
            (Self::SecondFactor, true) => "__Host-vestibule_factor",
            (Self::Session, false) => "vestibule_session",
            (Self::SignUp, false) => "vestibule_signup",
            (Self::Form, false) => "vestibule_form",
            (Self::Device, false) => "vestibule_device",
            (Self::Language, false) => "vestibule_lang",
            (Self::Theme, false) => "vestibule_theme",
            (Self::Return, false) => "vestibule_return",
            (Self::SecondFactor, false) => "vestibule_factor",
        }
    }
}

/// The name of the cookie with a session of our pages: `__Host-vestibule_session`, or without the prefix if the public
/// URL is plain HTTP, which it is on the local machine only. Its value is a secret.
pub fn session_cookie(public_url: &str) -> &'static str {
    Cookie::Session.name(Cookies::of(public_url).secure)
}

/// The cookies of one server: with HTTPS or without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cookies {
    pub(crate) secure: bool,
}

impl Cookies {
    pub(crate) fn of(public_url: &str) -> Self {
        Self { secure: public_url.starts_with("https://") }
    }

    /// The value that the browser sent. If it occurs twice neither counts: someone has planted the other.
    pub(crate) fn get(self, headers: &HeaderMap, cookie: Cookie) -> Option<&str> {
        let name = cookie.name(self.secure);
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(sent, _)| *sent == name).map(|(_, value)| value);
        let first = values.next().filter(|value| !value.is_empty());
        first.filter(|_| values.next().is_none())
    }

    /// Sets a cookie, until the browser is closed if no time is given.
    pub(crate) fn set(self, cookie: Cookie, value: &str, lasts: Option<Duration>) -> HeaderValue {
        let lasts = lasts.map_or_else(String::new, |time| format!("; Max-Age={}", time.as_secs()));
        let secure = if self.secure { "; Secure" } else { "" };
        let name = cookie.name(self.secure);
        let text = format!("{name}={value}; Path=/{lasts}{secure}; HttpOnly; SameSite=Lax");
        // Values are base64url, language tags and names of themes.
        let mut line = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("_=; Max-Age=0"));
        line.set_sensitive(true);
        line
    }

    /// Sets the device token of a device that was not known yet.
    pub(crate) fn set_device(self, token: Option<&Secret>) -> Option<HeaderValue> {
        token.map(|token| self.set(Cookie::Device, token.expose(), Some(DEVICE_LASTS)))
    }

    pub(crate) fn clear(self, cookie: Cookie) -> HeaderValue {
        self.set(cookie, "", Some(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(lines: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        Cookies { secure: true }.get(&headers, Cookie::Session).map(str::to_owned)
    }

    // B2
    #[test]
    fn a_cookie_is_read_when_it_comes_once() {
        assert_eq!(get(&["a=1; __Host-vestibule_session=x; b=2"]).as_deref(), Some("x"));
        assert_eq!(get(&["a=1", "__Host-vestibule_session=x"]).as_deref(), Some("x"));
        assert_eq!(get(&["a=1;__Host-vestibule_session=x=y;c="]).as_deref(), Some("x=y"));
        for lines in [
            &["__Host-vestibule_session=x; __Host-vestibule_session=y"][..],
            &["__Host-vestibule_session=x", "__Host-vestibule_session=x"],
            &["__Host-vestibule_session="],
            &["vestibule_session=x"],
            &["x__Host-vestibule_session=x"],
            &["__host-vestibule_session=x"],
            &[],
        ] {
            assert_eq!(get(lines), None, "{lines:?}");
        }
    }

    #[test]
    fn attributes_follow_from_the_scheme() {
        let set = |secure| Cookies { secure }.set(Cookie::SignUp, "x", Some(Duration::from_mins(1)));
        assert_eq!(
            set(true),
            "__Host-vestibule_signup=x; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax"
        );
        assert_eq!(set(false), "vestibule_signup=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        let line = Cookies { secure: true }.set_device(Some(&Secret::from("x"))).expect("a cookie");
        assert_eq!(
            line,
            "__Host-vestibule_device=x; Path=/; Max-Age=15552000; Secure; HttpOnly; SameSite=Lax"
        );
        assert!(line.is_sensitive());
    }
}
