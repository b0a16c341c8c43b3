//! Passwords of existing users: forgotten, reset, changed, checked.

use std::time::Duration;

use crate::accounts::Inner;
use crate::domain::challenge::{Challenge, Purpose};
use crate::domain::password::PasswordContext;
use crate::limits::{self, DAY, PasswordAttempt, take_mail};
use crate::ops::audit::Entry;
use crate::ops::challenge::{LinkError, open};
use crate::ops::resend::AskError;
use crate::store::limits::{Failures, Rule, Subject, count, lock, record, set_failures};
use crate::store::{Tx, challenges, outbox, sessions, users};
use crate::{
    Account, Accounts, AuditActor, AuditKind, Client, Email, Fault, MailId, Password, PasswordError,
    SessionId, SignedIn, Strength, Timestamp, UserName,
};

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The link does nothing.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a signed-in user's change was refused that asks for the password.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The present password is wrong.
    #[error("the password is wrong")]
    Refused,
    /// Too many failures.
    #[error("too many wrong passwords")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The new password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// It would leave nobody who can administrate.
    #[error("this is the last active administrator")]
    LastAdmin,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Mails a link that sets a new password, to the stored address of the account, if there is one. The answer is the
    /// same in every case (X1).
    ///
    /// # Errors
    /// [`AskError::Limited`] when this client asks too often; [`AskError::Fault`].
    pub async fn forgot_password(&self, email: &Email, client: &Client) -> Result<(), AskError> {
        let (inner, email, client) = (self.0.clone(), email.clone(), client.clone());
        let now = inner.now();
        let env = &inner.settings.env;
        let (id, mail) = (env.new_id(now), MailId::from_bytes(env.new_id(now)));
        let entry = Entry::new(AuditKind::ResetRequested, AuditActor::Anonymous, &client);
        self.0
            .store
            .write(move |tx| {
                if let Some(retry_after) = take_mail(tx, &inner, &client, now)? {
                    return Err(AskError::Limited { retry_after });
                }
                if let Some(user) = request_reset(tx, &inner, &email, id, mail, now)? {
                    entry.about(&user).write(tx, &inner, now)?;
                }
                Ok(())
            })
            .await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }

    /// Sets a new password with the link's token and ends all sessions. Does not sign in (X2).
    ///
    /// # Errors
    /// [`ResetError::Link`], [`ResetError::Password`], [`ResetError::Fault`].
    pub async fn reset_password(
        &self,
        token: &str,
        new: &Password,
        client: &Client,
    ) -> Result<(), ResetError> {
        let (inner, text, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let opened: Result<(Challenge, Account), LinkError> = self
            .0
            .store
            .read(move |tx| open(tx, &inner, &text, Purpose::PasswordReset, now))
            .await
            .map_err(ResetError::Fault)?;
        let (challenge, user) = opened?;
        self.0.policy().passwords.check(new, context(&user))?;
        let hash = self.0.hasher.hash(new).await?;
        let entry = Entry::new(AuditKind::PasswordReset, AuditActor::User(user.id), client);
        let change = PasswordChange::new(&self.0, user, hash, &entry, now);
        let inner = self.0.clone();
        let won = self
            .0
            .store
            .write(move |tx| change.by_link(tx, &inner, &challenge))
            .await
            .map_err(ResetError::Fault)?;
        self.0.mail_queued.notify_one();
        if won { Ok(()) } else { Err(LinkError::Used.into()) }
    }

    /// Changes the password of a signed-in user who gives the present one; ends the other sessions (P7, R6).
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`Password`](ChangeError::Password),
    /// [`Fault`](ChangeError::Fault).
    pub async fn change_password(
        &self,
        who: &SignedIn,
        current: &Password,
        new: &Password,
        client: &Client,
    ) -> Result<(), ChangeError> {
        let attempt = self.give_password(who, current, client).await?;
        if current.expose() == new.expose() {
            return Err(PasswordError::Unchanged.into());
        }
        self.0.policy().passwords.check(new, context(&who.account))?;
        let hash = self.0.hasher.hash(new).await?;
        let entry = Entry::new(AuditKind::PasswordChanged, AuditActor::User(who.account.id), client);
        let change = PasswordChange::new(&self.0, who.account.clone(), hash, &entry, self.0.now());
        let (inner, session) = (self.0.clone(), who.session_id);
        let changed =
            self.0.store.write(move |tx| change.by_user(tx, &inner, &attempt.checked, session)).await;
        self.0.mail_queued.notify_one();
        if changed.map_err(ChangeError::Fault)? { Ok(()) } else { Err(ChangeError::Refused) }
    }

    /// Re-authentication before something dear: an unlocked screen, or the cookie of a session, is not enough for it (O4).
    /// It proves who is there, for as long as the answer is kept, and opens nothing. Failures count as at sign-in.
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`Fault`](ChangeError::Fault).
    pub async fn confirm_own_password(
        &self,
        who: &SignedIn,
        password: &Password,
        client: &Client,
    ) -> Result<SignedIn, ChangeError> {
        self.give_password(who, password, client).await?;
        Ok(SignedIn { auth_time: self.0.now(), ..who.clone() })
    }

    /// How good a password is, and why it could not be chosen: for a strength meter, which may ask often.
    pub fn check_password(&self, password: &Password, email: Option<&Email>) -> Strength {
        self.0.policy().passwords.judge(password, PasswordContext { email, user_name: None })
    }

    /// Re-authentication: the signed-in user gives the password again. Failures count as at sign-in.
    pub(crate) async fn give_password(
        &self,
        who: &SignedIn,
        password: &Password,
        client: &Client,
    ) -> Result<Proven, ChangeError> {
        let inner = &self.0;
        let account = limits::account(inner, &who.account, client);
        let failed = Entry::new(AuditKind::SignInFailed, AuditActor::User(who.account.id), client)
            .about(&who.account)
            .detail("given again for a change");
        let attempt = PasswordAttempt::new(inner, account, failed, client, inner.now());
        let (id, looked_up, shared) = (who.account.id, attempt.clone(), inner.clone());
        let checked: Option<String> = inner
            .store
            .read(move |tx| match looked_up.wait(tx, &shared)? {
                Some(retry_after) => Err(ChangeError::Limited { retry_after }),
                None => Ok(users::by_id(tx, id)?.map(|found| found.password_hash)),
            })
            .await?;
        let hashes = checked.iter().cloned().collect();
        let right = inner.hasher.verify(password, hashes).await?.contains(&true);
        let shared = inner.clone();
        let limited: Option<Duration> = inner
            .store
            .write(move |tx| if right { attempt.right(tx, &shared) } else { attempt.wrong(tx, &shared) })
            .await
            .map_err(ChangeError::Fault)?;
        match (limited, checked) {
            (Some(retry_after), _) => Err(ChangeError::Limited { retry_after }),
            (None, Some(checked)) if right => Ok(Proven { checked }),
            (None, _) => Err(ChangeError::Refused),
        }
    }
}

