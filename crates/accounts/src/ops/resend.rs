//! Resend: one more mail for an open sign-up, not too soon.

use std::time::Duration;

use crate::accounts::Inner;
use crate::limits::{self, DAY, take_mail};
use crate::store::limits::{Rule, count, lock, record};
use crate::store::{Tx, outbox, registrations};
use crate::{Accounts, Client, Email, Fault, MailId, Timestamp};

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

impl Accounts {
    /// Queues another confirmation mail when the address has an open sign-up and its wait is over; else does nothing.
    /// The answer is the same in every case (S7).
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
    let policy = &inner.policy().sign_up;
    let address = limits::address(&inner.root, email);
    // Writes in any case: an address without a sign-up costs a commit, too.
    lock(tx, &address, now)?;
    let newest = registrations::of_email(tx, email, now, policy.open_per_address)?
        .into_iter()
        .find(|registration| registration.activated_at.is_none());
    let Some(registration) = newest else { return Ok(false) };
    let about = registration.id.as_bytes();
    // The wait counts from the last hand-over, so a mail that is still on its way must arrive first.
    let sent = count(tx, &address, Rule::MailSent, now - DAY)?;
    let rank = usize::try_from(sent.number).unwrap_or(usize::MAX).min(policy.resend_waits.len());
    let wait = rank.checked_sub(1).and_then(|index| policy.resend_waits.get(index)).copied();
    let too_soon = sent.newest.zip(wait).is_some_and(|(newest, wait)| newest + wait > now);
    let too_many = count(tx, &address, Rule::MailRequested, now - DAY)?.number >= policy.mails_per_day;
    if too_soon || too_many || outbox::waits(tx, about)? {
        return Ok(false);
    }
    record(tx, &address, Rule::MailRequested, now)?;
    outbox::push(tx, mail, "confirm", about, now)?;
    Ok(true)
}
