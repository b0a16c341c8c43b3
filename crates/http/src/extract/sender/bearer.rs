//! The access token of a request, checked.

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use vestibule::{Accounts, AuthenticateError};

use crate::catalogue::Code;
use crate::extract::header::single;
use crate::problem::Problem;

/// Octets of a token (J4).
const TOKEN_MAX: usize = 8 * 1024;

/// An access token as it was sent, for routes that ask the library themselves what it opens.
pub(crate) struct AccessToken(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for AccessToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let header =
            single(&parts.headers, &AUTHORIZATION)?.ok_or(Problem::new(Code::AuthenticationRequired))?;
        let (scheme, token) = split_scheme(header.as_bytes());
        if !(scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"jwt")) {
            return Err(Problem::new(Code::AuthenticationRequired));
        }
        if token.len() > TOKEN_MAX {
            return Err(Problem::new(Code::InvalidToken));
        }
        // A token is ASCII; anything else cannot be one.
        let token = std::str::from_utf8(token).map_err(|_| Problem::new(Code::InvalidToken))?;
        Ok(Self(token.to_owned()))
    }
}

/// The sender of an access token of this service's own, for routes that change something. Cookies are ignored, so no other site can make a
/// browser send such a request (B2).
///
/// The token is read from the `Authorization` header only (J7), as `Bearer` or under the older name `JWT`.
pub(crate) struct Bearer(pub(crate) vestibule::SignedIn);

impl<S> FromRequestParts<S> for Bearer
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AccessToken(token) = AccessToken::from_request_parts(parts, state).await?;
        let accounts = Accounts::from_ref(state);
        match accounts.authenticate(&token).await {
            Ok(who) => Ok(Self(who)),
            Err(AuthenticateError::Invalid) => Err(refusal(&accounts, &token).await),
            Err(error) => Err(error.into()),
        }
    }
}

/// A client's token is valid, but opens nothing of the account itself (hole B14).
async fn refusal(accounts: &Accounts, token: &str) -> Problem {
    match accounts.authenticate_access(token).await {
        Ok(_) => Problem::insufficient_scope(""),
        Err(error) => error.into(),
    }
}

impl<S> OptionalFromRequestParts<S> for Bearer
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    /// `None` if the request carries no credentials; wrong ones are refused.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

/// `scheme 1*SP credentials` (RFC 9110 §11.4).
pub(crate) fn split_scheme(header: &[u8]) -> (&[u8], &[u8]) {
    let end = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
    let (scheme, rest) = header.split_at(end);
    (scheme, rest.trim_ascii())
}
