//! Passwords of existing users: resetting, changing, checking.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::{Challenge, Purpose};
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::{MailId, SessionId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::password::{Password, PasswordContext, PasswordError, Strength};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::limits;
use crate::mail::MailContent;
use crate::ops::challenge::{LinkError, open};
use crate::ops::draft::Draft;
use crate::ops::session_end;
use crate::ops::sign_in::attempt::{Candidate, Compared, NotCompared, PasswordAttempt, Verdict};
use crate::ops::sign_in::step_up::{self, StepUp};
use crate::store::Tx;
use crate::store::tables::limits::{Failures, Subject, lock, set_failures};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::users::standing;
use crate::store::tables::{challenges, users};
use crate::token::subject;
use crate::trail::Entry;

/// Why a password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// The link has no effect.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The account has no password, and a passkey: whoever has only the mailbox gives it none. Sign in and set it there.
    #[error("the account has no password; sign in with a passkey to set one")]
    FactorNeeded,
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a change that asks for the signed-in user's password was refused.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The current password is wrong.
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
    /// It would leave no active administrator.
    #[error("this is the last active administrator")]
    LastAdmin,
    /// The account has a password, and it was not given.
    #[error("the password is needed")]
    PasswordRequired,
    /// Something else has to be proven first.
    #[error(transparent)]
    StepUp(#[from] StepUp),
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<NotCompared> for ChangeError {
    fn from(error: NotCompared) -> Self {
        match error {
            NotCompared::Limited { retry_after } => Self::Limited { retry_after },
            NotCompared::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Why a password was not judged.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// This client asks too often.
    #[error("too many passwords to judge")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Sets a new password with the link's token and ends all sessions. Does not sign in (X2).
    ///
    /// # Errors
    /// [`ResetError::Link`], [`FactorNeeded`](ResetError::FactorNeeded), [`Password`](ResetError::Password),
    /// [`Fault`](ResetError::Fault).
    pub async fn reset_password(
        &self,
        token: &str,
        new: &Password,
        client: &Client,
    ) -> Result<(), ResetError> {
        let (core, text, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let look = move |tx: &mut Tx<'_>| -> Result<(Challenge, Account), ResetError> {
            let (challenge, user) = open(tx, &core, &text, Purpose::PasswordReset, now)??;
            let standing = standing::of(tx, user.id, core.relying_party.is_some())?;
            if standing.is_some_and(|it| !it.has_password && it.has_factor()) {
                return Err(ResetError::FactorNeeded);
            }
            Ok((challenge, user))
        };
        let (challenge, user) = self.0.store.read(look).await?;
        let hash = self.0.choose(new, context(&user)).await??;
        let entry = Entry::new(AuditKind::PasswordReset, AuditActor::User(user.id), client);
        let change = PasswordChange::new(&self.0, user, hash, &entry, now);
        let core = self.0.clone();
        let won = self
            .0
            .store
            .write(move |tx| change.by_link(tx, &core, &challenge))
            .await
            .map_err(ResetError::Fault)?;
        self.0.mail_queued.notify_one();
        if won { Ok(()) } else { Err(LinkError::Used.into()) }
    }

    /// Changes the password of a signed-in user who gives the current one; ends the other sessions (P7, R6).
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`Password`](ChangeError::Password),
    /// [`Fault`](ChangeError::Fault).
    pub async fn change_password(
        &self,
        who: &SignedIn,
        current: impl Into<Option<&Password>> + Send,
        new: &Password,
        client: &Client,
    ) -> Result<(), ChangeError> {
        let current = current.into();
        let checked = self.prove_own(who, current, client).await?.0;
        if current.is_some_and(|current| current.expose() == new.expose()) {
            return Err(PasswordError::Unchanged.into());
        }
        let hash = self.0.choose(new, context(&who.account)).await??;
        let entry = Entry::new(AuditKind::PasswordChanged, AuditActor::User(who.account.id), client);
        let change = PasswordChange::new(&self.0, who.account.clone(), hash, &entry, self.0.now());
        let (core, session) = (self.0.clone(), who.session_id);
        let who = who.clone();
        let write = move |tx: &mut Tx<'_>| -> Result<bool, ChangeError> {
            step_up::demand_beside_password(tx, &core, &who, core.now())??;
            Ok(change.by_user(tx, &core, checked, session)?)
        };
        let changed = self.0.store.write(write).await;
        self.0.mail_queued.notify_one();
        if changed? { Ok(()) } else { Err(ChangeError::Refused) }
    }

    /// How strong a password is, and why it could not be chosen: for a strength meter, which may ask often, but not
    /// without limit.
    ///
    /// # Errors
    /// [`CheckError::Limited`] when this client asks too often; [`CheckError::Fault`] when too many wait.
    pub async fn check_password(
        &self,
        password: &Password,
        email: Option<&Email>,
        client: &Client,
    ) -> Result<Strength, CheckError> {
        let core = &self.0;
        if let Some(subject) = limits::limited_client(core, client)
            && let Some(retry_after) =
                core.judgements.take(subject, core.policy().password_checks, core.now())
        {
            return Err(CheckError::Limited { retry_after });
        }
        let judge = core.policy().passwords.judge(PasswordContext { email, user_name: None });
        Ok(core.hasher.judge(password, judge).await?)
    }

    /// Re-authentication: the signed-in user gives the password again. Failures count as at sign-in.
    pub(crate) async fn give_password(
        &self,
        who: &SignedIn,
        password: &Password,
        client: &Client,
    ) -> Result<Checked, ChangeError> {
        let (compared, checked) = self.compare_own(who.account.id, password, client).await?;
        let core = self.0.clone();
        let judge = move |tx: &mut Tx<'_>| -> Result<Result<(), ChangeError>, Fault> {
            Ok(match compared.judge(tx, &core)? {
                Verdict::Right(right) => Ok(right.forget_failures(tx)?),
                Verdict::Wrong => Err(ChangeError::Refused),
                Verdict::Limited { retry_after } => Err(ChangeError::Limited { retry_after }),
            })
        };
        self.0.store.write(judge).await.map_err(ChangeError::Fault)??;
        checked.map(Checked).ok_or(ChangeError::Refused)
    }

    /// Whoever has a second factor must have given it lately: seen before the password costs a hash.
    async fn demand_factor(&self, who: &SignedIn) -> Result<(), ChangeError> {
        let (core, who) = (self.0.clone(), who.clone());
        let demand = move |tx: &mut Tx<'_>| step_up::demand_beside_password(tx, &core, &who, core.now());
        let demanded: Result<(), StepUp> = self.0.store.read(demand).await.map_err(ChangeError::Fault)?;
        Ok(demanded?)
    }

    /// What a change of the account needs: the password, where there is one, and a second factor of the last minutes, where there
    /// is one. Failures count as at sign-in.
    pub(crate) async fn prove_own(
        &self,
        who: &SignedIn,
        password: Option<&Password>,
        client: &Client,
    ) -> Result<Checked, ChangeError> {
        self.demand_factor(who).await?;
        if let Some(password) = password {
            return self.give_password(who, password, client).await;
        }
        let user = who.account.id;
        let found = self.0.store.read(move |tx| users::by_id(tx, user)).await.map_err(ChangeError::Fault)?;
        match found {
            Some(found) if found.password_hash.is_none() => Ok(Checked(found.credential_version)),
            Some(_) => Err(ChangeError::PasswordRequired),
            None => Err(ChangeError::Refused),
        }
    }

    /// Compares a password with the user's own. Also returns the version of the credentials it was compared with.
    pub(crate) async fn compare_own(
        &self,
        id: UserId,
        password: &Password,
        client: &Client,
    ) -> Result<(Compared, Option<i64>), NotCompared> {
        let from = client.clone();
        let failed = Entry::new(AuditKind::SignInFailed, AuditActor::User(id), client);
        let look_up = move |tx: &mut Tx<'_>, core: &Core| {
            let failed = failed.clone().detail("given again for a change");
            let Some(user) = users::by_id(tx, id)? else {
                let attempt = PasswordAttempt::new(core, subject::gone(&core.root, id), failed, &from);
                return Ok(Candidate { attempt, stages: vec![vec![]], found: None });
            };
            let attempt = PasswordAttempt::on_user(core, &user, failed.about(&user.account), &from);
            let stages = vec![user.password_hash.clone().into_iter().collect()];
            Ok(Candidate { attempt, stages, found: Some(user.credential_version) })
        };
        self.compare(password, look_up).await
    }
}

