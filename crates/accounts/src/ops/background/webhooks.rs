//! Webhooks: events of users, queued in the transaction of their cause and posted by a worker.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::mail::SendError;
use crate::ops::background::deliver::{Delivered, Delivery};
use crate::ops::background::retry::{Attempt, BATCH, LEASE, while_kept};
use crate::store::Tx;
use crate::store::tables::webhooks::{self, Leased};
use crate::webhook::{Webhook, WebhookTransport};

/// An event that its endpoint has not accepted for this long is given up.
const GIVE_UP: Duration = Duration::from_hours(72);

/// An event leased for one endpoint by this worker, to be posted immediately: after 15 seconds any worker may lease it
/// again, unless it is being posted.
#[derive(Debug)]
pub struct DueWebhook(Leased);

impl Accounts {
    /// Posts the events that are due for one endpoint, at most 16, concurrently and in no guaranteed order. Call it
    /// again immediately while it moved any, about once a second otherwise, and in a separate loop for each endpoint,
    /// so that a slow one delays no other.
    ///
    /// It ends with the slowest of them. A worker that does not want to wait for that leases events with
    /// [`due_webhooks`](Self::due_webhooks) and posts each separately.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer; leased events become due again when their lease ends.
    pub async fn deliver_webhooks(&self, transport: &impl WebhookTransport) -> Result<Delivered, Fault> {
        let due = self.due_webhooks(transport.endpoint(), BATCH).await?;
        let endings = due.into_iter().map(|webhook| self.post_webhook(webhook, transport));
        let mut delivered = Delivered::default();
        for ending in futures_util::future::join_all(endings).await {
            delivered.count(ending?);
        }
        delivered.next_due = self.next_webhook_due(transport.endpoint()).await?;
        Ok(delivered)
    }

    /// Leases events that are due for this endpoint, at most `most`, oldest first.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn due_webhooks(&self, endpoint: &str, most: usize) -> Result<Vec<DueWebhook>, Fault> {
        let (now, endpoint) = (self.0.now(), endpoint.to_owned());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let take = move |tx: &mut Tx<'_>| webhooks::take(tx, &endpoint, now, now + LEASE, most);
        let leased: Vec<Leased> = self.0.store.write(take).await?;
        Ok(leased.into_iter().map(DueWebhook).collect())
    }

    /// When the next event is due for this endpoint, if one waits.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn next_webhook_due(&self, endpoint: &str) -> Result<Option<Timestamp>, Fault> {
        let endpoint = endpoint.to_owned();
        self.0.store.read(move |tx| webhooks::next_due(tx, &endpoint)).await
    }

    /// Posts one event to its endpoint and records the outcome. No other worker has the event meanwhile.
    ///
    /// At least once: if a worker dies between posting an event and recording it, the event is posted again under the
    /// same id. Failures are retried like a mail, for three days. Several workers and several instances may lease and
    /// post concurrently.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer; the event becomes due again when its lease ends.
    pub async fn post_webhook(
        &self,
        webhook: DueWebhook,
        transport: &impl WebhookTransport,
    ) -> Result<Delivery, Fault> {
        let leased = webhook.0;
        let webhook = Webhook {
            id: leased.event_id,
            event: leased.event.clone(),
            user_id: leased.user_id,
            created_at: leased.created_at,
            attempted_at: self.0.now(),
        };
        self.conclude(leased, transport.post(&webhook)).await
    }

    /// Waits for the answer to a delivery, which no other worker takes meanwhile, and records the outcome.
    pub(super) async fn conclude(
        &self,
        leased: Leased,
        posting: impl Future<Output = Result<(), SendError>>,
    ) -> Result<Delivery, Fault> {
        let renew = |until| {
            let kept = leased.clone();
            self.0.store.write(move |tx| webhooks::renew(tx, &kept, until))
        };
        let result = while_kept(&self.0.settings.env, leased.at, renew, posting).await;
        let now = self.0.now();
        match result {
            Ok(()) => {
                self.0.store.write(move |tx| webhooks::sent(tx, &leased, now)).await?;
                Ok(Delivery::Sent)
            }
            Err(failure) => self.note_failure(leased, failure, now).await,
        }
    }

    async fn note_failure(
        &self,
        leased: Leased,
        failure: SendError,
        now: Timestamp,
    ) -> Result<Delivery, Fault> {
        let attempt = Attempt {
            id: leased.event_id.as_bytes(),
            number: leased.attempts,
            since: leased.created_at,
            patience: GIVE_UP,
        };
        let next = attempt.next(&failure, now);
        let (give_up, cause) = (next.is_none(), failure.into_cause());
        let (webhook, endpoint) = (leased.event_id, &leased.endpoint);
        tracing::warn!(%webhook, endpoint, attempt = leased.attempts, give_up, cause, "a webhook was not taken");
        let note = move |tx: &mut Tx<'_>| match next {
            Some(due_at) => webhooks::delay(tx, &leased, due_at, &cause),
            None => webhooks::fail(tx, &leased, now, &cause),
        };
        self.0.store.write(note).await?;
        Ok(if give_up { Delivery::Failed } else { Delivery::Delayed })
    }
}
