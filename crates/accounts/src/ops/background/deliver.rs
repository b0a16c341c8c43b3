//! The step of the mail worker: leases messages that are due, makes their secrets, sends them, and records the outcome.

use std::time::Duration;

use futures_util::future::join_all;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::ids::RegistrationId;
use crate::domain::mail::kind::MailKind;
use crate::domain::time::{DAY, Timestamp};
use crate::fault::Fault;
use crate::mail::{MailContent, MailTransport, SendAttempt, SendError};
use crate::ops::background::attempt::{Ended, NotTracked, Tracked, code_of, pretend};
use crate::ops::background::compose::compose;
use crate::ops::background::retry::{Attempt, BATCH, LEASE};
use crate::ops::draft::Draft;
use crate::store::Tx;
use crate::store::tables::limits::{Rule, lock, record};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::registrations::{self, SentMail};
use crate::token::subject;
use crate::traffic::Pace;

/// A message that could not be sent for this long is given up: its secret would have expired.
const GIVE_UP: Duration = DAY;

/// Messages changed per transaction at most.
const ROWS: u64 = 1000;

/// The outcome of the messages a worker has tried to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages sent.
    pub sent: usize,
    /// Messages that will be tried again.
    pub delayed: usize,
    /// Messages given up: dead letters.
    pub failed: usize,
    /// Messages that are no longer needed.
    pub dropped: usize,
    /// When the next message is due, if one waits.
    pub next_due: Option<Timestamp>,
}

/// A message leased by this worker, to be sent immediately: after 15 seconds any worker may lease it again, unless it
/// is being sent.
#[derive(Debug)]
pub struct DueMail(Leased);

/// The outcome of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The other side has accepted it.
    Sent,
    /// It will be tried again.
    Delayed,
    /// It was given up: a dead letter.
    Failed,
    /// It is no longer needed.
    Dropped,
}

impl Delivered {
    /// Counts one more outcome.
    pub fn count(&mut self, ending: Delivery) {
        match ending {
            Delivery::Sent => self.sent += 1,
            Delivery::Delayed => self.delayed += 1,
            Delivery::Failed => self.failed += 1,
            Delivery::Dropped => self.dropped += 1,
        }
    }
}

impl Accounts {
    /// Sends the messages that are due, at most 16, concurrently. Call it again immediately while it moved any.
    ///
    /// It ends with the slowest of them. A worker that does not want to wait for that leases messages with
    /// [`due_mail`](Self::due_mail) and sends each separately.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer; leased messages become due again when their lease ends.
    pub async fn deliver(&self, transport: &impl MailTransport) -> Result<Delivered, Fault> {
        let due = self.due_mail(BATCH).await?;
        let mut delivered = Delivered::default();
        for ending in join_all(due.into_iter().map(|mail| self.deliver_mail(mail, transport))).await {
            delivered.count(ending?);
        }
        delivered.next_due = self.next_mail_due().await?;
        Ok(delivered)
    }

