//! Logout tokens over HTTP (OpenID Connect Back-Channel Logout 1.0): one POST per token, to the addresses that webhooks may
//! reach.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use vestibule::{Logout, LogoutTransport, Secret, SendError};

use crate::webhook::WebhookSetupError;
use crate::webhook::reach::{Guard, Lookup, Reach, system};
use crate::webhook::url::WebhookUrl;
use crate::{cause, outbound};

/// The limit from the first packet to the status: an application has little to do.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Posts logout tokens to applications.
pub struct HttpLogouts {
    allow_private: bool,
    lookup: Lookup,
    /// Made for the first token: most servers have none to send, and reading the roots of the system takes time and memory.
    clients: OnceLock<Result<Clients, WebhookSetupError>>,
}

/// For `https` and for `http`, which may not reach the same addresses.
type Clients = [(Reach, Client); 2];

impl HttpLogouts {
    /// With `allow_private` also to this machine and to private networks, as [`WebhookUrl::new`] says. Does not connect to
    /// anything.
    pub fn new(allow_private: bool) -> Self {
        Self::with_lookup(allow_private, system)
    }

    pub(super) fn with_lookup(allow_private: bool, lookup: Lookup) -> Self {
        Self { allow_private, lookup, clients: OnceLock::new() }
    }

    fn clients(&self) -> Result<&Clients, &WebhookSetupError> {
        let client = |reach| -> Result<(Reach, Client), WebhookSetupError> {
            // A proxy would resolve the name itself, and could reach forbidden addresses.
            let client = outbound::client().no_proxy().dns_resolver(Guard::new(self.lookup, reach)).build();
            Ok((reach, client.map_err(|error| WebhookSetupError::of(&error))?))
        };
        let encrypted = Reach { public: true, private: self.allow_private };
        let unencrypted = Reach { public: false, private: self.allow_private };
        self.clients.get_or_init(|| Ok([client(encrypted)?, client(unencrypted)?])).as_ref()
    }
}

impl LogoutTransport for HttpLogouts {
    /// Any 2xx is success. 400 is the end: the application has read the token and refuses it (§2.8). So is 410. The body of the
    /// answer is not read.
    async fn post(&self, logout: &Logout) -> Result<(), SendError> {
        let refused = |why: String| SendError::Temporary(cause::one_line(&why));
        let url = WebhookUrl::new(&Secret::from(logout.uri.as_str()), self.allow_private);
        let url = url.map_err(|error| refused(format!("logout_uri: {error}")))?;
        let clients = self.clients().map_err(|error| refused(error.to_string()))?;
        let client = clients.iter().find(|(reach, _)| *reach == url.reach());
        let (_, client) = client.ok_or_else(|| refused("logout_uri: not allowed".to_owned()))?;
        // A JWT consists of characters that need no encoding.
        let body = format!("logout_token={}", logout.token.expose());
        let request = client
            .post(url.parsed().clone())
            .timeout(ANSWER_MAX)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        match request.body(body).send().await {
            Ok(response) => {
                let judged = judged(response.status().as_u16());
                judged.map_err(|error| outbound::throttled(error, response.headers()))
            }
            Err(error) => Err(refused(format!("the application {}", outbound::not_reached(&error)))),
        }
    }
}

fn judged(status: u16) -> Result<(), SendError> {
    let said = |what: &str| format!("the application {what} ({status})");
    match status {
        200..300 => Ok(()),
        300..400 => Err(SendError::Temporary(said("points to another place: correct logout_uri"))),
        400 => Err(SendError::Permanent(said("refuses the logout token"))),
        410 => Err(SendError::Permanent(said("wants no more"))),
        _ => Err(SendError::Temporary(said("did not take it"))),
    }
}

impl fmt::Debug for HttpLogouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLogouts").field("allow_private", &self.allow_private).finish_non_exhaustive()
    }
}
