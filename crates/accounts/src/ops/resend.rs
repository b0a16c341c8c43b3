//! Resend: one more mail for an open sign-up, not too soon.

use std::time::Duration;

use crate::accounts::Inner;
use crate::limits::{self, DAY, take_mail};
use crate::store::limits::{Rule, Subject, count, lock, record};
use crate::store::{Tx, outbox, registrations};
use crate::{Accounts, Client, Email, Fault, MailId, RegistrationId, Timestamp};

/// Why a mail was not even considered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// This client asked for too many.
    #[error("too many requests that cost a mail")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Whether one more confirmation mail was queued, and where not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    /// It will be on its way soon.
    Queued,
    /// The one before has not been handed over yet.
    OneWaits,
    /// The wait since the one before is not over.
    TooSoon,
    /// The address had its mails for today.
    TooMany,
}

impl Accounts {
    /// Queues another confirmation mail when somebody signed up with the address lately and its wait is over; else does
    /// nothing. Where the address has got an account, its owner is told so. The answer is the same in every case (S7).
    ///
    /// # Errors
    /// [`AskError::Limited`] when this client asks too often; [`AskError::Fault`].
    pub async fn resend(&self, email: &Email, client: &Client) -> Result<(), AskError> {
        let (inner, email, client) = (self.0.clone(), email.clone(), client.clone());
        let now = inner.now();
        let mail = MailId::from_bytes(inner.settings.env.new_id(now));
        let queued = inner
            .clone()
            .store
            .write(move |tx| match take_mail(tx, &inner, &client, now)? {
                Some(retry_after) => Err(AskError::Limited { retry_after }),
                None => Ok(queue_again(tx, &inner, &email, mail, now)?),
            })
            .await?;
        if queued {
            self.0.mail_queued.notify_one();
        }
        Ok(())
    }
}

fn queue_again(
    tx: &mut Tx<'_>,
    inner: &Inner,
    email: &Email,
    mail: MailId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let address = limits::address(&inner.root, email);
    // Writes in any case: an address without a sign-up costs a commit, too.
    lock(tx, &address, now)?;
    // One that was confirmed meanwhile counts like one that waits: nobody sees the difference but its owner (S3).
    let Some(registration) = registrations::of_email(tx, email, now, 1)?.pop() else { return Ok(false) };
    Ok(queue_mail(tx, inner, &address, registration.id, mail, now)? == Resent::Queued)
}

/// Queues another mail for an open sign-up, within the limits of its address. The caller holds the lock of the address.
pub(super) fn queue_mail(
    tx: &mut Tx<'_>,
    inner: &Inner,
    address: &Subject,
    registration: RegistrationId,
    mail: MailId,
    now: Timestamp,
) -> Result<Resent, Fault> {
    let policy = &inner.policy().sign_up;
    let about = registration.as_bytes();
    if outbox::waits(tx, about)? {
        return Ok(Resent::OneWaits);
    }
    // The wait counts from the last hand-over, so a mail that is still on its way must arrive first.
    let sent = count(tx, address, Rule::MailSent, now - DAY)?;
    let rank = usize::try_from(sent.number).unwrap_or(usize::MAX).min(policy.resend_waits.len());
    let wait = rank.checked_sub(1).and_then(|index| policy.resend_waits.get(index)).copied();
    if sent.newest.zip(wait).is_some_and(|(newest, wait)| newest + wait > now) {
        return Ok(Resent::TooSoon);
    }
    if count(tx, address, Rule::MailRequested, now - DAY)?.number >= policy.mails_per_day {
        return Ok(Resent::TooMany);
    }
    record(tx, address, Rule::MailRequested, now)?;
    outbox::push(tx, mail, "confirm", about, now)?;
    Ok(Resent::Queued)
}
