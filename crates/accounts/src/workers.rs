//! The background workers: sending mail and webhooks, telling applications of sessions that ended, deleting what has expired. Each is a loop around a step of the
//! library.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::accounts::Accounts;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::mail::{MailTransport, SendError};
use crate::ops::background::deliver::{Delivery, DueMail};
use crate::ops::background::logouts::DueLogout;
use crate::ops::background::webhooks::DueWebhook;
use crate::webhook::logout::LogoutTransport;
use crate::webhook::{Webhook, WebhookTransport};

/// Finds messages queued by other instances, which wake nothing here.
const POLL: Duration = Duration::from_secs(1);
/// Without a database there is nothing to do; the first retry is soon, the later ones are not.
const BACK_OFF: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(15), Duration::from_secs(30)];

/// How long running attempts may take to end, by default.
const END: Duration = Duration::from_secs(5);

/// The running workers. Dropping the value ends them immediately; interrupted work is done again later.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

impl Accounts {
    /// Runs all background work until `shutdown` completes: sends mail through `mail`, and deletes what has expired.
    /// Without it no mail is ever sent.
    ///
    /// Call it once per process. If [`Policy::webhooks`](crate::Policy::webhooks) names endpoints, or applications have a
    /// `logout_uri`, start the [`Workers`] with a transport for each of them instead.
    pub async fn run_workers<M>(&self, mail: M, shutdown: impl Future<Output = ()>)
    where
        M: MailTransport + 'static,
    {
        let workers = Workers::start(self, &Arc::new(mail), NO_WEBHOOKS);
        shutdown.await;
        workers.stop(END).await;
    }
}

impl Workers {
    /// Starts the workers on the current runtime, which must have time enabled.
    ///
    /// An endpoint of [`Policy::webhooks`](crate::Policy::webhooks) without a transport is logged: its events wait for
    /// ever.
    pub fn start<M, W>(accounts: &Accounts, mail: &Arc<M>, webhooks: impl IntoIterator<Item = W>) -> Self
    where
        M: MailTransport + 'static,
        W: WebhookTransport + 'static,
    {
        let stop = watch::Sender::new(false);
        let mut loops = JoinSet::new();
        let webhooks: Vec<W> = webhooks.into_iter().collect();
        say_who_is_never_told(accounts, &webhooks);
        loops.spawn(deliver(accounts.clone(), Mails(Arc::clone(mail)), stop.subscribe()));
        for transport in webhooks {
            loops.spawn(deliver(accounts.clone(), Webhooks(Arc::new(transport)), stop.subscribe()));
        }
        loops.spawn(sweep(accounts.clone(), stop.subscribe()));
        Self { stop, loops }
    }

    /// Also tells applications with a `logout_uri` that sessions with them have ended. Without it nobody tells them, and what
    /// waits for them is deleted after 30 days.
    #[must_use]
    pub fn telling_applications<L>(mut self, accounts: &Accounts, transport: L) -> Self
    where
        L: LogoutTransport + 'static,
    {
        let logouts = Logouts { transport: Arc::new(transport), busy: Arc::default() };
        self.loops.spawn(deliver(accounts.clone(), logouts, self.stop.subscribe()));
        self
    }

    /// Lets every worker finish its step, but waits no longer than `patience`. Interrupted work is done again later.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let finished = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, finished).await.is_err() {
            tracing::warn!(
                "something is still being handed over; it will be tried again after the next start"
            );
        }
    }
}

fn say_who_is_never_told<W: WebhookTransport>(accounts: &Accounts, webhooks: &[W]) {
    for wanted in &accounts.policy().webhooks {
        if !webhooks.iter().any(|webhook| webhook.endpoint() == wanted.endpoint) {
            tracing::error!(
                endpoint = wanted.endpoint,
                "the policy names a webhook endpoint that no transport posts to"
            );
        }
    }
}

/// No endpoints.
const NO_WEBHOOKS: [NoWebhooks; 0] = [];

enum NoWebhooks {}

impl WebhookTransport for NoWebhooks {
    fn endpoint(&self) -> &str {
        match *self {}
    }

    async fn post(&self, _: &Webhook) -> Result<(), SendError> {
        match *self {}
    }
}

