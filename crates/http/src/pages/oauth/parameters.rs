//! The parameters that applications send people with. Each may come once, and one without a value counts as not sent (RFC
//! 6749 §3.1); those that nobody here knows are ignored.

use vestibule::{AuthorizationParameters, SignOutParameters};

use crate::extract::Pairs;
use crate::problem::Problem;

/// The parameters of a request for authorization that are read, but for `resource`, which may come more than once.
const OF_AUTHORIZATION: [&str; 17] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    "id_token_hint",
    "acr_values",
    "ui_locales",
    "request",
    "request_uri",
];

/// The longest query that an address of ours carries: with its path and that of the public URL it stays within 4 KiB.
pub(super) const QUERY_MAX: usize = 3 * 1024;

/// What an application has sent.
pub(super) struct Sent(Vec<(String, String)>);

impl Sent {
    /// Reads a query or a form.
    ///
    /// # Errors
    /// What is not percent-encoded UTF-8.
    pub(super) fn read(text: &[u8]) -> Result<Self, Problem> {
        let Pairs(mut pairs) = Pairs::parse_repeated(text)?;
        pairs.retain(|(_, value)| !value.is_empty());
        Ok(Self(pairs))
    }

    /// The same as a query.
    pub(super) fn query(&self) -> String {
        serde_urlencoded::to_string(&self.0).unwrap_or_default()
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(sent, _)| sent == name).map(|(_, value)| value.as_str())
    }

    /// The value of what came once. Of two nobody knows which one counts.
    pub(super) fn one(&self, name: &str) -> Option<String> {
        let mut values = self.values(name);
        values.next().filter(|_| values.next().is_none()).map(str::to_owned)
    }

    /// The name of the request that is to go on: an application's own has a `client_id` beside it.
    pub(super) fn going_on(&self) -> Option<String> {
        self.one("request").filter(|_| self.values("client_id").next().is_none())
    }

    /// A request for authorization.
    pub(super) fn authorization(&self) -> AuthorizationParameters {
        let one = |name| self.one(name);
        AuthorizationParameters {
            client_id: one("client_id"),
            redirect_uri: one("redirect_uri"),
            response_type: one("response_type"),
            response_mode: one("response_mode"),
            scope: one("scope"),
            state: one("state"),
            nonce: one("nonce"),
            code_challenge: one("code_challenge"),
            code_challenge_method: one("code_challenge_method"),
            prompt: one("prompt"),
            max_age: one("max_age"),
            login_hint: one("login_hint"),
            id_token_hint: one("id_token_hint"),
            acr_values: one("acr_values"),
            resource: self.values("resource").map(str::to_owned).collect(),
            ui_locales: one("ui_locales"),
            has_request_object: one("request").is_some(),
            has_request_uri: one("request_uri").is_some(),
            is_repeated: OF_AUTHORIZATION.iter().any(|name| self.values(name).count() > 1),
        }
    }

    /// The wish to sign out.
    pub(super) fn sign_out(&self) -> SignOutParameters {
        SignOutParameters {
            id_token_hint: self.one("id_token_hint"),
            client_id: self.one("client_id"),
            post_logout_redirect_uri: self.one("post_logout_redirect_uri"),
            state: self.one("state"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AuthorizationParameters {
        Sent::read(text.as_bytes()).expect("parameters").authorization()
    }

    // RFC 6749 §3.1
    #[test]
    fn what_comes_twice_counts_for_nothing() {
        let sent = read("client_id=shop&state=a&state=b&nonce=&scope=a+b&x=1&x=2&resource=r&resource=s");
        assert_eq!((sent.client_id.as_deref(), sent.state, sent.nonce), (Some("shop"), None, None));
        assert_eq!((sent.scope.as_deref(), sent.resource.len()), (Some("a b"), 2));
        assert!(sent.is_repeated);
        assert!(!read("client_id=shop&x=1&x=2&resource=r&resource=s&state=&state=a").is_repeated);
        assert!(Sent::read(b"client_id=%ff").is_err());
    }

    #[test]
    fn a_request_that_goes_on_is_no_request_object() {
        let going_on = |text: &str| Sent::read(text.as_bytes()).expect("parameters").going_on();
        assert_eq!(going_on("request=abc&lang=de").as_deref(), Some("abc"));
        assert_eq!(going_on("request=abc&client_id=shop"), None);
        assert_eq!(going_on("request=abc&request=def"), None);
        assert!(read("client_id=shop&request=abc").has_request_object);
    }
}