/// The version of the credentials for which something was proven: a change is refused when it is another by then.
pub(crate) struct Checked(pub(crate) i64);

pub(crate) fn context(user: &Account) -> PasswordContext<'_> {
    PasswordContext { email: Some(&user.email), user_name: user.user_name.as_ref().map(UserName::as_str) }
}

/// A new password to be stored.
pub(crate) struct PasswordChange {
    user: Account,
    hash: String,
    address: Subject,
    mail: MailId,
    entry: Entry,
    now: Timestamp,
}

impl PasswordChange {
    pub(crate) fn new(core: &Core, user: Account, hash: String, entry: &Entry, now: Timestamp) -> Self {
        let address = subject::address(&core.root, &user.email);
        let mail = MailId::from_bytes(core.settings.env.new_id(now));
        Self { entry: entry.about(&user), user, hash, address, mail, now }
    }

    /// `false`: another use of the link came first.
    fn by_link(&self, tx: &mut Tx<'_>, core: &Core, challenge: &Challenge) -> Result<bool, Fault> {
        lock(tx, &self.address, self.now)?;
        if !challenges::consume(tx, &challenge.id, self.now)?
            || !users::set_password(tx, self.user.id, &self.hash, None)?
        {
            return Ok(false);
        }
        // The holder of the link has the mailbox.
        self.start_anew(tx, core)?;
        Ok(true)
    }

