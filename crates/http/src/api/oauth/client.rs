//! Which client asks (RFC 6749 §2.3): with its secret in the header or in the form, or, if it is public, by its name.

use axum::http::HeaderMap;
use vestibule::{Accounts, ApplicationError, AuthenticatedApplication, Secret};

use super::refusal::Refusal;
use crate::catalogue::Code;
use crate::extract::{Pairs, credentials};

/// What tokens of this service's own name as their client. It has no secret, and needs no name here.
const OWN: &str = "vestibule";

/// Name and secret of a client, as they came.
pub(super) struct ClientCredentials {
    id: String,
    secret: Option<Secret>,
    /// From the header: then a refusal says how to authenticate there (RFC 6749 §5.2).
    is_basic: bool,
}

impl ClientCredentials {
    /// Takes them from a request; `None`: it names no client.
    pub(super) fn read(headers: &HeaderMap, form: &mut Pairs) -> Result<Option<Self>, Refusal> {
        if form.filled("client_assertion").is_some() {
            return Err(Refusal::unknown_client(false));
        }
        let (id, secret) = (form.filled("client_id"), form.filled("client_secret"));
        let header = in_header(headers)?;
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

    /// The client, if it is one and has this secret.
    pub(super) async fn authenticate(
        &self,
        accounts: &Accounts,
    ) -> Result<AuthenticatedApplication, Refusal> {
        for (id, secret) in self.readings() {
            match accounts.authenticate_application(&id, secret.as_ref()).await {
                Ok(client) => return Ok(client),
                Err(ApplicationError::Refused) => {}
                Err(ApplicationError::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(Refusal::unknown_client(self.is_basic))
    }

    /// What name and secret may be: RFC 6749 §2.3.1 requires both to be form-encoded in the header, but many programs send
    /// them as they are.
    pub(super) fn readings(&self) -> Vec<(String, Option<Secret>)> {
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

    /// The refusal of a client that is not served.
    pub(super) fn refused(&self) -> Refusal {
        Refusal::unknown_client(self.is_basic)
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
