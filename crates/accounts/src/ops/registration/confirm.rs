//! Confirmation: a registration becomes a user, by code or by link, with its password as the second proof (S4).

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::code::Code;
use crate::domain::email::Email;
use crate::domain::ids::RegistrationId;
use crate::domain::password::{Password, PasswordContext, PasswordError};
use crate::domain::profile::user_data::UserData;
use crate::domain::registration::Registration;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::limits::{self, client_wait, codes_allowed, record_failed_guess};
use crate::ops::challenge::LinkError;
use crate::ops::registration::activation::{Activation, ActivationError};
use crate::ops::sign_in::attempt::{Candidate, Compared, NotCompared, PasswordAttempt, Verdict};
use crate::policy::terms::{Terms, TermsNotAccepted};
use crate::store::Tx;
use crate::store::tables::limits::{Subject, lock};
use crate::store::tables::registrations::{self, Spent};
use crate::store::tables::users;
use crate::token::challenge::{is_code, open_link_token};
use crate::token::subject;
use crate::trail::Entry;

/// Why a sign-up was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// No open sign-up has this address and this password.
    #[error("no open sign-up has this address and password")]
    Refused,
    /// The code is wrong.
    #[error("the code is wrong")]
    CodeInvalid {
        /// The guesses left for this code.
        attempts_left: u32,
    },
    /// The code is expired, used up, replaced or used: a new one is needed.
    #[error("the code does not work any more")]
    CodeExpired,
    /// The link was not issued by this service, or is incomplete.
    #[error("the link is not valid")]
    LinkInvalid,
    /// The link has expired.
    #[error("the link does not work any more")]
    LinkExpired,
    /// The account is already active.
    #[error("the link was used before")]
    LinkUsed,
    /// The chosen password is not allowed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The operator's terms were not accepted.
    #[error(transparent)]
    Terms(#[from] TermsNotAccepted),
    /// The user name has been taken since; the confirmation may be repeated with another.
    #[error("the user name is taken")]
    UserNameTaken,
    /// Too many wrong codes or passwords.
    #[error("too many wrong codes or passwords")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<NotCompared> for ConfirmError {
    fn from(error: NotCompared) -> Self {
        match error {
            NotCompared::Limited { retry_after } => Self::Limited { retry_after },
            NotCompared::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Accounts {
    /// Activates the account with the code of the mail and the password of the sign-up.
    ///
    /// A guess is spent before it is compared, and a wrong one is counted for the address, the client and all clients
    /// together (C3–C5). `user_name` replaces the name requested at sign-up.
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
        let (key, from) = (email.clone(), client.clone());
        let look_up = move |tx: &mut Tx<'_>, core: &Core| {
            let address = subject::address(&core.root, &key);
            let attempt = PasswordAttempt::new(core, address, failed(&from).address(&key), &from);
            let found = registrations::of_email(tx, &key, attempt.now())?;
            let stages = vec![found.iter().map(|candidate| candidate.password_hash.clone()).collect()];
            Ok(Candidate { attempt, stages, found })
        };
        let (compared, found) = self.compare(password, look_up).await?;
        let with_code = |found: &Registration| found.crowded_at.is_none().then_some(found.id);
        let ids = found.iter().map(with_code).collect();
        let guess =
            Guess::new(&self.0, Proof::Password(Box::new(compared), ids), code, email, user_name, client);
        self.guess(guess).await
    }

    /// Spends a guess on the sign-ups that are proven.
    pub(crate) async fn guess(&self, guess: Guess) -> Result<Account, ConfirmError> {
        let core = self.0.clone();
        let account = self.0.store.write(move |tx| guess.spend(tx, &core)).await??;
        self.0.mail_queued.notify_one();
        Ok(account)
    }

    /// Activates the account with the link's token and the password of the sign-up.
    ///
    /// The password may be omitted only if [`require_password`](crate::ConfirmPolicy::require_password) is off. If the
    /// link is [`LinkState::Choose`](crate::LinkState::Choose), the password becomes that of the account, and must
    /// satisfy the rules for a new one; and the terms are those that the owner of the mailbox accepts. Otherwise they were
    /// accepted at the sign-up.
    ///
    /// # Errors
    /// [`ConfirmError::LinkInvalid`], [`LinkExpired`](ConfirmError::LinkExpired), [`LinkUsed`](ConfirmError::LinkUsed),
    /// [`Refused`](ConfirmError::Refused) for a wrong password, [`Password`](ConfirmError::Password),
    /// [`Terms`](ConfirmError::Terms),
    /// [`UserNameTaken`](ConfirmError::UserNameTaken), [`Limited`](ConfirmError::Limited), [`Fault`](ConfirmError::Fault).
    pub async fn confirm_by_link(
        &self,
        token: &str,
        password: Option<&Password>,
        user_name: Option<UserName>,
        terms: Terms,
        client: &Client,
    ) -> Result<Account, ConfirmError> {
        let core = &self.0;
        let now = core.now();
        let registration = self.open_link(token, now).await?;
        if registration.crowded_at.is_some() {
            let chosen = password.ok_or(ConfirmError::Refused)?;
            return self.choose(registration, chosen, user_name, terms, client).await;
        }
        let given = match password {
            None if core.policy().confirm.require_password => return Err(ConfirmError::Refused),
            None => None,
            Some(password) => {
                let (hash, from) = (registration.password_hash.clone(), client.clone());
                // Only holders of the link can use this counter up.
                let holder = subject::link(&core.root, registration.id);
                let failed = failed(client).address(&registration.email);
                let look_up = move |_: &mut Tx<'_>, core: &Core| {
                    let attempt = PasswordAttempt::new(core, holder, failed.clone(), &from);
                    Ok(Candidate { attempt, stages: vec![vec![hash.clone()]], found: () })
                };
                Some(self.compare(password, look_up).await?.0)
            }
        };
        let activation = Activation::new(core, user_name, client, "by link", now);
        self.activate(&registration, given, activation).await
    }

    /// The holder of a link to a sign-up in a crowd reads the mails of the address, and chooses the password: strangers
    /// who sign up with the address cannot keep its owner out. Of their sign-ups, only the language is used; what an import
    /// says, the operator has said.
    async fn choose(
        &self,
        registration: Registration,
        password: &Password,
        user_name: Option<UserName>,
        terms: Terms,
        client: &Client,
    ) -> Result<Account, ConfirmError> {
        let core = self.0.clone();
        let terms_accepted_at = core.policy().sign_up.consent.accepted_at(terms, core.now())?;
        let name = user_name.as_ref().map(UserName::as_str);
        let context = PasswordContext { email: Some(&registration.email), user_name: name };
        let password_hash = core.choose(password, context).await??;
        let address = subject::address(&core.root, &registration.email);
        let way = "by link, with a password chosen there";
        let activation = Activation::new(&core, user_name, client, way, core.now());
        let chosen = match registration.imported_at {
            Some(_) => Registration { password_hash, terms_accepted_at, ..registration },
            None => Registration {
                user_name: None,
                display_name: None,
                data: UserData::default(),
                password_hash,
                terms_accepted_at,
                ..registration
            },
        };
        let choose = move |tx: &mut Tx<'_>| {
            lock(tx, &address, activation.now)?;
            activation.choose(tx, &core, &chosen)?.ok_or(ConfirmError::LinkUsed)
        };
        let account = self.0.store.write(choose).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }

    /// The open sign-up behind a link.
    pub(crate) async fn open_link(&self, token: &str, now: Timestamp) -> Result<Registration, ConfirmError> {
        let (core, token) = (self.0.clone(), token.to_owned());
        let opened = self.0.store.read(move |tx| open(tx, &core, &token, now)).await;
        opened.map_err(ConfirmError::Fault)?.map_err(|error| match error {
            LinkError::Used => ConfirmError::LinkUsed,
            LinkError::Invalid => ConfirmError::LinkInvalid,
            LinkError::Expired => ConfirmError::LinkExpired,
        })
    }

    /// Activates a sign-up whose link was checked. `given`: the password that came with it; `None` if it is not
    /// required, or if the browser sent it before.
    pub(crate) async fn activate(
        &self,
        registration: &Registration,
        given: Option<Compared>,
        activation: Activation,
    ) -> Result<Account, ConfirmError> {
        let (core, id) = (self.0.clone(), registration.id);
        let address = subject::address(&core.root, &registration.email);
        let activate = move |tx: &mut Tx<'_>| -> Result<Result<Account, ConfirmError>, ConfirmError> {
            if let Some(given) = &given {
                match given.judge(tx, &core)? {
                    Verdict::Right(right) => right.forget_failures(tx)?,
                    Verdict::Wrong => return Ok(Err(ConfirmError::Refused)),
                    Verdict::Limited { retry_after } => {
                        return Ok(Err(ConfirmError::Limited { retry_after }));
                    }
                }
            }
            lock(tx, &address, activation.now)?;
            Ok(Ok(activation.activate(tx, &core, id)?.ok_or(ConfirmError::LinkUsed)?))
        };
        let account = self.0.store.write(activate).await??;
        self.0.mail_queued.notify_one();
        Ok(account)
    }
}

