//! A new address for an account: proven at the new one, undone at the old one (X3).

use crate::accounts::Inner;
use crate::domain::challenge::{Challenge, Purpose};
use crate::limits::{self, DAY, take_mail};
use crate::ops::audit::Entry;
use crate::ops::challenge::{LinkError, open};
use crate::ops::password::ChangeError;
use crate::ops::webhooks;
use crate::store::limits::{Rule, count, lock, record};
use crate::store::{Tx, challenges, outbox, registrations, sessions, users};
use crate::{
    Account, Accounts, AuditActor, AuditKind, Client, Email, Fault, MailId, Password, SignedIn, Timestamp,
    WebhookEvent,
};

/// Why an address was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EmailChangeError {
    /// The link does nothing.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Somebody else has the address by now.
    #[error("the address has another account")]
    Taken,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Asks to use another address: a link goes to the new one, a notice with an undo link to the present one, which
    /// stays in force until the link is used. An address that is taken gets the same answer; its owner is told.
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`Fault`](ChangeError::Fault).
    pub async fn change_email(
        &self,
        who: &SignedIn,
        new: &Email,
        password: &Password,
        client: &Client,
    ) -> Result<(), ChangeError> {
        self.give_password(who, password, client).await?;
        let inner = self.0.clone();
        let now = inner.now();
        let env = &inner.settings.env;
        let by = AuditActor::User(who.account.id);
        let request = Request {
            entry: Entry::new(AuditKind::EmailChangeRequested, by, client)
                .about(&who.account)
                .detail(format!("to {}", new.masked())),
            who: who.clone(),
            new: new.clone(),
            ids: [env.new_id(now), env.new_id(now)],
            mails: [MailId::from_bytes(env.new_id(now)), MailId::from_bytes(env.new_id(now))],
            now,
        };
        let client = client.clone();
        self.0
            .store
            .write(move |tx| match take_mail(tx, &inner, &client, now)? {
                Some(retry_after) => Err(ChangeError::Limited { retry_after }),
                None => Ok(request.queue(tx, &inner)?),
            })
            .await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }

    /// Uses the new address from now on: the one the token was mailed to, and no other. Ends the other sessions.
    ///
    /// # Errors
    /// [`EmailChangeError::Link`], [`Taken`](EmailChangeError::Taken), [`Fault`](EmailChangeError::Fault).
    pub async fn confirm_email(&self, token: &str, client: &Client) -> Result<Account, EmailChangeError> {
        self.use_email_link(token, Purpose::EmailChange, client).await
    }

    /// Goes back to the address before, or forgets a change that was not confirmed yet; ends all sessions, because
    /// somebody else may have asked for the change.
    ///
    /// # Errors
    /// [`EmailChangeError::Link`], [`Taken`](EmailChangeError::Taken), [`Fault`](EmailChangeError::Fault).
    pub async fn undo_email(&self, token: &str, client: &Client) -> Result<Account, EmailChangeError> {
        self.use_email_link(token, Purpose::EmailUndo, client).await
    }

    async fn use_email_link(
        &self,
        token: &str,
        purpose: Purpose,
        client: &Client,
    ) -> Result<Account, EmailChangeError> {
        let (inner, token, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let kind = match purpose {
            Purpose::EmailUndo => AuditKind::EmailChangeUndone,
            Purpose::EmailChange | Purpose::PasswordReset => AuditKind::EmailChanged,
        };
        let entry = Entry::new(kind, AuditActor::Anonymous, client);
        self.0
            .store
            .write(move |tx| {
                let (before, account) = adopt(tx, &inner, &token, purpose, now)?;
                let detail = format!("from {}", before.masked());
                entry.about(&account).detail(detail).write(tx, &inner, now)?;
                Ok(account)
            })
            .await
    }
}

/// A wish for another address.
struct Request {
    entry: Entry,
    who: SignedIn,
    new: Email,
    /// Of the change and of its undoing.
    ids: [[u8; 16]; 2],
    mails: [MailId; 2],
    now: Timestamp,
}

impl Request {
    fn queue(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<(), Fault> {
        let address = limits::address(&inner.root, &self.new);
        lock(tx, &address, self.now)?;
        if count(tx, &address, Rule::MailRequested, self.now - DAY)?.number
            >= inner.policy().sign_up.mails_per_day
        {
            return Ok(());
        }
        record(tx, &address, Rule::MailRequested, self.now)?;
        let user = &self.who.account;
        let [change, undo] = self.challenges(tx, inner)?;
        challenges::void(tx, user.id, Purpose::EmailChange)?;
        challenges::insert(tx, &change)?;
        let [first, second] = self.mails;
        // A taken address: the same row and the same mails, but what goes to the new address tells its owner.
        outbox::push_to(tx, first, Purpose::EmailChange.name(), &change.id, user.id, self.now)?;
        challenges::insert(tx, &undo)?;
        outbox::push_to(tx, second, Purpose::EmailUndo.name(), &undo.id, user.id, self.now)?;
        self.entry.write(tx, inner, self.now)
    }

    fn challenges(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<[Challenge; 2], Fault> {
        let policy = &inner.policy().email_change;
        let user = &self.who.account;
        let [change, undo] = self.ids;
        let change = Challenge {
            id: change,
            purpose: Purpose::EmailChange,
            user_id: user.id,
            session_id: Some(self.who.session_id),
            email: self.new.clone(),
            credential_version: users::credential_version(tx, user.id)?,
            created_at: self.now,
            expires_at: self.now + policy.lifetime,
            used_at: None,
        };
        let undo = Challenge {
            id: undo,
            purpose: Purpose::EmailUndo,
            session_id: None,
            email: user.email.clone(),
            expires_at: self.now + policy.undo_lifetime,
            ..change.clone()
        };
        Ok([change, undo])
    }
}

/// Gives the user the address of the challenge; also gives the address before.
fn adopt(
    tx: &mut Tx<'_>,
    inner: &Inner,
    token: &str,
    purpose: Purpose,
    now: Timestamp,
) -> Result<(Email, Account), EmailChangeError> {
    let (challenge, user) = open(tx, inner, token, purpose, now)??;
    lock(tx, &limits::address(&inner.root, &challenge.email), now)?;
    let owner = users::by_email(tx, &challenge.email)?;
    if owner.is_some_and(|owner| owner.account.id != user.id) {
        return Err(EmailChangeError::Taken);
    }
    if !challenges::consume(tx, &challenge.id, now)? {
        return Err(LinkError::Used.into());
    }
    if users::set_email(tx, user.id, &challenge.email, now)? {
        webhooks::queue(tx, inner, WebhookEvent::UserEmailChanged, user.id, now)?;
    }
    registrations::make_decoys(tx, &challenge.email, now)?;
    challenges::void(tx, user.id, Purpose::EmailChange)?;
    challenges::void(tx, user.id, Purpose::PasswordReset)?;
    match challenge.session_id {
        Some(session) => drop(sessions::end_others(tx, user.id, session, now)?),
        None => sessions::end_all(tx, user.id, now)?,
    }
    Ok((user.email.clone(), Account { email: challenge.email, email_confirmed_at: now, ..user }))
}
