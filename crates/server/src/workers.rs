//! What runs beside the requests: handing mail and webhooks over, forgetting what has expired. Each is a loop around a
//! step of the library.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use vestibule::{Accounts, Delivered, Fault, MailTransport, Timestamp, WebhookTransport};

/// Loops that hand mail over. A step takes a batch for itself, so a slow relay delays only what it was handed.
const MAIL_LOOPS: usize = 2;
/// Another instance may have queued what nobody told this one about.
const POLL: Duration = Duration::from_secs(1);
/// Without a database there is nothing to do; the first retry is soon, the later ones are not.
const BACK_OFF: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];

/// The running workers.
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Workers {
    /// Starts the workers on the current runtime.
    pub(crate) fn start<M, W>(accounts: &Accounts, mail: &Arc<M>, webhooks: Option<W>) -> Self
    where
        M: MailTransport + 'static,
        W: WebhookTransport + 'static,
    {
        let stop = watch::Sender::new(false);
        let mut loops = JoinSet::new();
        let mails = (0..MAIL_LOOPS).map(|_| Load::Mail(Arc::clone(mail)));
        for load in mails.chain(webhooks.map(Load::Webhooks)) {
            loops.spawn(hand_over(accounts.clone(), load, stop.subscribe()));
        }
        loops.spawn(sweep(accounts.clone(), stop.subscribe()));
        Self { stop, loops }
    }

    /// Lets every worker finish its step, but waits no longer than `patience`. What is cut off is done again later.
    pub(crate) async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let finished = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!(
                "something is still being handed over; it will be tried again after the next start"
            );
        }
    }
}

/// What a loop hands over.
enum Load<M, W> {
    Mail(Arc<M>),
    /// To one endpoint: a slow one has a loop of its own.
    Webhooks(W),
}

impl<M: MailTransport, W: WebhookTransport> Load<M, W> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Mail(_) => "mail",
            Self::Webhooks(_) => "webhooks",
        }
    }

    async fn step(&self, accounts: &Accounts) -> Result<Delivered, Fault> {
        match self {
            Self::Mail(transport) => accounts.deliver(&**transport).await,
            Self::Webhooks(transport) => accounts.deliver_webhooks(transport).await,
        }
    }

    /// Returns when there is something new. Nobody waits for a webhook: those are looked for.
    async fn queued(&self, accounts: &Accounts) {
        match self {
            Self::Mail(_) => accounts.mail_queued().await,
            Self::Webhooks(_) => std::future::pending().await,
        }
    }
}

async fn hand_over<M, W>(accounts: Accounts, load: Load<M, W>, mut stop: watch::Receiver<bool>)
where
    M: MailTransport,
    W: WebhookTransport,
{
    let mut failures = 0;
    while !*stop.borrow() {
        let wait = match load.step(&accounts).await {
            Ok(delivered) => {
                failures = 0;
                report(load.name(), delivered);
                until_next(delivered, accounts.now())
            }
            Err(fault) => {
                failures += 1;
                let wait = back_off(failures);
                tracing::error!(what = load.name(), %fault, retry_in = ?wait, "what waits cannot be taken from the database");
                wait
            }
        };
        tokio::select! {
            () = pause(wait) => {}
            () = load.queued(&accounts), if failures == 0 && !wait.is_zero() => {}
            _ = stop.changed() => {}
        }
    }
}

fn report(what: &str, delivered: Delivered) {
    let Delivered { sent, delayed, failed, dropped, .. } = delivered;
    if failed > 0 {
        tracing::error!(what, sent, delayed, failed, dropped, "given up: the cause is in the database");
    } else if delayed > 0 {
        tracing::warn!(what, sent, delayed, dropped, "could not be handed over and will be tried again");
    } else if sent + dropped > 0 {
        tracing::debug!(what, sent, dropped, "handed over");
    }
}

/// At once while there is something to do, later when the next message is due, but never long.
fn until_next(delivered: Delivered, now: Timestamp) -> Duration {
    if delivered.sent > 0 {
        return Duration::ZERO;
    }
    let due = delivered.next_due.map_or(POLL, |due| due.since(now));
    // A message that is due but could not be taken is with another worker: no reason to spin.
    due.clamp(Duration::from_millis(20), POLL)
}

async fn sweep(accounts: Accounts, mut stop: watch::Receiver<bool>) {
    let pause_after = accounts.policy().tokens.keys_read_every;
    while !*stop.borrow() {
        let wait = match accounts.sweep().await {
            Ok(0) => pause_after,
            Ok(rows) => {
                tracing::debug!(rows, "forgot what has expired");
                // There may be more; the pause lets requests at the database.
                Duration::from_millis(200)
            }
            Err(fault) => {
                tracing::error!(%fault, "what has expired cannot be removed");
                pause_after
            }
        };
        tokio::select! {
            () = pause(wait) => {}
            _ = stop.changed() => {}
        }
    }
}

fn back_off(failures: usize) -> Duration {
    BACK_OFF[failures.clamp(1, BACK_OFF.len()) - 1]
}

#[expect(clippy::disallowed_methods, reason = "the pause between two steps of a loop")]
pub(crate) async fn pause(length: Duration) {
    if !length.is_zero() {
        tokio::time::sleep(length).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_step_comes_when_there_is_something_to_do() {
        let now = Timestamp::from_millis(1_000_000);
        let nothing = Delivered::default();
        let due = |millis| Delivered { next_due: Some(now + Duration::from_millis(millis)), ..nothing };
        assert_eq!(until_next(nothing, now), POLL);
        assert_eq!(until_next(Delivered { sent: 1, ..nothing }, now), Duration::ZERO);
        assert_eq!(until_next(due(300), now), Duration::from_millis(300));
        assert_eq!(until_next(due(90_000), now), POLL);
        assert_eq!(until_next(due(0), now), Duration::from_millis(20));
    }

    #[test]
    fn retries_become_rarer() {
        assert_eq!((back_off(1), back_off(3), back_off(100)), (BACK_OFF[0], BACK_OFF[2], BACK_OFF[3]));
    }
}
