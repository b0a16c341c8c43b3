//! The access token of a request, checked.

use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use vestibule::Accounts;

use super::single;
use crate::catalogue::Code;
use crate::problem::Problem;

/// Octets of a token (J4).
const TOKEN_MAX: usize = 8 * 1024;

/// Who makes the request. A handler that takes it answers only to users who are signed in.
///
/// It works in every axum application whose state gives an [`Accounts`], see `examples/embed.rs`. Behind
/// [`require_signed_in`](crate::require_signed_in) it is also among the request's extensions. The token comes
/// from the `Authorization` header and from nowhere else (J7), as `Bearer` or under the older name `JWT`.
///
/// Refused are: no token with 401 `authentication_required`, a wrong one with 401 `invalid_token`, two headers with 400.
#[derive(Clone, Debug)]
pub struct SignedIn(pub vestibule::SignedIn);

impl Deref for SignedIn {
    type Target = vestibule::SignedIn;
    fn deref(&self) -> &vestibule::SignedIn {
        &self.0
    }
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let header =
            single(&parts.headers, &AUTHORIZATION)?.ok_or(Problem::new(Code::AuthenticationRequired))?;
        let (scheme, token) = split_scheme(header.as_bytes());
        if !(scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"jwt")) {
            return Err(Problem::new(Code::AuthenticationRequired));
        }
        if token.len() > TOKEN_MAX {
            return Err(Problem::new(Code::InvalidToken));
        }
        // A token is ASCII; what is not cannot be one.
        let token = std::str::from_utf8(token).map_err(|_| Problem::new(Code::InvalidToken))?;
        Ok(Self(Accounts::from_ref(state).authenticate(token).await?))
    }
}

/// `scheme 1*SP credentials` (RFC 9110 §11.4).
pub(super) fn split_scheme(header: &[u8]) -> (&[u8], &[u8]) {
    let end = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
    let (scheme, rest) = header.split_at(end);
    (scheme, rest.trim_ascii())
}