/// The work of a loop, attempt by attempt: a slow one occupies a place, but does not delay the others.
trait Load: Sync {
    type Item: Send + 'static;
    /// Its name in the log.
    const NAME: &str;
    /// The maximum number of concurrent attempts.
    const PLACES: usize;

    fn take(
        &self,
        accounts: &Accounts,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Self::Item>, Fault>> + Send;
    fn next_due(&self, accounts: &Accounts) -> impl Future<Output = Result<Option<Timestamp>, Fault>> + Send;
    fn deliver(
        &self,
        accounts: Accounts,
        item: Self::Item,
    ) -> impl Future<Output = Result<Delivery, Fault>> + Send + 'static;
    /// Waits until there is something new.
    fn queued(&self, accounts: &Accounts) -> impl Future<Output = ()> + Send;
}

struct Mails<M>(Arc<M>);

impl<M: MailTransport + 'static> Load for Mails<M> {
    type Item = DueMail;
    const NAME: &str = "mail";
    const PLACES: usize = 32;

    async fn take(&self, accounts: &Accounts, most: usize) -> Result<Vec<DueMail>, Fault> {
        accounts.due_mail(most).await
    }

    async fn next_due(&self, accounts: &Accounts) -> Result<Option<Timestamp>, Fault> {
        accounts.next_mail_due().await
    }

    fn deliver(
        &self,
        accounts: Accounts,
        item: DueMail,
    ) -> impl Future<Output = Result<Delivery, Fault>> + Send + 'static {
        let transport = Arc::clone(&self.0);
        async move { accounts.deliver_mail(item, &*transport).await }
    }

    async fn queued(&self, accounts: &Accounts) {
        accounts.mail_queued().await;
    }
}

/// The webhooks of one endpoint.
struct Webhooks<W>(Arc<W>);

impl<W: WebhookTransport + 'static> Load for Webhooks<W> {
    type Item = DueWebhook;
    const NAME: &str = "webhooks";
    const PLACES: usize = 16;

    async fn take(&self, accounts: &Accounts, most: usize) -> Result<Vec<DueWebhook>, Fault> {
        accounts.due_webhooks(self.0.endpoint(), most).await
    }

    async fn next_due(&self, accounts: &Accounts) -> Result<Option<Timestamp>, Fault> {
        accounts.next_webhook_due(self.0.endpoint()).await
    }

    fn deliver(
        &self,
        accounts: Accounts,
        item: DueWebhook,
    ) -> impl Future<Output = Result<Delivery, Fault>> + Send + 'static {
        let transport = Arc::clone(&self.0);
        async move { accounts.post_webhook(item, &*transport).await }
    }

    /// Queueing a webhook wakes nothing: they are polled.
    async fn queued(&self, _: &Accounts) {
        std::future::pending::<()>().await;
    }
}

/// The endpoints of applications that are being told something, each as often as it is: they are left alone meanwhile, so that
/// one that does not answer keeps no other waiting.
type Endpoints = Arc<Mutex<Vec<String>>>;

/// What applications are told.
struct Logouts<L> {
    transport: Arc<L>,
    busy: Endpoints,
}

/// One delivery to an application, until it is dropped.
struct Busy {
    endpoint: String,
    among: Endpoints,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut busy = self.among.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = busy.iter().position(|endpoint| *endpoint == self.endpoint) {
            busy.swap_remove(at);
        }
    }
}

impl<L> Logouts<L> {
    fn busy(&self) -> Vec<String> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn occupy(&self, endpoint: &str) -> Busy {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).push(endpoint.to_owned());
        Busy { endpoint: endpoint.to_owned(), among: Arc::clone(&self.busy) }
    }
}

