//! Confirmation: a registration becomes a user, by code or by link, with its password as the second proof (S4).

use std::str::FromStr;
use std::time::Duration;

use crate::accounts::Inner;
use crate::domain::registration::Registration;
use crate::limits::{self, PasswordAttempt, client_wait, codes_allowed, record_failed_guess};
use crate::ops::admin::{Actor, take_address};
use crate::ops::audit::Entry;
use crate::store::limits::{Subject, lock};
use crate::store::registrations::{self, Spent};
use crate::store::users::{self, Inserted};
use crate::store::{Tx, outbox};
use crate::token::challenge::{is_code, open_link_token};
use crate::{
    Account, Accounts, AuditActor, AuditKind, Client, Email, Fault, MailId, Password, RegistrationId, Secret,
    Timestamp, UserId, UserName,
};

/// Why a sign-up was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// No open sign-up has this address and this password.
    #[error("no open sign-up has this address and password")]
    Refused,
    /// Wrong digits.
    #[error("the code is wrong")]
    CodeInvalid {
        /// Guesses that are left for this code.
        attempts_left: u32,
    },
    /// The code is late, used up, replaced or used: ask for a new one.
    #[error("the code does not work any more")]
    CodeExpired,
    /// The link was not made here, or not whole.
    #[error("the link is not valid")]
    LinkInvalid,
    /// The link is late, or its sign-up was displaced by newer ones.
    #[error("the link does not work any more")]
    LinkExpired,
    /// The account is already active.
    #[error("the link was used before")]
    LinkUsed,
    /// Somebody has taken the user name since; the confirmation may be repeated with another.
    #[error("the user name is taken")]
    UserNameTaken,
    /// Too many wrong codes or passwords.
    #[error("too many wrong codes or passwords")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The digits of a confirmation mail: 4 to 8 ASCII digits, nothing else (S7).
#[derive(Clone, Debug)]
pub struct Code(Secret);

/// The text is not 4 to 8 ASCII digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code is made of 4 to 8 digits")]
pub struct CodeError;

impl FromStr for Code {
    type Err = CodeError;

    /// # Errors
    /// [`CodeError`]: other characters, spaces included, are not stripped.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let well_formed = (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if well_formed { Ok(Self(text.into())) } else { Err(CodeError) }
    }
}

/// What became of a mailed link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It can be confirmed.
    Open,
    /// The account is active already.
    Used,
    /// Too late, or displaced.
    Expired,
    /// Not one of ours.
    Invalid,
}

impl Accounts {
    /// Activates the account with the code of the mail and the password of the sign-up.
    ///
    /// A guess is spent before it is compared, and a wrong one is remembered for address, client and everybody (C3–C5).
    /// `user_name` replaces the name wished for at sign-up.
    ///
    /// # Errors
    /// [`ConfirmError::Refused`], [`CodeInvalid`](ConfirmError::CodeInvalid), [`CodeExpired`](ConfirmError::CodeExpired),
    /// [`UserNameTaken`](ConfirmError::UserNameTaken), [`Limited`](ConfirmError::Limited), [`Fault`](ConfirmError::Fault).
    pub async fn confirm_by_code(
        &self,
        email: &Email,
        password: &Password,
        code: &Code,
        user_name: Option<UserName>,
        client: &Client,
    ) -> Result<Account, ConfirmError> {
        let inner = self.0.clone();
        let now = inner.now();
        let address = limits::address(&inner.root, email);
        let failed = failed(client).address(email);
        let attempt = PasswordAttempt::new(&inner, address, failed, client, now);
        self.may_try(&attempt).await?;
        let (key, most) = (email.clone(), inner.policy().sign_up.open_per_address);
        let candidates: Vec<Registration> = inner
            .store
            .read(move |tx| registrations::of_email(tx, &key, now, most))
            .await
            .map_err(ConfirmError::Fault)?;
        let hashes = candidates.iter().map(|candidate| candidate.password_hash.clone()).collect();
        let matching = inner.hasher.verify(password, hashes).await?;
        let proven: Vec<RegistrationId> = candidates
            .iter()
            .zip(matching)
            .filter(|(_, matches)| *matches)
            .map(|(candidate, _)| candidate.id)
            .collect();
        if proven.is_empty() {
            return Err(self.wrong_password(attempt).await?);
        }
        let birth = Birth::new(&inner, user_name, client, "by code", now);
        self.guess(proven, code, attempt, birth).await
    }

    /// Spends a guess on these sign-ups, whose password was given. `attempt`: the address and the client.
    pub(super) async fn guess(
        &self,
        proven: Vec<RegistrationId>,
        code: &Code,
        attempt: PasswordAttempt,
        birth: Birth,
    ) -> Result<Account, ConfirmError> {
        let inner = self.0.clone();
        let guess = Guess {
            proven,
            code: code.0.clone(),
            address: attempt.account,
            client: attempt.client,
            failed: attempt.failed.detail("wrong code"),
            birth,
        };
        let account = inner.clone().store.write(move |tx| guess.spend(tx, &inner)).await??;
        self.0.mail_queued.notify_one();
        Ok(account)
    }