    /// `false`: the user is gone.
    pub(crate) fn by_operator(&self, tx: &mut Tx<'_>, core: &Core) -> Result<bool, Fault> {
        lock(tx, &self.address, self.now)?;
        let set = users::set_password(tx, self.user.id, &self.hash, None)?;
        if set {
            self.start_anew(tx, core)?;
        }
        Ok(set)
    }

    /// In the transaction that restored the previous address, whose lock the caller has.
    pub(crate) fn after_undo(&self, tx: &mut Tx<'_>, core: &Core) -> Result<(), Fault> {
        users::set_password(tx, self.user.id, &self.hash, None)?;
        self.start_anew(tx, core)
    }

    /// Ends every wait, so that a locked-out user can sign in (L4), and every session.
    fn start_anew(&self, tx: &mut Tx<'_>, core: &Core) -> Result<(), Fault> {
        set_failures(tx, &self.address, Failures::default())?;
        session_end::end_all(tx, core, self.user.id, self.now)?;
        self.tell(tx, core)
    }

    /// `false`: the password has changed since it was given.
    fn by_user(&self, tx: &mut Tx<'_>, core: &Core, checked: i64, session: SessionId) -> Result<bool, Fault> {
        lock(tx, &self.address, self.now)?;
        if !users::set_password(tx, self.user.id, &self.hash, Some(checked))? {
            return Ok(false);
        }
        session_end::end_others(tx, core, self.user.id, session, self.now)?;
        self.tell(tx, core)?;
        Ok(true)
    }

    fn tell(&self, tx: &mut Tx<'_>, core: &Core) -> Result<(), Fault> {
        challenges::void(tx, self.user.id, Purpose::PasswordReset)?;
        challenges::void(tx, self.user.id, Purpose::EmailChange)?;
        outbox::push_to(
            tx,
            self.mail,
            MailKind::PasswordChanged,
            self.user.id.as_bytes(),
            self.user.id,
            self.now,
        )?;
        self.entry.write(tx, core, self.now)
    }
}

/// A notice that the password was changed.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased) -> Result<Draft, Fault> {
    let causes = [AuditKind::PasswordReset, AuditKind::PasswordChanged, AuditKind::PasswordSet];
    let content = |place| MailContent::PasswordChanged { place, forgot: core.page("forgot") };
    Draft::notice_from(tx, core, leased, &causes, content)
}
