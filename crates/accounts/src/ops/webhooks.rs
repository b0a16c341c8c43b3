//! Telling endpoints what happened to users: queued with its cause, handed over by a worker.

use std::time::Duration;

use crate::accounts::Inner;
use crate::ops::deliver::Ending;
use crate::ops::retry::{Attempt, BATCH, LEASE};
use crate::store::Tx;
use crate::store::webhooks::{self, Taken};
use crate::{
    Accounts, Delivered, EventId, Fault, SendError, Timestamp, UserId, Webhook, WebhookEvent,
    WebhookTransport,
};

/// After this long an event that its endpoint did not take is given up.
const GIVE_UP: Duration = Duration::from_hours(72);

/// Queues an event for every endpoint that wants it, in the transaction of its cause (M7).
pub(super) fn queue(
    tx: &mut Tx<'_>,
    inner: &Inner,
    event: WebhookEvent,
    user: UserId,
    now: Timestamp,
) -> Result<(), Fault> {
    let id = EventId::from_bytes(inner.settings.env.new_id(now));
    let mut wanted = inner.policy().webhooks.iter().filter(|it| it.events.contains(&event));
    wanted.try_for_each(|it| webhooks::push(tx, id, &it.endpoint, event.name(), user, now))
}

impl Accounts {
    /// Tells one endpoint of the events that are due for it, at most 16, next to each other and in no promised order.
    /// Call it again at once while it moved any, about once a second otherwise, and in a loop of its own for each
    /// endpoint, so that a slow one delays nobody else.
    ///
    /// At least once: a worker that dies between the hand-over and its note repeats the event under the same id. What
    /// fails is tried again like a mail, for three days. Several workers, and several instances, may call it at the
    /// same time.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer; what was taken comes back when its lease ends.
    pub async fn deliver_webhooks(&self, transport: &impl WebhookTransport) -> Result<Delivered, Fault> {
        let (now, endpoint) = (self.0.now(), transport.endpoint().to_owned());
        let take = move |tx: &mut Tx<'_>| webhooks::take(tx, &endpoint, now, now + LEASE, BATCH);
        let taken: Vec<Taken> = self.0.store.write(take).await?;
        let endings = taken.into_iter().map(|delivery| self.tell(delivery, transport));
        let mut delivered = Delivered::default();
        for ending in futures_util::future::join_all(endings).await {
            delivered.count(&ending?);
        }
        let endpoint = transport.endpoint().to_owned();
        delivered.next_due = self.0.store.read(move |tx| webhooks::next_due(tx, &endpoint)).await?;
        Ok(delivered)
    }

    async fn tell(&self, taken: Taken, transport: &impl WebhookTransport) -> Result<Ending, Fault> {
        let webhook = Webhook {
            id: taken.event_id,
            event: taken.event.clone(),
            user_id: taken.user_id,
            created_at: taken.created_at,
            attempted_at: self.0.now(),
        };
        let result = transport.post(&webhook).await;
        let now = self.0.now();
        match result {
            Ok(()) => {
                self.0.store.write(move |tx| webhooks::sent(tx, &taken, now)).await?;
                Ok(Ending::Sent)
            }
            Err(failure) => self.note_failure(taken, failure, now).await,
        }
    }

    async fn note_failure(&self, taken: Taken, failure: SendError, now: Timestamp) -> Result<Ending, Fault> {
        let attempt = Attempt {
            id: taken.event_id.as_bytes(),
            number: taken.attempts,
            since: taken.created_at,
            patience: GIVE_UP,
        };
        let next = attempt.next(&failure, now);
        let (give_up, cause) = (next.is_none(), failure.into_cause());
        let (webhook, endpoint) = (taken.event_id, &taken.endpoint);
        tracing::warn!(%webhook, endpoint, attempt = taken.attempts, give_up, cause, "a webhook was not taken");
        let note = move |tx: &mut Tx<'_>| match next {
            Some(due_at) => webhooks::delay(tx, &taken, due_at, &cause),
            None => webhooks::fail(tx, &taken, now, &cause),
        };
        self.0.store.write(note).await?;
        Ok(if give_up { Ending::Failed } else { Ending::Delayed })
    }
}