    /// Activates the account with the link's token and the password of the sign-up.
    ///
    /// The password may be left out only when [`require_password`](crate::ConfirmPolicy::require_password) is off.
    ///
    /// # Errors
    /// [`ConfirmError::LinkInvalid`], [`LinkExpired`](ConfirmError::LinkExpired), [`LinkUsed`](ConfirmError::LinkUsed),
    /// [`Refused`](ConfirmError::Refused) for a wrong password, [`UserNameTaken`](ConfirmError::UserNameTaken),
    /// [`Fault`](ConfirmError::Fault).
    pub async fn confirm_by_link(
        &self,
        token: &str,
        password: Option<&Password>,
        user_name: Option<UserName>,
        client: &Client,
    ) -> Result<Account, ConfirmError> {
        let inner = &self.0;
        let now = inner.now();
        let registration = self.open_link(token, now).await?;
        // Whoever does not have the link cannot use this counter up.
        let holder = limits::link(&inner.root, registration.id);
        let failed = failed(client).address(&registration.email);
        let attempt = PasswordAttempt::new(inner, holder, failed, client, now);
        self.may_try(&attempt).await?;
        let proven = match password {
            None => !inner.policy().confirm.require_password,
            Some(password) => {
                let hashes = vec![registration.password_hash.clone()];
                inner.hasher.verify(password, hashes).await?.contains(&true)
            }
        };
        if !proven {
            return Err(self.wrong_password(attempt).await?);
        }
        let birth = Birth::new(inner, user_name, client, "by link", now);
        self.activate(&registration, birth).await
    }

    /// The sign-up that waits behind a link.
    pub(super) async fn open_link(&self, token: &str, now: Timestamp) -> Result<Registration, ConfirmError> {
        match self.link(token, now).await? {
            Ok(registration) => Ok(registration),
            Err(LinkState::Used) => Err(ConfirmError::LinkUsed),
            Err(LinkState::Invalid) => Err(ConfirmError::LinkInvalid),
            Err(LinkState::Expired | LinkState::Open) => Err(ConfirmError::LinkExpired),
        }
    }

    /// Both proofs are there: the link, and the password or the browser that sent it.
    pub(super) async fn activate(
        &self,
        registration: &Registration,
        birth: Birth,
    ) -> Result<Account, ConfirmError> {
        let (inner, id) = (self.0.clone(), registration.id);
        let address = limits::address(&inner.root, &registration.email);
        let activate = move |tx: &mut Tx<'_>| {
            lock(tx, &address, birth.now)?;
            birth.activate(tx, &inner, id)?.ok_or(ConfirmError::LinkUsed)
        };
        let account = self.0.store.write(activate).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }

    async fn may_try(&self, attempt: &PasswordAttempt) -> Result<(), ConfirmError> {
        let (inner, attempt) = (self.0.clone(), attempt.clone());
        let wait: Option<Duration> =
            self.0.store.read(move |tx| attempt.wait(tx, &inner)).await.map_err(ConfirmError::Fault)?;
        wait.map_or(Ok(()), |retry_after| Err(ConfirmError::Limited { retry_after }))
    }

    async fn wrong_password(&self, attempt: PasswordAttempt) -> Result<ConfirmError, Fault> {
        let inner = self.0.clone();
        let limited = self.0.store.write(move |tx| attempt.wrong(tx, &inner)).await?;
        Ok(limited.map_or(ConfirmError::Refused, |retry_after| ConfirmError::Limited { retry_after }))
    }

    /// What a page may know about a link before its button is pressed. Changes nothing (S8).
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn link_state(&self, token: &str) -> Result<LinkState, Fault> {
        Ok(self.link(token, self.0.now()).await?.err().unwrap_or(LinkState::Open))
    }

    async fn link(&self, token: &str, now: Timestamp) -> Result<Result<Registration, LinkState>, Fault> {
        let Some(id) = open_link_token(&self.0.root, token) else { return Ok(Err(LinkState::Invalid)) };
        let look_up = move |tx: &mut Tx<'_>| -> Result<_, Fault> {
            let Some(found) = registrations::by_id(tx, id)? else { return Ok(Err(LinkState::Expired)) };
            let decoy = found.decoy_at.is_some();
            // Whoever has the link reads the mails of the address, and may know that it has an account.
            if found.activated_at.is_some() || (decoy && users::email_exists(tx, &found.email)?) {
                return Ok(Err(LinkState::Used));
            }
            Ok(if decoy || found.expires_at <= now { Err(LinkState::Expired) } else { Ok(found) })
        };
        self.0.store.read(look_up).await
    }
}

/// What the trail says of a wrong password or code.
pub(super) fn failed(client: &Client) -> Entry {
    Entry::new(AuditKind::ConfirmFailed, AuditActor::Anonymous, client)
}