/// The password was given and right.
pub(crate) struct Proven {
    /// The hash it was right for: a change is refused when it is another by then.
    pub(crate) checked: String,
}

pub(super) fn context(user: &Account) -> PasswordContext<'_> {
    PasswordContext { email: Some(&user.email), user_name: user.user_name.as_ref().map(UserName::as_str) }
}

/// One link that works, at least a minute apart, five a day, and within the mails of the address: for whom, if so.
fn request_reset(
    tx: &mut Tx<'_>,
    inner: &Inner,
    email: &Email,
    id: [u8; 16],
    mail: MailId,
    now: Timestamp,
) -> Result<Option<Account>, Fault> {
    let address = limits::address(&inner.root, email);
    // Writes in any case: an address without an account costs a commit, too.
    lock(tx, &address, now)?;
    let policy = &inner.policy().password_reset;
    let asked = count(tx, &address, Rule::ResetRequested, now - DAY)?;
    let too_soon = asked.newest.is_some_and(|newest| newest + policy.interval > now);
    let requested = count(tx, &address, Rule::MailRequested, now - DAY)?.number;
    if too_soon || asked.number >= policy.per_day || requested >= inner.policy().sign_up.mails_per_day {
        return Ok(None);
    }
    // Counted for every address: what is left for its sign-ups must not tell whether it has an account (S3).
    record(tx, &address, Rule::ResetRequested, now)?;
    record(tx, &address, Rule::MailRequested, now)?;
    let user = users::by_email(tx, email)?.map(|found| found.account);
    let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(None) };
    queue_reset(tx, inner, &user, id, mail, now)?;
    Ok(Some(user))
}

