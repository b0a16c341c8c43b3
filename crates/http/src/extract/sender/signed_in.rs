//! The user of a request: the sender of an access token, or the browser that signed in on our pages.

use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::header::{AUTHORIZATION, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use vestibule::{Accounts, AuthenticateError};

use super::bearer::Bearer;
use crate::base::origin_of;
use crate::catalogue::Code;
use crate::extract::cookies::{Cookie, Cookies};
use crate::personal::Asked;
use crate::problem::Problem;

/// The user of a request. A handler that takes it serves only users who are signed in.
///
/// It works in every axum application whose state provides an [`Accounts`], see `examples/embed.rs`. Behind
/// [`require_signed_in`](crate::require_signed_in) it is also among the request's extensions. An `Authorization` header
/// takes precedence (J7): a token as `Bearer`, or under the older name `JWT`. Without one, the cookie of a sign-in on
/// our pages counts, whose name is [`session_cookie`](crate::session_cookie).
///
/// A browser also sends its cookie with requests caused by other sites. The cookie alone therefore suffices only for
/// requests that change nothing: `GET` and `HEAD`. With any other method the browser must confirm that the request
/// comes from a page of this very origin, by `Sec-Fetch-Site: same-origin` or, if it does not send that, by `Origin`
/// (B2).
///
/// Refused are: requests without credentials with 401 `authentication_required`, a wrong token with 401
/// `invalid_token`, the token of a client with 403 `insufficient_scope`, two headers with 400, and a cookie with a request of another or an unknown site with 403
/// `forbidden`; so is a session that must set up a second factor first, with 403 `second_factor_enrolment_required`.
///
/// The handler's answer is for this person only: [`serve`](crate::serve) and
/// [`require_signed_in`](crate::require_signed_in) add `Cache-Control: no-store` and `Vary: Cookie`.
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
        Asked::note(&parts.extensions);
        let accounts = Accounts::from_ref(state);
        let who = Self::asked(parts, state, &accounts).await;
        who.map_err(|problem| problem.explained_at(accounts.public_url()))
    }
}

impl SignedIn {
    async fn asked<S>(parts: &mut Parts, state: &S, accounts: &Accounts) -> Result<Self, Problem>
    where
        S: Send + Sync,
        Accounts: FromRef<S>,
    {
        if parts.headers.contains_key(AUTHORIZATION) {
            let who = <Bearer as FromRequestParts<S>>::from_request_parts(parts, state).await;
            return who.map(|Bearer(who)| Self(who));
        }
        let cookies = Cookies::of(accounts.public_url());
        let Some(secret) = cookies.get(&parts.headers, Cookie::Session) else {
            return Err(Problem::new(Code::AuthenticationRequired));
        };
        if !changes_nothing(&parts.method) && !is_of_this_origin(&parts.headers, accounts.public_url()) {
            return Err(Problem::new(Code::Forbidden).detail(
                "The request carries the cookie of a session, but not the word of a browser that a page of this \
                 origin sent it: `Sec-Fetch-Site: same-origin`, or `Origin`.",
            ));
        }
        match accounts.authenticate_browser(secret).await {
            // Good for setting up a second factor on our pages, and for nothing else.
            Ok(who) if who.must_enrol => Err(Problem::new(Code::SecondFactorEnrolmentRequired)),
            Ok(who) => Ok(Self(who)),
            // A cookie outlives its session: a browser with an old one is simply not signed in.
            Err(AuthenticateError::Invalid) => Err(Problem::new(Code::AuthenticationRequired)),
            Err(error) => Err(error.into()),
        }
    }
}

/// For routes open to everyone: `None` if nobody is signed in. Everything else is refused as above.
impl<S> OptionalFromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        let named = parts.headers.contains_key(AUTHORIZATION);
        match <Self as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(who) => Ok(Some(who)),
            Err(problem) if problem.code() == Code::AuthenticationRequired && !named => Ok(None),
            Err(problem) => Err(problem),
        }
    }
}

const fn changes_nothing(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// `Sec-Fetch-Site` decides if a browser sends it; `same-site` is another host, and `none` no page at all. `Origin`
/// must not contradict it; in older browsers it decides alone.
fn is_of_this_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    let mut origins = headers.get_all(ORIGIN).iter().peekable();
    let own = |origin: &[u8]| origin.eq_ignore_ascii_case(origin_of(public_url).as_bytes());
    if sites.peek().is_some() {
        // Pages that forbid referrers send `null`.
        return sites.all(|site| site == "same-origin")
            && origins.all(|origin| origin == "null" || own(origin.as_bytes()));
    }
    origins.peek().is_some() && origins.all(|origin| own(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn own(sent: &[(&'static str, &'static str)]) -> bool {
        let pairs =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        is_of_this_origin(&headers, "https://app.example.org/accounts")
    }

    // B2
    #[test]
    fn only_a_page_of_this_origin_may_change_something() {
        for sent in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://app.example.org")],
            &[("origin", "https://app.example.org")],
        ] {
            assert!(own(sent), "{sent:?}");
        }
        for sent in [
            &[][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://app.example.org")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://evil.example.org")],
            &[("origin", "http://app.example.org")],
            &[("origin", "https://app.example.org:8443")],
            &[("origin", "https://app.example.org"), ("origin", "https://evil.example")],
        ] {
            assert!(!own(sent), "{sent:?}");
        }
    }
}