/// The open sign-up behind a link.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    core: &Core,
    token: &str,
    now: Timestamp,
) -> Result<Result<Registration, LinkError>, Fault> {
    let Some(id) = open_link_token(&core.root, token) else { return Ok(Err(LinkError::Invalid)) };
    let Some(found) = registrations::by_id(tx, id)? else { return Ok(Err(LinkError::Expired)) };
    let decoy = found.decoy_at.is_some();
    // The holder of the link reads the mails of the address, and may know that it has an account.
    if found.activated_at.is_some() || (decoy && users::email_exists(tx, &found.email)?) {
        return Ok(Err(LinkError::Used));
    }
    Ok(if decoy || found.expires_at <= now { Err(LinkError::Expired) } else { Ok(found) })
}

/// The trail's entry for a wrong password or code.
pub(crate) fn failed(client: &Client) -> Entry {
    Entry::new(AuditKind::ConfirmFailed, AuditActor::Anonymous, client)
}

/// Proves that the sender of a code also sent the sign-up (S4).
pub(crate) enum Proof {
    /// The password, compared with those of these sign-ups. Those that get no code are `None`.
    Password(Box<Compared>, Vec<Option<RegistrationId>>),
    /// The browser that sent this sign-up.
    Browser(RegistrationId),
}

/// An entered code.
pub(crate) struct Guess {
    proof: Proof,
    code: Secret,
    address: Subject,
    client: Option<Subject>,
    failed: Entry,
    activation: Activation,
}

