//! Which client asks (RFC 6749 §2.3): with its secret in the header or in the form, with an assertion that it has signed (RFC 7523),
//! or, if it is public, by its name.

use axum::http::HeaderMap;
use vestibule::{Accounts, ApplicationError, AssertionError, AuthenticatedApplication, Secret};

use super::refusal::Refusal;
use crate::catalogue::Code;
use crate::extract::{Pairs, credentials};

/// What tokens of this service's own name as their client. It has no secret, and needs no name here.
const OWN: &str = "vestibule";

/// The `client_assertion_type` of RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How a client shows that it is itself, as it came.
pub(super) enum ClientCredentials {
    Secret(NameAndSecret),
    /// A JWT that the client has signed, and the name beside it.
    Assertion {
        id: Option<String>,
        assertion: Secret,
    },
}

/// Name and secret of a client.
pub(super) struct NameAndSecret {
    id: String,
    secret: Option<Secret>,
    /// From the header: then a refusal says how to authenticate there (RFC 6749 §5.2).
    is_basic: bool,
}

impl ClientCredentials {
    /// Takes them from a request; `None`: it names no client.
    pub(super) fn read(headers: &HeaderMap, form: &mut Pairs) -> Result<Option<Self>, Refusal> {
        let assertion = assertion(form)?;
        let (id, secret) = (form.filled("client_id"), form.filled("client_secret"));
        let header = in_header(headers)?;
        let Some(assertion) = assertion else {
            return Ok(NameAndSecret::read(header, id, secret)?.map(Self::Secret));
        };
        match (header, secret) {
            (None, None) => Ok(Some(Self::Assertion { id, assertion })),
            (Some(_), _) => Err(invalid("the client authenticates in the header and with an assertion")),
            (None, Some(_)) => Err(invalid("the client authenticates with a secret and with an assertion")),
        }
    }

    /// The client, if it is one and has shown it.
    pub(super) async fn authenticate(
        &self,
        accounts: &Accounts,
    ) -> Result<AuthenticatedApplication, Refusal> {
        match self {
            Self::Secret(given) => given.authenticate(accounts).await,
            Self::Assertion { id, assertion } => {
                let id = id.as_deref();
                let client = accounts.authenticate_application_by_assertion(id, assertion.expose()).await;
                client.map_err(|error| match error {
                    AssertionError::Fault(fault) => fault.into(),
                    AssertionError::Invalid(_) | AssertionError::Refused | AssertionError::Used => {
                        Refusal::bad_assertion(&error.to_string())
                    }
                })
            }
        }
    }

    /// What name and secret may be; none, where the client authenticates otherwise.
    pub(super) fn readings(&self) -> Vec<(String, Option<Secret>)> {
        match self {
            Self::Secret(given) => given.readings(),
            Self::Assertion { .. } => Vec::new(),
        }
    }

    /// The refusal of a client that is not served.
    pub(super) fn refused(&self) -> Refusal {
        Refusal::unknown_client(matches!(self, Self::Secret(given) if given.is_basic))
    }
}

impl NameAndSecret {
    fn read(
        header: Option<(String, String)>,
        id: Option<String>,
        secret: Option<String>,
    ) -> Result<Option<Self>, Refusal> {
        match (header, id, secret) {
            (None, None, None) => Ok(None),
            (None, Some(own), None) if own == OWN => Ok(None),
            (None, Some(id), secret) => {
                Ok(Some(Self { id, secret: secret.map(Secret::from), is_basic: false }))
            }
            (None, None, Some(_)) => Err(invalid("`client_id` is missing")),
            (Some(_), _, Some(_)) => Err(invalid("the client authenticates in the header and in the form")),
            (Some((id, _)), Some(other), None) if other != id && other != decoded(&id) => {
                Err(invalid("`client_id` is not the one in the header"))
            }
            (Some((id, secret)), _, None) => {
                let secret = Some(secret).filter(|secret| !secret.is_empty()).map(Secret::from);
                Ok(Some(Self { id, secret, is_basic: true }))
            }
        }
    }

    async fn authenticate(&self, accounts: &Accounts) -> Result<AuthenticatedApplication, Refusal> {
        for (id, secret) in self.readings() {
            match accounts.authenticate_application(&id, secret.as_ref()).await {
                Ok(client) => return Ok(client),
                Err(ApplicationError::Refused) => {}
                Err(ApplicationError::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(Refusal::unknown_client(self.is_basic))
    }

    /// RFC 6749 §2.3.1 requires both to be form-encoded in the header, but many programs send them as they are.
    fn readings(&self) -> Vec<(String, Option<Secret>)> {
        let as_sent = (self.id.clone(), self.secret.clone());
        if !self.is_basic {
            return vec![as_sent];
        }
        let secret = self.secret.as_ref().map(|secret| decoded(secret.expose()));
        let is_plain =
            decoded(&self.id) == self.id && secret.as_deref() == self.secret.as_ref().map(Secret::expose);
        let read = (decoded(&self.id), secret.map(Secret::from));
        if is_plain { vec![as_sent] } else { vec![read, as_sent] }
    }
}

/// The assertion in the form.
fn assertion(form: &mut Pairs) -> Result<Option<Secret>, Refusal> {
    match (form.filled("client_assertion_type"), form.filled("client_assertion")) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid("`client_assertion_type` is missing")),
        (Some(_), None) => Err(invalid("`client_assertion` is missing")),
        (Some(kind), Some(assertion)) if kind == JWT_BEARER => Ok(Some(assertion.into())),
        (Some(_), Some(_)) => {
            Err(Refusal::bad_assertion("the `client_assertion_type` must be that of a JWT"))
        }
    }
}

fn invalid(description: &str) -> Refusal {
    Refusal::new("invalid_request", description)
}

/// Name and secret from HTTP Basic. Other schemes are not for clients.
fn in_header(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    match credentials(headers) {
        Ok(pair) => Ok(Some(pair)),
        Err(problem) => match problem.code() {
            Code::AuthenticationRequired => Ok(None),
            Code::InvalidCredentials => Err(Refusal::unknown_client(true)),
            _ => Err(Refusal::of(problem, "invalid_request")),
        },
    }
}

/// Decodes a form-encoded text; anything else stays as it is.
fn decoded(text: &str) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).unwrap_or_default();
    match <[_; 1]>::try_from(pairs) {
        Ok([(decoded, rest)]) if rest.is_empty() && !text.contains(['=', '&']) => decoded,
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_form_encoded_is_decoded() {
        assert_eq!(decoded("s3cret%2B%2F%25"), "s3cret+/%");
        assert_eq!(decoded("a=b&c"), "a=b&c");
        assert_eq!(decoded("a&"), "a&");
        assert_eq!(decoded(""), "");
    }
}
