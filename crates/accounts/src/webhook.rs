//! What the webhook worker passes to a transport: an event of a user, without saying who it is.

pub(crate) mod logout;

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use crate::domain::ids::{EventId, UserId};
use crate::domain::time::Timestamp;
use crate::mail::SendError;

/// Events of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WebhookEvent {
    /// Created: a sign-up was confirmed, or an operator created the user.
    UserCreated,
    /// Deleted, by themselves or by an administrator.
    UserDeleted,
    /// The names, the language, the roles or the data of the user were changed.
    UserUpdated,
    /// The address was changed, or the previous one restored.
    UserEmailChanged,
    /// May no longer sign in.
    UserDisabled,
}

impl WebhookEvent {
    /// Every event.
    pub const ALL: [Self; 5] =
        [Self::UserCreated, Self::UserUpdated, Self::UserDeleted, Self::UserEmailChanged, Self::UserDisabled];

    /// The name: the `type` of the payload.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserCreated => "user.created",
            Self::UserUpdated => "user.updated",
            Self::UserDeleted => "user.deleted",
            Self::UserEmailChanged => "user.email_changed",
            Self::UserDisabled => "user.disabled",
        }
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no event of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no event {0:?}")]
pub struct WebhookEventError(String);

impl FromStr for WebhookEvent {
    type Err = WebhookEventError;

    fn from_str(name: &str) -> Result<Self, WebhookEventError> {
        let found = Self::ALL.into_iter().find(|event| event.name() == name);
        found.ok_or_else(|| WebhookEventError(name.to_owned()))
    }
}

/// The events an endpoint receives. A row is written for each of them, in the transaction of the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSubscription {
    /// The endpoint's name, which its transport also uses: lower-case letters, digits, `-` and `_`.
    pub endpoint: String,
    /// The events it receives.
    pub events: Vec<WebhookEvent>,
}

/// One attempt to post one event to one endpoint.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The same for every attempt and every endpoint: receivers recognise a repetition by it.
    pub id: EventId,
    /// The event's name: text, because another version of the program may have written it.
    pub event: String,
    /// The user it is about.
    pub user_id: UserId,
    /// When it happened.
    pub created_at: Timestamp,
    /// The time of this attempt, which its signature covers.
    pub attempted_at: Timestamp,
}

impl Webhook {
    /// The bytes to post, the same at every attempt. It names the user by id only: receivers with the right to know
    /// more can ask.
    pub fn payload(&self) -> String {
        let Self { id, event, user_id, created_at, .. } = self;
        let event = serde_json::Value::from(event.as_str());
        format!(
            r#"{{"id":"{id}","type":{event},"created_at":"{created_at}","data":{{"user_id":"{user_id}"}}}}"#
        )
    }
}

/// Posts events to one endpoint. `Ok` means that it has accepted one.
pub trait WebhookTransport: Send + Sync {
    /// The endpoint's name, as in its [`WebhookSubscription`].
    fn endpoint(&self) -> &str;

    /// Posts one event. Must give up by itself within a minute.
    fn post(&self, webhook: &Webhook) -> impl Future<Output = Result<(), SendError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_by_its_name() {
        for event in WebhookEvent::ALL {
            assert_eq!(event.name().parse(), Ok(event));
        }
        assert!("user.Created".parse::<WebhookEvent>().is_err());
    }

    // The contract with receivers, which reveals nothing about the user.
    #[test]
    fn the_payload_is_thin() {
        let webhook = Webhook {
            id: EventId::from_bytes([0; 16]),
            event: "user.created".to_owned(),
            user_id: UserId::from_bytes([255; 16]),
            created_at: Timestamp::from_millis(1_700_000_000_123),
            attempted_at: Timestamp::from_millis(1_800_000_000_000),
        };
        assert_eq!(
            webhook.payload(),
            "{\"id\":\"evt_00000000000000000000000000\",\"type\":\"user.created\",\
             \"created_at\":\"2023-11-14T22:13:20.123Z\",\"data\":{\"user_id\":\"usr_vvvvvvvvvvvvvvvvvvvvvvvvvs\"}}"
        );
    }
}
