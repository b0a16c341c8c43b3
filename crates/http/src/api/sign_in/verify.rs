//! Tells a reverse proxy who makes a request.

use axum::http::{HeaderName, HeaderValue, StatusCode};

use crate::catalogue::Code;
use crate::describe::errors::{EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::SignedIn;
use crate::problem::Problem;

/// The path of the route. The [`edge`](crate::edge) ignores the `Accept` header there, which belongs to another
/// request.
pub(crate) const VERIFY: &str = "/v1/auth/verify";

pub(super) fn routes() -> Routes {
    routes!(verify)
}

/// The user of the request, for an application that does not check itself.
type Identity = [(HeaderName, HeaderValue); 5];

errors!(VerifyErrors: EVERY, &[Code::AuthenticationRequired, Code::InvalidToken, Code::InsufficientScope, Code::SecondFactorEnrolmentRequired]);

/// Whether a request is signed in: for nginx `auth_request`, Caddy `forward_auth` and Traefik `ForwardAuth`.
///
/// An `Authorization` header decides, where there is one; else the cookie of a sign-in on the pages of this server. Other
/// headers may be those of the original request, and a body is not read. In the values, everything but visible ASCII, and the characters `%` and `,`, is percent-encoded as UTF-8: whoever
/// decodes each value gets exactly the address or the role.
#[utoipa::path(get, path = "/v1/auth/verify", tag = "Sign-in", operation_id = "verify", security(("bearer" = []), ("session" = [])),
    responses((status = 204, description = "It is.", headers(
        ("X-Auth-User-Id" = String, description = "The `id` of the account."),
        ("X-Auth-Email" = String, description = "Its address, percent-encoded where it is not ASCII."),
        ("X-Auth-Roles" = String, description = "Its roles, separated by commas; empty when it has none."),
        ("X-Auth-Amr" = String, description = "How the session was authenticated (RFC 8176), separated by commas: `mfa` is among them where there was more than one factor."),
        ("X-Auth-Time" = String, description = "When anything was last proven in the session, in seconds since 1970."))),
        VerifyErrors))]
async fn verify(who: Result<SignedIn, Problem>) -> Result<(StatusCode, Identity), Problem> {
    let SignedIn(who) = who.map_err(as_401)?;
    let roles: Vec<String> = who.account.roles.iter().map(|role| encoded(role)).collect();
    let identity = [
        ("x-auth-user-id", who.account.id.to_string()),
        ("x-auth-email", encoded(who.account.email.as_str())),
        ("x-auth-roles", roles.join(",")),
        ("x-auth-amr", who.amr().names().join(",")),
        ("x-auth-time", who.auth_time.as_seconds().to_string()),
    ];
    let header = |(name, value): (&'static str, String)| {
        (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("")))
    };
    Ok((StatusCode::NO_CONTENT, identity.map(header)))
}

/// Proxies know 2xx, 401 and 403: nginx would turn a 400 into a 500.
fn as_401(problem: Problem) -> Problem {
    match problem.code() {
        Code::InvalidRequest => Problem::new(Code::InvalidToken).detail(problem.detail_text().to_owned()),
        _ => problem,
    }
}

/// Visible ASCII stays, except `%`, which would make two addresses look alike, and `,`, which separates roles.
fn encoded(text: &str) -> String {
    let mut header = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'%' | b',') {
            header.push(char::from(byte));
        } else {
            header.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    header
}

fn hex_digit(value: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(value)])
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn a_value_is_ascii_and_means_one_text() {
        assert_eq!(encoded("ada+lovelace@example.org"), "ada+lovelace@example.org");
        assert_eq!(encoded("äda@bücher.example"), "%C3%A4da@b%C3%BCcher.example");
        assert_eq!(encoded("%C3%A4da@example.org"), "%25C3%25A4da@example.org");
        assert_eq!(encoded("a,b c\r\n"), "a%2Cb%20c%0D%0A");
    }
}