/// A code that came back with the right password.
struct Guess {
    /// The sign-ups whose password was given, newest first.
    proven: Vec<RegistrationId>,
    code: Secret,
    address: Subject,
    client: Option<Subject>,
    failed: Entry,
    birth: Birth,
}

impl Guess {
    /// Spends a guess on every code it could be, then compares. A refusal is an `Ok`: what it cost is committed.
    fn spend(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<Result<Account, ConfirmError>, ConfirmError> {
        let policy = &inner.policy().confirm;
        let now = self.birth.now;
        if let Some(client) = &self.client
            && let Some(retry_after) = client_wait(tx, client, policy, now)?
        {
            return Ok(Err(ConfirmError::Limited { retry_after }));
        }
        lock(tx, &self.address, now)?;
        if !codes_allowed(tx, &self.address, policy, now)? {
            return Ok(Err(ConfirmError::CodeExpired));
        }
        let mut attempts_left = None;
        for id in &self.proven {
            let Some(spent) = registrations::spend_guess(tx, *id, policy.guesses_per_code, now)? else {
                continue;
            };
            if self.is_right(&spent, inner) {
                return Ok(self.birth.activate(tx, inner, *id)?.ok_or(ConfirmError::CodeExpired));
            }
            record_failed_guess(tx, &self.address, self.client.as_ref(), now)?;
            self.failed.write(tx, inner, now)?;
            attempts_left = attempts_left.max(Some(policy.guesses_per_code - spent.attempts));
        }
        Ok(Err(match attempts_left {
            Some(left) => ConfirmError::CodeInvalid { attempts_left: u32::try_from(left).unwrap_or(0) },
            None => ConfirmError::CodeExpired,
        }))
    }

    fn is_right(&self, spent: &Spent, inner: &Inner) -> bool {
        let digits = inner.policy().confirm.code_digits;
        spent.code_mail.is_some_and(|mail| {
            is_code(&inner.root, spent.registration, mail, digits, &self.code, self.birth.now) && !spent.decoy
        })
    }
}

/// A user about to be born.
pub(super) struct Birth {
    user: UserId,
    mail: MailId,
    user_name: Option<UserName>,
    /// Who confirmed it and how, for the audit trail.
    activated: Entry,
    now: Timestamp,
}

/// Why a user was not born.
#[derive(Debug)]
pub(super) enum BirthError {
    UserNameTaken,
    Fault(Fault),
}

impl From<Fault> for BirthError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<BirthError> for ConfirmError {
    fn from(error: BirthError) -> Self {
        match error {
            BirthError::UserNameTaken => Self::UserNameTaken,
            BirthError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Birth {
    pub(super) fn new(
        inner: &Inner,
        user_name: Option<UserName>,
        client: &Client,
        way: &'static str,
        now: Timestamp,
    ) -> Self {
        let env = &inner.settings.env;
        let user = UserId::from_bytes(env.new_id(now));
        let activated = Entry::new(AuditKind::Activated, AuditActor::User(user), client).detail(way);
        Self { user, mail: MailId::from_bytes(env.new_id(now)), user_name, activated, now }
    }

    /// Somebody who may looked after it: no code, no link and no password were given.
    pub(super) fn by_hand(inner: &Inner, actor: Actor<'_>, now: Timestamp) -> Self {
        let activated = Entry::by(AuditKind::Activated, actor).detail("by hand");
        Self { activated, ..Self::new(inner, None, &Client::default(), "by hand", now) }
    }

    /// Makes the registration a user and the others of the address decoys, all in one commit (S5). `None`: another was
    /// faster. The caller holds the lock of the address.
    pub(super) fn activate(
        &self,
        tx: &mut Tx<'_>,
        inner: &Inner,
        id: RegistrationId,
    ) -> Result<Option<Account>, BirthError> {
        let Some(registration) = registrations::by_id(tx, id)? else { return Ok(None) };
        if users::email_exists(tx, &registration.email)? || !registrations::activate(tx, id, self.now)? {
            return Ok(None);
        }
        let account = Account {
            id: self.user,
            email: registration.email.clone(),
            user_name: self.user_name.clone().or(registration.user_name),
            email_confirmed_at: self.now,
            created_at: self.now,
            disabled_at: None,
            locale: registration.locale,
            roles: Vec::new(),
        };
        match users::insert(tx, &account, &registration.password_hash)? {
            Inserted::Yes => {}
            Inserted::UserNameTaken => return Err(BirthError::UserNameTaken),
            Inserted::EmailTaken => return Err(Fault::Unavailable("two activations met".into()).into()),
        }
        take_address(tx, inner, &account)?;
        outbox::push_to(tx, self.mail, "welcome", account.id.as_bytes(), account.id, self.now)?;
        self.activated.about(&account).write(tx, inner, self.now)?;
        Ok(Some(account))
    }
}
