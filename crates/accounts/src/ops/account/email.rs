//! A new address for an account: confirmed at the new one, undone from the old one (X3).

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::{Challenge, Purpose};
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::{MailId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::password::{Password, PasswordError};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::limits::{MailsLeft, mails_left, take_mail};
use crate::mail::MailContent;
use crate::ops::account::password::{ChangeError, PasswordChange, context};
use crate::ops::challenge::{LinkError, open};
use crate::ops::draft::{Draft, Linked, linked, place};
use crate::ops::session_end;
use crate::ops::sign_in::attempt::{NotCompared, Verdict};
use crate::store::Tx;
use crate::store::tables::limits::{Rule, lock, record};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::users::{self, names};
use crate::store::tables::{authenticators, challenges, passkeys, recovery_codes, registrations};
use crate::token::subject;
use crate::trail::{self, Entry};
use crate::webhook::WebhookEvent;

/// Why an address was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EmailChangeError {
    /// The link does nothing.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The password is wrong, or the session is not the one that asked for the change.
    #[error("the password is wrong")]
    Refused,
    /// Too many wrong passwords.
    #[error("too many wrong passwords")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The new password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Another account has the address by now.
    #[error("the address has another account")]
    Taken,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<NotCompared> for EmailChangeError {
    fn from(error: NotCompared) -> Self {
        match error {
            NotCompared::Limited { retry_after } => Self::Limited { retry_after },
            NotCompared::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Shows, beside the mailed link, that the user wants the new address (X3). A stranger who reads the mails of a
/// mistyped address has neither.
#[derive(Clone, Copy, Debug)]
pub enum EmailProof<'a> {
    /// The password of the account.
    Password(&'a Password),
    /// The session that asked for the change, still alive.
    Session(&'a SignedIn),
}

impl Accounts {
    /// Requests another address: a link is sent to the new one, and a notice with an undo link to the current one,
    /// which stays in force until the link is used. A taken address gets the same answer; its owner is informed.
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`Fault`](ChangeError::Fault).
    pub async fn change_email(
        &self,
        who: &SignedIn,
        new: &Email,
        password: impl Into<Option<&Password>> + Send,
        client: &Client,
    ) -> Result<(), ChangeError> {
        self.prove_own(who, password.into(), client).await?;
        let core = self.0.clone();
        let now = core.now();
        let env = &core.settings.env;
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
            .write(move |tx| match take_mail(tx, &core, &client, now)? {
                Some(retry_after) => Err(ChangeError::Limited { retry_after }),
                None => Ok(request.queue(tx, &core)?),
            })
            .await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }

    /// Switches to the new address: the one the token was mailed to, and no other. Ends the other sessions.
    ///
    /// # Errors
    /// [`EmailChangeError::Link`], [`Refused`](EmailChangeError::Refused), [`Limited`](EmailChangeError::Limited),
    /// [`Taken`](EmailChangeError::Taken), [`Fault`](EmailChangeError::Fault).
    pub async fn confirm_email(
        &self,
        token: &str,
        proof: EmailProof<'_>,
        client: &Client,
    ) -> Result<Account, EmailChangeError> {
        let (challenge, user) = self.open_challenge(token, Purpose::EmailChange).await?;
        let compared = match proof {
            EmailProof::Session(who) if challenge.session_id == Some(who.session_id) => None,
            EmailProof::Session(_) => return Err(EmailChangeError::Refused),
            EmailProof::Password(password) => Some(self.compare_own(user.id, password, client).await?.0),
        };
        let (core, token, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let entry = Entry::new(AuditKind::EmailChanged, AuditActor::User(user.id), client);
        let confirm = move |tx: &mut Tx<'_>| -> Result<Result<Account, EmailChangeError>, EmailChangeError> {
            if let Some(compared) = &compared {
                match compared.judge(tx, &core)? {
                    Verdict::Right(right) => right.forget_failures(tx)?,
                    Verdict::Wrong => return Ok(Err(EmailChangeError::Refused)),
                    Verdict::Limited { retry_after } => {
                        return Ok(Err(EmailChangeError::Limited { retry_after }));
                    }
                }
            }
            let (before, account) = adopt(tx, &core, &token, Purpose::EmailChange, now)?;
            entry.about(&account).detail(format!("from {}", before.masked())).write(tx, &core, now)?;
            Ok(Ok(account))
        };
        self.0.store.write(confirm).await?
    }

    /// Restores the previous address, or cancels an unconfirmed change, and sets a new password: whoever made the
    /// change may know the old one, which no longer works. Ends all sessions, and signs nobody in.
    ///
    /// # Errors
    /// [`EmailChangeError::Link`], [`Password`](EmailChangeError::Password), [`Taken`](EmailChangeError::Taken),
    /// [`Fault`](EmailChangeError::Fault).
    pub async fn undo_email(
        &self,
        token: &str,
        new_password: &Password,
        client: &Client,
    ) -> Result<Account, EmailChangeError> {
        let (challenge, user) = self.open_challenge(token, Purpose::EmailUndo).await?;
        let user = Account { email: challenge.email, ..user };
        self.0.policy().passwords.check(new_password, context(&user))?;
        let old =
            self.0.store.read(move |tx| users::by_id(tx, user.id)).await.map_err(EmailChangeError::Fault)?;
        let old = vec![old.into_iter().filter_map(|found| found.password_hash).collect()];
        if self.0.hasher.verify(new_password, old).await?.concat().contains(&true) {
            return Err(PasswordError::Unchanged.into());
        }
        let hash = self.0.choose(new_password, context(&user)).await??;
        let (core, token, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let undone = Entry::new(AuditKind::EmailChangeUndone, AuditActor::User(user.id), client);
        let reset = Entry::new(AuditKind::PasswordReset, AuditActor::User(user.id), client)
            .detail("with an undo link");
        let change = PasswordChange::new(&core, user, hash, &reset, now);
        let undo = move |tx: &mut Tx<'_>| -> Result<Account, EmailChangeError> {
            let (before, account) = adopt(tx, &core, &token, Purpose::EmailUndo, now)?;
            undone.about(&account).detail(format!("from {}", before.masked())).write(tx, &core, now)?;
            change.after_undo(tx, &core)?;
            Ok(account)
        };
        let account = self.0.store.write(undo).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }

    /// The challenge behind a token, and its user.
    async fn open_challenge(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> Result<(Challenge, Account), EmailChangeError> {
        let (core, token, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let opened = self.0.store.read(move |tx| open(tx, &core, &token, purpose, now)).await;
        Ok(opened.map_err(EmailChangeError::Fault)??)
    }
}

/// A requested change of the address.
struct Request {
    entry: Entry,
    who: SignedIn,
    new: Email,
    /// The ids of the change and of its undoing.
    ids: [[u8; 16]; 2],
    mails: [MailId; 2],
    now: Timestamp,
}

impl Request {
    fn queue(&self, tx: &mut Tx<'_>, core: &Core) -> Result<(), Fault> {
        let address = subject::address(&core.root, &self.new);
        lock(tx, &address, self.now)?;
        if mails_left(tx, core, &address, self.now)? != MailsLeft::Some {
            return Ok(());
        }
        record(tx, &address, Rule::MailRequested, self.now)?;
        let user = &self.who.account;
        let [change, undo] = self.challenges(tx, core)?;
        challenges::void(tx, user.id, Purpose::EmailChange)?;
        challenges::insert(tx, &change)?;
        let [first, second] = self.mails;
        // A taken address gets the same row and the same mails, but the mail to the new address informs its owner.
        outbox::push_to(tx, first, MailKind::EmailChange, &change.id, user.id, self.now)?;
        challenges::insert(tx, &undo)?;
        outbox::push_to(tx, second, MailKind::EmailUndo, &undo.id, user.id, self.now)?;
        self.entry.write(tx, core, self.now)
    }

    fn challenges(&self, tx: &mut Tx<'_>, core: &Core) -> Result<[Challenge; 2], Fault> {
        let policy = &core.policy().email_change;
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

/// Gives the user the address of the challenge; returns the previous address.
fn adopt(
    tx: &mut Tx<'_>,
    core: &Core,
    token: &str,
    purpose: Purpose,
    now: Timestamp,
) -> Result<(Email, Account), EmailChangeError> {
    let (challenge, user) = open(tx, core, token, purpose, now)??;
    lock(tx, &subject::address(&core.root, &challenge.email), now)?;
    let owner = users::by_email(tx, &challenge.email)?;
    if owner.is_some_and(|owner| owner.account.id != user.id) {
        return Err(EmailChangeError::Taken);
    }
    if !challenges::consume(tx, &challenge.id, now)? {
        return Err(LinkError::Used.into());
    }
    if names::set_email(tx, user.id, &challenge.email, now)? {
        trail::announce(tx, core, WebhookEvent::UserEmailChanged, user.id, now)?;
    }
    registrations::make_decoys(tx, &challenge.email, now)?;
    challenges::void(tx, user.id, Purpose::EmailChange)?;
    challenges::void(tx, user.id, Purpose::PasswordReset)?;
    if purpose == Purpose::EmailUndo {
        // Changes after the one being undone were made by the same person.
        challenges::void_younger(tx, &challenge)?;
        remove_younger_factors(tx, user.id, challenge.created_at)?;
    }
    match challenge.session_id {
        Some(session) => drop(session_end::end_others(tx, core, user.id, session, now)?),
        None => session_end::end_all(tx, core, user.id, now)?,
    }
    Ok((user.email.clone(), Account { email: challenge.email, email_confirmed_at: now, ..user }))
}

/// Removes the factors that were enrolled after an address change that is undone: by whoever made it.
fn remove_younger_factors(tx: &mut Tx<'_>, user: UserId, since: Timestamp) -> Result<(), Fault> {
    passkeys::remove_younger(tx, user, since)?;
    if authenticators::of_user(tx, user)?.is_some_and(|it| it.created_at >= since) {
        authenticators::remove(tx, user)?;
    }
    recovery_codes::remove_younger(tx, user, since)
}

/// The link that makes an address the user's, or a notice to the owner it already has.
pub(crate) fn compose_change(
    tx: &mut Tx<'_>,
    core: &Core,
    leased: &Leased,
    now: Timestamp,
) -> Result<Draft, Fault> {
    let Some(Linked { challenge, user, link }) = linked(tx, core, leased, "email/confirm", now)? else {
        return Ok(Draft::Drop);
    };
    let owner = users::by_email(tx, &challenge.email)?.map(|found| found.account);
    if let Some(owner) = owner.filter(|owner| owner.id != user.id) {
        let content = MailContent::AlreadyRegistered { sign_in: core.page("login") };
        return Ok(Draft::send(leased, owner.email, owner.locale, content));
    }
    let content = MailContent::EmailChange { link, link_expires_at: challenge.expires_at };
    Ok(Draft::send(leased, challenge.email, user.locale, content))
}

/// The link that restores the previous address.
pub(crate) fn compose_undo(
    tx: &mut Tx<'_>,
    core: &Core,
    leased: &Leased,
    now: Timestamp,
) -> Result<Draft, Fault> {
    let Some(Linked { challenge, user, link }) = linked(tx, core, leased, "email/undo", now)? else {
        return Ok(Draft::Drop);
    };
    let asked = [AuditKind::EmailChangeRequested];
    let place = place(tx, core, leased, (user.id, &challenge.email), &asked)?;
    let content = MailContent::EmailUndo { link, link_expires_at: challenge.expires_at, place };
    Ok(Draft::send(leased, challenge.email, user.locale, content))
}
