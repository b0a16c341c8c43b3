//! One attempt at a message: extends its lease while it lasts, and notes when the message leaves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use crate::core::Core;
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::mail::kind::MailKind;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::mail::{Observer, SendAttempt, SendError};
use crate::ops::background::retry::{LEASE, while_kept};
use crate::store::Tx;
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::registrations;
use crate::traffic::PACE_MAX;

/// An attempt at a message of the outbox.
pub(crate) struct Tracked {
    core: Arc<Core>,
    leased: Leased,
    answered: AtomicBool,
    left: Mutex<Option<Left>>,
}

/// The message may have reached the other side.
#[derive(Clone, Copy)]
pub(crate) struct Left {
    pub(crate) at: Timestamp,
    /// Until when its code worked before; restored if the message was not accepted after all.
    pub(crate) code_before: Option<Timestamp>,
}

/// A finished attempt.
pub(crate) struct Ended {
    pub(crate) leased: Leased,
    pub(crate) left: Option<Left>,
}

/// Why the outcome of a message was not recorded.
pub(crate) enum NotTracked {
    /// Another worker has the message.
    Lost,
    Fault(Fault),
}

impl From<Fault> for NotTracked {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Observer for Tracked {
    fn mail(&self) -> MailId {
        self.leased.id
    }

    fn leaves(&self) -> BoxFuture<'_, Result<(), SendError>> {
        let noted = async {
            self.note_leaving().await.map_err(|error| {
                SendError::Deferred(match error {
                    NotTracked::Lost => "another worker has taken the message over".to_owned(),
                    NotTracked::Fault(fault) => format!("not sent, as it could not be noted: {fault}"),
                })
            })
        };
        noted.boxed()
    }

    fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }
}

impl Tracked {
    pub(crate) fn new(core: &Arc<Core>, leased: Leased) -> Arc<Self> {
        let (answered, left) = (AtomicBool::default(), Mutex::default());
        Arc::new(Self { core: core.clone(), leased, answered, left })
    }

    /// The result of `work`, while the lease is extended. `waits` is called with the time the other side has been
    /// silent.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>, waits: impl Fn(Duration)) -> T {
        let renew = async |until| {
            let renewed = self.renew(until).await;
            if self.left.lock().await.is_none() && !self.answered.load(Ordering::Relaxed) {
                waits(self.core.now().since(self.leased.at));
            }
            renewed
        };
        while_kept(&self.core.settings.env, self.leased.at, renew, work).await
    }

    pub(crate) async fn ended(&self) -> Ended {
        Ended { leased: self.leased.clone(), left: *self.left.lock().await }
    }

    async fn note_leaving(&self) -> Result<(), NotTracked> {
        let mut left = self.left.lock().await;
        if left.is_some() {
            return Ok(());
        }
        let (mail, now) = (self.leased.clone(), self.core.now());
        let lease = now + LEASE;
        let until = lease + self.core.policy().confirm.code_lifetime;
        let note = move |tx: &mut Tx<'_>| -> Result<Option<Timestamp>, NotTracked> {
            let code_before = match code_of(tx, &mail)? {
                Some(id) => registrations::code_leaves(tx, id, mail.id, until, now)?,
                None => None,
            };
            // Last, as sign-ups are locked before messages.
            if outbox::renew(tx, &mail, lease)? { Ok(code_before) } else { Err(NotTracked::Lost) }
        };
        let code_before = self.core.store.write(note).await?;
        *left = Some(Left { at: now, code_before });
        Ok(())
    }

    /// `false`: another worker has the message.
    async fn renew(&self, lease: Timestamp) -> Result<bool, Fault> {
        let left = self.left.lock().await;
        let (mail, has_left) = (self.leased.clone(), left.is_some());
        let until = lease + self.core.policy().confirm.code_lifetime;
        let renew = move |tx: &mut Tx<'_>| -> Result<(), NotTracked> {
            if has_left && let Some(id) = code_of(tx, &mail)? {
                registrations::code_lives(tx, id, mail.id, Some(until))?;
            }
            if outbox::renew(tx, &mail, lease)? { Ok(()) } else { Err(NotTracked::Lost) }
        };
        match self.core.store.write(renew).await {
            Ok(()) => Ok(true),
            Err(NotTracked::Lost) => Ok(false),
            Err(NotTracked::Fault(fault)) => Err(fault),
        }
    }
}

/// The sign-up whose code a message carries.
pub(crate) fn code_of(tx: &mut Tx<'_>, mail: &Leased) -> Result<Option<RegistrationId>, Fault> {
    // The record of the code, made with the draft, is newer than the lease.
    let carries = mail.kind == Some(MailKind::Confirmation) && outbox::carries_code(tx, mail.id)?;
    Ok(carries.then(|| RegistrationId::from_bytes(mail.about)))
}

/// Goes through the steps of a transport without sending a message.
pub(crate) async fn pretend(
    core: &Core,
    mail: MailId,
    leased_at: Timestamp,
    attempt: &SendAttempt,
) -> Result<(), SendError> {
    let (env, traffic) = (&core.settings.env, &core.traffic);
    let pace = traffic.pace(mail, core.now());
    let leaves_at = leased_at + pace.before.min(PACE_MAX);
    env.until(leaves_at).await;
    if let Some(after) = pace.after {
        attempt.leaves().await?;
        env.until(leaves_at + after.min(PACE_MAX)).await;
    }
    traffic.outage(core.now()).map_or(Ok(()), Err)
}
