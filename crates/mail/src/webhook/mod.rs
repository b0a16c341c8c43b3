//! Webhooks over HTTP: one signed POST per event and attempt (Standard Webhooks, <https://www.standardwebhooks.com>).

pub(crate) mod logout;
mod reach;
pub(crate) mod secrets;
pub(crate) mod url;

use std::fmt;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use vestibule::{SendError, Webhook, WebhookTransport};

use crate::webhook::secrets::WebhookSecrets;
use crate::webhook::url::WebhookUrl;
use crate::{cause, outbound};
use reach::{Guard, Lookup, system};

/// The limit from the first packet to the status.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// An HTTP endpoint.
pub struct HttpWebhooks {
    endpoint: String,
    url: WebhookUrl,
    secrets: WebhookSecrets,
    client: Client,
    answer_max: Duration,
}

/// TLS cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS of the webhooks: {0}")]
pub struct WebhookSetupError(String);

impl WebhookSetupError {
    fn of(error: &reqwest::Error) -> Self {
        Self(outbound::innermost(error))
    }
}

impl HttpWebhooks {
    /// `endpoint` is its name, as in its [`vestibule::WebhookSubscription`]. Does not connect to anything.
    pub fn new(
        endpoint: impl Into<String>,
        url: WebhookUrl,
        secrets: WebhookSecrets,
    ) -> Result<Self, WebhookSetupError> {
        Self::with_lookup(endpoint.into(), url, secrets, system)
    }

    fn with_lookup(
        endpoint: String,
        url: WebhookUrl,
        secrets: WebhookSecrets,
        lookup: Lookup,
    ) -> Result<Self, WebhookSetupError> {
        // A proxy would resolve the name itself, and could reach forbidden addresses.
        let client = outbound::client().no_proxy().dns_resolver(Guard::new(lookup, url.reach()));
        let client = client.build().map_err(|error| WebhookSetupError::of(&error))?;
        Ok(Self { endpoint, url, secrets, client, answer_max: ANSWER_MAX })
    }
}

impl WebhookTransport for HttpWebhooks {
    fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Any 2xx is success, 410 the end. The body of the answer is not read: it could be anything of any length.
    async fn post(&self, webhook: &Webhook) -> Result<(), SendError> {
        let (id, at, body) = (webhook.id.to_string(), webhook.attempted_at.as_seconds(), webhook.payload());
        let request = self
            .client
            .post(self.url.parsed().clone())
            .timeout(self.answer_max)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-signature", self.secrets.sign(&id, at, &body))
            .header("webhook-id", id)
            .header("webhook-timestamp", at);
        match request.body(body).send().await {
            Ok(response) => {
                judged(response.status()).map_err(|error| outbound::throttled(error, response.headers()))
            }
            Err(error) => {
                let cause = format!("the receiver {}", outbound::not_reached(&error));
                Err(SendError::Temporary(cause::one_line(&cause)))
            }
        }
    }
}

fn judged(status: StatusCode) -> Result<(), SendError> {
    let said = |what: &str| format!("the receiver {what} ({})", status.as_u16());
    match status.as_u16() {
        200..300 => Ok(()),
        300..400 => Err(SendError::Temporary(said("points to another place: correct the address"))),
        410 => Err(SendError::Permanent(said("wants no more"))),
        _ => Err(SendError::Temporary(said("did not take it"))),
    }
}

impl fmt::Debug for HttpWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWebhooks")
            .field("endpoint", &self.endpoint)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