impl<L: LogoutTransport + 'static> Load for Logouts<L> {
    type Item = (DueLogout, Busy);
    const NAME: &str = "logouts";
    const PLACES: usize = 16;

    async fn take(&self, accounts: &Accounts, most: usize) -> Result<Vec<(DueLogout, Busy)>, Fault> {
        let due = accounts.due_logouts(most, &self.busy()).await?;
        let occupied = |due: DueLogout| {
            let busy = self.occupy(due.endpoint());
            (due, busy)
        };
        Ok(due.into_iter().map(occupied).collect())
    }

    async fn next_due(&self, accounts: &Accounts) -> Result<Option<Timestamp>, Fault> {
        // What waits for one that is busy is looked for when it has answered.
        if self.busy().is_empty() { accounts.next_logout_due().await } else { Ok(None) }
    }

    fn deliver(
        &self,
        accounts: Accounts,
        (due, busy): (DueLogout, Busy),
    ) -> impl Future<Output = Result<Delivery, Fault>> + Send + 'static {
        let transport = Arc::clone(&self.transport);
        async move {
            let posted = accounts.post_logout(due, &*transport).await;
            drop(busy);
            posted
        }
    }

    /// As with webhooks.
    async fn queued(&self, _: &Accounts) {
        std::future::pending::<()>().await;
    }
}

async fn deliver<L: Load>(accounts: Accounts, load: L, mut stop: watch::Receiver<bool>) {
    let mut under_way = JoinSet::new();
    let mut failures = 0;
    while !*stop.borrow() {
        while let Some(ended) = under_way.try_join_next() {
            report(L::NAME, ended);
        }
        let wait = match step(&accounts, &load, &mut under_way).await {
            Ok(wait) => {
                failures = 0;
                wait
            }
            Err(fault) => {
                failures += 1;
                let wait = back_off(failures);
                tracing::error!(what = L::NAME, %fault, retry_in = ?wait, "what waits cannot be taken from the database");
                wait
            }
        };
        let has_room = under_way.len() < L::PLACES;
        tokio::select! {
            () = pause(wait), if has_room => {}
            () = load.queued(&accounts), if failures == 0 && has_room => {}
            Some(ended) = under_way.join_next(), if failures == 0 => report(L::NAME, ended),
            _ = stop.changed() => {}
        }
    }
    while let Some(ended) = under_way.join_next().await {
        report(L::NAME, ended);
    }
}

/// Starts as many attempts as there is room for; returns how long to wait for more.
async fn step<L: Load>(
    accounts: &Accounts,
    load: &L,
    under_way: &mut JoinSet<Result<Delivery, Fault>>,
) -> Result<Duration, Fault> {
    let room = L::PLACES.saturating_sub(under_way.len());
    if room == 0 {
        return Ok(POLL);
    }
    for item in load.take(accounts, room).await? {
        under_way.spawn(load.deliver(accounts.clone(), item));
    }
    Ok(until(load.next_due(accounts).await?, accounts.now()))
}

/// Failures have their own log line already, with their cause.
fn report(what: &str, ended: Result<Result<Delivery, Fault>, JoinError>) {
    match ended {
        Ok(Ok(ending)) => tracing::debug!(what, ?ending, "handed over"),
        Ok(Err(fault)) => {
            tracing::error!(what, %fault, "what became of it was not noted: it will be handed over again");
        }
        Err(error) => tracing::error!(what, %error, "a hand-over broke off: it will be tried again"),
    }
}

/// The time until the next message is due, but never long.
fn until(due: Option<Timestamp>, now: Timestamp) -> Duration {
    let due = due.map_or(POLL, |due| due.since(now));
    // A message that is due but could not be leased is with another worker: no reason to spin.
    due.clamp(Duration::from_millis(20), POLL)
}

async fn sweep(accounts: Accounts, mut stop: watch::Receiver<bool>) {
    let pause_after = accounts.policy().tokens.keys_read_every;
    while !*stop.borrow() {
        let wait = match accounts.sweep().await {
            Ok(0) => pause_after,
            Ok(rows) => {
                tracing::debug!(rows, "forgot what has expired");
                // There may be more; the pause lets requests reach the database.
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
async fn pause(length: Duration) {
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
        let due = |millis| Some(now + Duration::from_millis(millis));
        assert_eq!(until(None, now), POLL);
        assert_eq!(until(due(300), now), Duration::from_millis(300));
        assert_eq!(until(due(90_000), now), POLL);
        assert_eq!(until(due(0), now), Duration::from_millis(20));
    }

    #[test]
    fn retries_become_rarer() {
        assert_eq!((back_off(1), back_off(3), back_off(100)), (BACK_OFF[0], BACK_OFF[2], BACK_OFF[3]));
    }
}