    /// Leases messages that are due, at most `most`, oldest first. None while the other side has asked to wait.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn due_mail(&self, most: usize) -> Result<Vec<DueMail>, Fault> {
        let (now, most) = (self.0.now(), i64::try_from(most).unwrap_or(i64::MAX));
        if self.0.traffic.paused_until(now).is_some() {
            return Ok(Vec::new());
        }
        let leased = self.0.store.write(move |tx| outbox::take(tx, now, now + LEASE, most)).await?;
        Ok(leased.into_iter().map(DueMail).collect())
    }

    /// When the next message is due, if one waits.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn next_mail_due(&self) -> Result<Option<Timestamp>, Fault> {
        let due: Option<Timestamp> = self.0.store.read(outbox::next_due).await?;
        Ok(due.max(due.and(self.0.traffic.paused_until(self.0.now()))))
    }

    /// Sends one message and records the outcome. No other worker has the message meanwhile.
    ///
    /// At least once: if a worker dies between sending a message and recording it, the message is sent again, under the
    /// same id, with the same link and code. Several workers and several instances may lease and send concurrently.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer; the message becomes due again when its lease ends.
    pub async fn deliver_mail(
        &self,
        mail: DueMail,
        transport: &impl MailTransport,
    ) -> Result<Delivery, Fault> {
        let (core, leased, now) = (self.0.clone(), mail.0.clone(), self.0.now());
        let draft = self.0.store.write(move |tx| compose(tx, &core, &leased, now)).await?;
        let (id, at, attempt) = (mail.0.id, mail.0.at, Tracked::new(&self.0, mail.0));
        let observed = SendAttempt::tracked_by(attempt.clone());
        let traffic = &self.0.traffic;
        let told_owner = matches!(&draft, Draft::Send(mail) if matches!(mail.content, MailContent::AlreadyRegistered { .. }));
        let is_real = matches!(draft, Draft::Send(_));
        let result = match draft {
            Draft::Drop => {
                let Ended { leased, .. } = attempt.ended().await;
                self.0.store.write(move |tx| outbox::drop(tx, &leased)).await?;
                return Ok(Delivery::Dropped);
            }
            Draft::Send(mail) => {
                let waits = |so_long| traffic.waits(so_long, self.0.now());
                attempt.during(transport.send(&mail, &observed), waits).await
            }
            Draft::Unknown => Err(SendError::Deferred(
                "a newer program has queued it, and this one does not know it".to_owned(),
            )),
            Draft::Pretend => attempt.during(pretend(&self.0, id, at, &observed), |_| {}).await,
        };
        let ended = attempt.ended().await;
        let now = self.0.now();
        let recovered = is_real && traffic.note(pace(&ended, now), result.as_ref().err(), now);
        let ending = self.note(ended, result, told_owner, now).await?;
        if recovered {
            self.hasten(now).await?;
        }
        Ok(ending)
    }

    /// After an outage, no message waits for the end of its pause: neither real ones, nor pretended ones, which would
    /// otherwise be noticed (S3).
    async fn hasten(&self, now: Timestamp) -> Result<(), Fault> {
        while self.0.store.write(move |tx| outbox::hasten(tx, now, now + LEASE, ROWS)).await? == ROWS {}
        self.0.mail_queued.notify_one();
        Ok(())
    }

    /// Waits until this instance has queued a message; returns immediately if it has since the last call.
    pub async fn mail_queued(&self) {
        self.0.mail_queued.notified().await;
    }

    /// Records the outcome of an attempt. The minute of a code starts here.
    async fn note(
        &self,
        ended: Ended,
        result: Result<(), SendError>,
        told_owner: bool,
        now: Timestamp,
    ) -> Result<Delivery, Fault> {
        let core = self.0.clone();
        let Err(failure) = result else {
            self.0.store.write(move |tx| note_sent(tx, &core, &ended.leased, told_owner, now)).await?;
            return Ok(Delivery::Sent);
        };
        let attempt = Attempt {
            id: ended.leased.id.as_bytes(),
            number: ended.leased.attempts,
            since: ended.leased.created_at,
            patience: GIVE_UP,
        };
        let next = attempt.next(&failure, now);
        let give_up = next.is_none();
        log(&ended.leased, &failure, give_up);
        let note = move |tx: &mut Tx<'_>| -> Result<(), NotTracked> {
            note_code(tx, &core, &ended, &failure, now)?;
            let cause = failure.clone().into_cause();
            let noted = match next {
                Some(due_at) => outbox::delay(tx, &ended.leased, due_at, &cause)?,
                None => outbox::fail(tx, &ended.leased, now, &cause)?,
            };
            if noted { Ok(()) } else { Err(NotTracked::Lost) }
        };
        match self.0.store.write(note).await {
            Err(NotTracked::Fault(fault)) => Err(fault),
            // The worker that has it now records the outcome.
            Err(NotTracked::Lost) => Ok(Delivery::Delayed),
            Ok(()) => Ok(if give_up { Delivery::Failed } else { Delivery::Delayed }),
        }
    }
}

fn pace(ended: &Ended, now: Timestamp) -> Pace {
    match ended.left {
        Some(left) => Pace { before: left.at.since(ended.leased.at), after: Some(now.since(left.at)) },
        None => Pace { before: now.since(ended.leased.at), after: None },
    }
}

fn log(mail: &Leased, failure: &SendError, give_up: bool) {
    let (id, attempt) = (mail.id, mail.attempts);
    if matches!(failure, SendError::Refused(_)) {
        tracing::error!(mail = %id, attempt, give_up, %failure, "a mail was not handed over");
    } else {
        tracing::warn!(mail = %id, attempt, give_up, %failure, "a mail was not handed over");
    }
}

fn note_sent(
    tx: &mut Tx<'_>,
    core: &Core,
    leased: &Leased,
    told_owner: bool,
    now: Timestamp,
) -> Result<(), Fault> {
    let about = RegistrationId::from_bytes(leased.about);
    let registration =
        if leased.kind == Some(MailKind::Confirmation) { registrations::by_id(tx, about)? } else { None };
    let Some(registration) = registration else {
        outbox::sent(tx, leased, now)?;
        return Ok(());
    };
    let address = subject::address(&core.root, &registration.email);
    lock(tx, &address, now)?;
    let carried = code_of(tx, leased)?.map(|_| (leased.id, now + core.policy().confirm.code_lifetime));
    registrations::handed_over(tx, &SentMail { id: registration.id, mailed_at: now, code: carried })?;
    if outbox::sent(tx, leased, now)? {
        record(tx, &address, Rule::MailSent, now)?;
        if told_owner {
            record(tx, &address, Rule::Notice, now)?;
        }
    }
    Ok(())
}

/// The code of a mail that was not accepted, as far as we know: if the mail may have reached the other side, the code
/// works for its minute from now on; otherwise it works as before.
fn note_code(
    tx: &mut Tx<'_>,
    core: &Core,
    ended: &Ended,
    failure: &SendError,
    now: Timestamp,
) -> Result<(), Fault> {
    let mail = &ended.leased;
    let Some(id) = code_of(tx, mail)? else { return Ok(()) };
    match (failure, ended.left) {
        (SendError::Uncertain(_), _) => {
            let until = now + core.policy().confirm.code_lifetime;
            registrations::code_leaves(tx, id, mail.id, until, now).map(drop)
        }
        (_, Some(left)) => registrations::code_lives(tx, id, mail.id, left.code_before),
        (_, None) => Ok(()),
    }
}