impl Guess {
    pub(crate) fn new(
        core: &Core,
        proof: Proof,
        typed: &Code,
        email: &Email,
        user_name: Option<UserName>,
        client: &Client,
    ) -> Self {
        Self {
            proof,
            code: typed.digits().clone(),
            address: subject::address(&core.root, email),
            client: limits::limited_client(core, client),
            failed: failed(client).address(email).detail("wrong code"),
            activation: Activation::new(core, user_name, client, "by code", core.now()),
        }
    }

    /// The sign-ups that are proven, newest first.
    fn proven(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
    ) -> Result<Result<Vec<RegistrationId>, ConfirmError>, Fault> {
        let (compared, ids) = match &self.proof {
            Proof::Browser(id) => return Ok(Ok(vec![*id])),
            Proof::Password(compared, ids) => (compared, ids),
        };
        Ok(match compared.judge(tx, core)? {
            Verdict::Right(right) => {
                let matching = ids.iter().zip(right.stage(0)).filter(|(_, matches)| **matches);
                Ok(matching.filter_map(|(id, _)| *id).collect())
            }
            Verdict::Wrong => Err(ConfirmError::Refused),
            Verdict::Limited { retry_after } => Err(ConfirmError::Limited { retry_after }),
        })
    }

    /// Spends a guess on every matching code, then compares. A refusal is an `Ok`: what it cost is committed.
    fn spend(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Result<Account, ConfirmError>, ConfirmError> {
        let policy = &core.policy().confirm;
        let now = self.activation.now;
        let proven = match self.proven(tx, core)? {
            Ok(proven) => proven,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Some(client) = &self.client
            && let Some(retry_after) = client_wait(tx, client, &core.limits(), now)?
        {
            return Ok(Err(ConfirmError::Limited { retry_after }));
        }
        lock(tx, &self.address, now)?;
        if !codes_allowed(tx, &self.address, policy, now)? {
            return Ok(Err(ConfirmError::CodeExpired));
        }
        let mut attempts_left = None;
        for id in proven {
            let Some(spent) = registrations::spend_guess(tx, id, policy.guesses_per_code, now)? else {
                continue;
            };
            if self.is_right(&spent, core) {
                return Ok(self.activation.activate(tx, core, id)?.ok_or(ConfirmError::CodeExpired));
            }
            record_failed_guess(tx, &self.address, self.client.as_ref(), now)?;
            self.failed.write(tx, core, now)?;
            attempts_left = attempts_left.max(Some(policy.guesses_per_code - spent.attempts));
        }
        Ok(Err(match attempts_left {
            Some(left) => ConfirmError::CodeInvalid { attempts_left: u32::try_from(left).unwrap_or(0) },
            None => ConfirmError::CodeExpired,
        }))
    }

    fn is_right(&self, spent: &Spent, core: &Core) -> bool {
        let digits = core.policy().confirm.code_digits;
        spent.code_mail.is_some_and(|mail| {
            is_code(&core.root, spent.registration, mail, digits, &self.code, self.activation.now)
                && !spent.decoy
        })
    }
}

impl From<ActivationError> for ConfirmError {
    fn from(error: ActivationError) -> Self {
        match error {
            ActivationError::UserNameTaken => Self::UserNameTaken,
            ActivationError::Fault(fault) => Self::Fault(fault),
        }
    }
}
