//! Cookies (RFC 6265).

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use vestibule::Secret;

/// Known again: see [`vestibule::Tokens::device_token`]. The prefix makes browsers insist on HTTPS (or localhost), this
/// host alone, and all paths (B2).
pub(crate) const DEVICE: &str = "__Host-vestibule_device";

/// Half a year, in seconds.
const DEVICE_MAX_AGE: u32 = 180 * 24 * 3600;

/// The value of a cookie. One that was sent twice is none: nobody can tell whose it is.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// The `Set-Cookie` that makes this device known.
pub(crate) fn set_device(token: &Secret) -> Option<HeaderValue> {
    let text = format!(
        "{DEVICE}={}; Path=/; Max-Age={DEVICE_MAX_AGE}; Secure; HttpOnly; SameSite=Lax",
        token.expose()
    );
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; __Host-b=x=y;c="));
        headers.append(COOKIE, HeaderValue::from_static("d=4; a=2"));
        assert_eq!(cookie(&headers, "__Host-b"), Some("x=y"));
        assert_eq!(cookie(&headers, "c"), Some(""));
        assert_eq!(cookie(&headers, "d"), Some("4"));
        assert_eq!(cookie(&headers, "a"), None);
        assert_eq!(cookie(&headers, "b"), None);
    }
}