/// Mails the link. The caller holds the lock of the address, and has counted the mail.
pub(super) fn queue_reset(
    tx: &mut Tx<'_>,
    inner: &Inner,
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
        expires_at: now + inner.policy().password_reset.lifetime,
        used_at: None,
    };
    challenges::insert(tx, &challenge)?;
    outbox::push_to(tx, mail, Purpose::PasswordReset.name(), &challenge.id, user.id, now)
}

/// A new password on its way into the store.
pub(super) struct PasswordChange {
    user: Account,
    hash: String,
    address: Subject,
    mail: MailId,
    entry: Entry,
    now: Timestamp,
}

impl PasswordChange {
    pub(super) fn new(inner: &Inner, user: Account, hash: String, entry: &Entry, now: Timestamp) -> Self {
        let address = limits::address(&inner.root, &user.email);
        let mail = MailId::from_bytes(inner.settings.env.new_id(now));
        Self { entry: entry.about(&user), user, hash, address, mail, now }
    }

    /// `false`: another use of the link was faster.
    fn by_link(&self, tx: &mut Tx<'_>, inner: &Inner, challenge: &Challenge) -> Result<bool, Fault> {
        lock(tx, &self.address, self.now)?;
        if !challenges::consume(tx, &challenge.id, self.now)?
            || !users::set_password(tx, self.user.id, &self.hash, None)?
        {
            return Ok(false);
        }
        // Who holds the link has the mailbox.
        self.start_anew(tx, inner)?;
        Ok(true)
    }

    /// `false`: the user is gone.
    pub(super) fn by_operator(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<bool, Fault> {
        lock(tx, &self.address, self.now)?;
        let set = users::set_password(tx, self.user.id, &self.hash, None)?;
        if set {
            self.start_anew(tx, inner)?;
        }
        Ok(set)
    }

    /// Whoever was locked out may sign in again (L4), and nobody stays signed in.
    fn start_anew(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<(), Fault> {
        set_failures(tx, &self.address, Failures::default())?;
        sessions::end_all(tx, self.user.id, self.now)?;
        self.tell(tx, inner)
    }

    /// `false`: the password was changed since it was given.
    fn by_user(
        &self,
        tx: &mut Tx<'_>,
        inner: &Inner,
        checked: &str,
        session: SessionId,
    ) -> Result<bool, Fault> {
        lock(tx, &self.address, self.now)?;
        if !users::set_password(tx, self.user.id, &self.hash, Some(checked))? {
            return Ok(false);
        }
        sessions::end_others(tx, self.user.id, session, self.now)?;
        self.tell(tx, inner)?;
        Ok(true)
    }

    fn tell(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<(), Fault> {
        challenges::void(tx, self.user.id, Purpose::PasswordReset)?;
        challenges::void(tx, self.user.id, Purpose::EmailChange)?;
        outbox::push_to(tx, self.mail, "password_changed", self.user.id.as_bytes(), self.user.id, self.now)?;
        self.entry.write(tx, inner, self.now)
    }
}
