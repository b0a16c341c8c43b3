//! HTTP Basic (RFC 7617): the email address and password of a sign-up, or the name and secret of a service.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use data_encoding::BASE64;
use vestibule::{Email, Password};

use super::bearer::split_scheme;
use crate::catalogue::Code;
use crate::extract::header::single;
use crate::problem::Problem;

/// A person's well-formed credentials. Malformed ones cannot be right and are answered like wrong ones.
pub(crate) struct Basic {
    pub(crate) email: Email,
    pub(crate) password: Password,
}

impl<S: Send + Sync> FromRequestParts<S> for Basic {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (email, password) = credentials(&parts.headers)?;
        let basic = email.parse().ok().zip(Password::new(&password).ok());
        basic.map(|(email, password)| Self { email, password }).ok_or_else(wrong)
    }
}

/// The name and the password in the header, unchecked.
pub(crate) fn credentials(headers: &HeaderMap) -> Result<(String, String), Problem> {
    let missing = || Problem::new(Code::AuthenticationRequired).asking_for_basic();
    let header = single(headers, &AUTHORIZATION)?.ok_or_else(missing)?;
    let (scheme, credentials) = split_scheme(header.as_bytes());
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return Err(missing());
    }
    read(credentials).ok_or_else(wrong)
}

fn wrong() -> Problem {
    Problem::new(Code::InvalidCredentials).asking_for_basic()
}

/// Strict base64, UTF-8, split at the first colon, no control characters (S6).
fn read(credentials: &[u8]) -> Option<(String, String)> {
    let decoded = BASE64.decode(credentials).ok()?;
    let text = std::str::from_utf8(&decoded).ok()?;
    if text.chars().any(char::is_control) {
        return None;
    }
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(text: &[u8]) -> Option<String> {
        read(BASE64.encode(text).as_bytes()).map(|(name, _)| name)
    }

    #[test]
    fn the_first_colon_ends_the_name() {
        assert_eq!(name_of(b"ada@example.org:a:b:c").as_deref(), Some("ada@example.org"));
        assert_eq!(name_of("äda@example.org:pässword".as_bytes()).as_deref(), Some("äda@example.org"));
    }

    #[test]
    fn broken_credentials_are_none() {
        assert!(name_of(b"ada@example.org").is_none());
        assert!(name_of(b"ada@example.org:pass\0word").is_none());
        assert!(name_of(b"ada@example.org:\xff\xfe").is_none());
        assert!(read(b"YWRhQGV4YW1wbGUub3JnOngx").is_some());
        assert!(read(b"YWRhQGV4YW1wbGUub3JnOng").is_none(), "no padding");
        assert!(read(b"YWRhQGV4YW1wbGUub3Jn OngxMjM0").is_none(), "a space inside");
        assert!(read(b"***").is_none());
    }
}
