//! A forgotten password: what is mailed to its address.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::{Challenge, Purpose};
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::MailId;
use crate::domain::mail::kind::MailKind;
use crate::domain::time::{DAY, Timestamp};
use crate::domain::user::Account;
use crate::env::Stopwatch;
use crate::fault::Fault;
use crate::limits::{MailsLeft, mails_left, take_mail};
use crate::mail::MailContent;
use crate::ops::draft::{Draft, Linked, linked, place};
use crate::ops::registration::resend::{ANSWERED_AFTER, ResendError, obstacle};
use crate::store::Tx;
use crate::store::tables::limits::{Rule, Subject, count, lock, record};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::{challenges, invitations, registrations, users};
use crate::token::subject;
use crate::trail::Entry;

impl Accounts {
    /// Mails a link that sets a new password, to the stored address of the account, if there is one. If there will be
    /// one, the invitation or the confirmation of the sign-up is mailed again. The answer is the same in every case
    /// (X1).
    ///
    /// # Errors
    /// [`ResendError::Limited`] when this client asks too often; [`ResendError::Fault`].
    pub async fn forgot_password(&self, email: &Email, client: &Client) -> Result<(), ResendError> {
        let begun = Stopwatch::start();
        let (core, email, client) = (self.0.clone(), email.clone(), client.clone());
        let now = core.now();
        let env = &core.settings.env;
        let (id, mail) = (env.new_id(now), MailId::from_bytes(env.new_id(now)));
        let entry = Entry::new(AuditKind::ResetRequested, AuditActor::Anonymous, &client);
        self.0
            .store
            .write(move |tx| {
                if let Some(retry_after) = take_mail(tx, &core, &client, now)? {
                    return Err(ResendError::Limited { retry_after });
                }
                if let Some(user) = request_reset(tx, &core, &email, id, mail, now)? {
                    entry.about(&user).write(tx, &core, now)?;
                }
                Ok(())
            })
            .await?;
        self.0.mail_queued.notify_one();
        self.0.settings.env.no_sooner_than(ANSWERED_AFTER, begun).await;
        Ok(())
    }
}

/// Queues one working link, at least a minute apart, five a day, and within the mails of the address; returns the
/// recipient, if any.
fn request_reset(
    tx: &mut Tx<'_>,
    core: &Core,
    email: &Email,
    id: [u8; 16],
    mail: MailId,
    now: Timestamp,
) -> Result<Option<Account>, Fault> {
    let address = subject::address(&core.root, email);
    // Always writes: an address without an account costs a commit, too.
    lock(tx, &address, now)?;
    let policy = &core.policy().password_reset;
    let asked = count(tx, &address, Rule::ResetRequested, now - DAY)?;
    let too_soon = asked.newest.is_some_and(|newest| newest + policy.interval > now);
    let left = mails_left(tx, core, &address, now)?;
    if too_soon || asked.number >= policy.per_day || left != MailsLeft::Some {
        return Ok(None);
    }
    // Counted for every address: what is left for its sign-ups must not reveal whether it has an account (S3).
    record(tx, &address, Rule::ResetRequested, now)?;
    record(tx, &address, Rule::MailRequested, now)?;
    let Some(user) = users::by_email(tx, email)?.map(|found| found.account) else {
        remind(tx, core, email, &address, mail, now)?;
        return Ok(None);
    };
    if user.disabled_at.is_some() {
        return Ok(None);
    }
    queue_reset(tx, core, &user, id, mail, now)?;
    Ok(Some(user))
}

/// Without an account, mails the invitation or the sign-up's confirmation again, if there is one. The mail was counted.
fn remind(
    tx: &mut Tx<'_>,
    core: &Core,
    email: &Email,
    address: &Subject,
    mail: MailId,
    now: Timestamp,
) -> Result<(), Fault> {
    if let Some(invitation) = invitations::open_of(tx, email, now)? {
        let about = invitation.id.as_bytes();
        return if outbox::waits(tx, about)? {
            Ok(())
        } else {
            outbox::push(tx, mail, MailKind::Invitation, about, now)
        };
    }
    let Some(registration) = registrations::of_email(tx, email, now)?.into_iter().next() else {
        return Ok(());
    };
    match obstacle(tx, core, address, registration.id, now)? {
        Some(_) => Ok(()),
        None => outbox::push(tx, mail, MailKind::Confirmation, registration.id.as_bytes(), now),
    }
}

/// Queues the link. The caller has the lock of the address, and has counted the mail.
pub(crate) fn queue_reset(
    tx: &mut Tx<'_>,
    core: &Core,
    user: &Account,
    id: [u8; 16],
    mail: MailId,
    now: Timestamp,
) -> Result<(), Fault> {
    challenges::void(tx, user.id, Purpose::PasswordReset)?;
    let challenge = Challenge {
        id,
        purpose: Purpose::PasswordReset,
        user_id: user.id,
        session_id: None,
        credential_version: users::credential_version(tx, user.id)?,
        email: user.email.clone(),
        created_at: now,
        expires_at: now + core.policy().password_reset.lifetime,
        used_at: None,
    };
    challenges::insert(tx, &challenge)?;
    outbox::push_to(tx, mail, MailKind::PasswordReset, &challenge.id, user.id, now)
}

/// The link that sets a new password.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased, now: Timestamp) -> Result<Draft, Fault> {
    let Some(Linked { challenge, user, link }) = linked(tx, core, leased, "reset", now)? else {
        return Ok(Draft::Drop);
    };
    let place = place(tx, core, leased, (user.id, &challenge.email), &[AuditKind::ResetRequested])?;
    let content = MailContent::PasswordReset { link, link_expires_at: challenge.expires_at, place };
    Ok(Draft::send(leased, challenge.email, user.locale, content))
}
