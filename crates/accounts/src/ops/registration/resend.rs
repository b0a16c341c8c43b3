//! Resend: another mail for an open sign-up, not too soon.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::email::Email;
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::mail::kind::MailKind;
use crate::domain::time::Timestamp;
use crate::env::Stopwatch;
use crate::fault::Fault;
use crate::limits::{MailsLeft, mails_left, take_mail, waited};
use crate::store::Tx;
use crate::store::tables::limits::{Rule, Subject, lock, record};
use crate::store::tables::{outbox, registrations};
use crate::token::subject;

/// How long a request for a mail takes to answer, whatever it causes: at a sign-in a hash of some 40 ms hides the rest
/// of the work, but here there is none (S3, S7, X1).
pub(crate) const ANSWERED_AFTER: Duration = Duration::from_millis(20);

/// Why a mail was not even considered.
#[derive(Debug, thiserror::Error)]
pub enum ResendError {
    /// This client requested too many.
    #[error("too many requests that cost a mail")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Whether another confirmation mail was queued, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    /// It will be sent soon.
    Queued,
    /// The previous one has not been sent yet.
    OneWaits,
    /// The wait since the previous one is not over.
    TooSoon,
    /// The address has had its mails for today.
    TooMany,
}

impl Accounts {
    /// Queues another confirmation mail if the address has a recent sign-up whose wait is over; otherwise does nothing.
    /// If the address has got an account, its owner is informed. The answer is the same in every case (S7).
    ///
    /// # Errors
    /// [`ResendError::Limited`] if this client asks too often; [`ResendError::Fault`].
    pub async fn resend(&self, email: &Email, client: &Client) -> Result<(), ResendError> {
        let begun = Stopwatch::start();
        let (core, email, client) = (self.0.clone(), email.clone(), client.clone());
        let now = core.now();
        let mail = MailId::from_bytes(core.settings.env.new_id(now));
        let queued = core
            .clone()
            .store
            .write(move |tx| match take_mail(tx, &core, &client, now)? {
                Some(retry_after) => Err(ResendError::Limited { retry_after }),
                None => Ok(queue_again(tx, &core, &email, mail, now)?),
            })
            .await?;
        if queued {
            self.0.mail_queued.notify_one();
        }
        self.0.settings.env.no_sooner_than(ANSWERED_AFTER, begun).await;
        Ok(())
    }
}

fn queue_again(
    tx: &mut Tx<'_>,
    core: &Core,
    email: &Email,
    mail: MailId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let address = subject::address(&core.root, email);
    // Always writes: an address without a sign-up costs a commit, too.
    lock(tx, &address, now)?;
    // One confirmed meanwhile counts like an open one: only its owner sees the difference (S3).
    let Some(registration) = registrations::of_email(tx, email, now)?.into_iter().next() else {
        return Ok(false);
    };
    Ok(queue_mail(tx, core, &address, registration.id, mail, now)? == Resent::Queued)
}

/// Queues another mail for an open sign-up, within the limits of its address. The caller has the lock of the address.
pub(crate) fn queue_mail(
    tx: &mut Tx<'_>,
    core: &Core,
    address: &Subject,
    registration: RegistrationId,
    mail: MailId,
    now: Timestamp,
) -> Result<Resent, Fault> {
    if let Some(obstacle) = obstacle(tx, core, address, registration, now)? {
        return Ok(obstacle);
    }
    match mails_left(tx, core, address, now)? {
        MailsLeft::Some => {}
        MailsLeft::Last => registrations::crowd(tx, registration, now)?,
        MailsLeft::None => return Ok(Resent::TooMany),
    }
    record(tx, address, Rule::MailRequested, now)?;
    outbox::push(tx, mail, MailKind::Confirmation, registration.as_bytes(), now)?;
    Ok(Resent::Queued)
}

/// Why another mail for a sign-up would come too early.
pub(crate) fn obstacle(
    tx: &mut Tx<'_>,
    core: &Core,
    address: &Subject,
    registration: RegistrationId,
    now: Timestamp,
) -> Result<Option<Resent>, Fault> {
    if outbox::waits(tx, registration.as_bytes())? {
        return Ok(Some(Resent::OneWaits));
    }
    // The wait counts from the last sending, so a mail that is still on its way must arrive first.
    let is_over = waited(tx, core, address, Rule::MailSent, now)?;
    Ok((!is_over).then_some(Resent::TooSoon))
}
