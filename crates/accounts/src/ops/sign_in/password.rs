//! Sign-in: exchanges a password for a session and its tokens.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::password::Password;
use crate::domain::registration::Registration;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::ops::sign_in::admit::{Admission, Opened, Proofs, Refusal, SessionKey, admit};
use crate::ops::sign_in::attempt::{
    Candidate, Compared, NotCompared, PasswordAttempt, RightPassword, Verdict,
};
use crate::ops::sign_in::browser::{BrowserSession, Opening};
use crate::ops::sign_in::second_factor::SecondFactorChallenge;
use crate::ops::sign_in::tokens::Tokens;
use crate::ops::sign_in::{enrolment, second_factor};
use crate::store::Tx;
use crate::store::tables::registrations;
use crate::store::tables::users::{self, Credentials};
use crate::token::browser::sign_up_proof;
use crate::token::opaque::new_refresh_token;
use crate::token::subject;
use crate::trail::Entry;

/// The name used to sign in.
#[derive(Clone, Debug)]
pub enum Login {
    /// The email address.
    Email(Email),
    /// The public user name.
    UserName(UserName),
}

/// A sign-up whose password was given, and which waits for its confirmation. A decoy looks the same (S3).
#[derive(Clone, Debug)]
pub struct Unconfirmed {
    /// The proof that [`Accounts::sign_up_in_browser`] gave the browser that signed up: this browser has sent the
    /// password as well, so it may wait and confirm with it.
    pub proof: Secret,
    /// When the sign-up expires.
    pub expires_at: Timestamp,
}

/// Why a sign-in was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No account has this name and this password. Which of the two is wrong is not revealed (L1).
    #[error("the name or the password is wrong")]
    Refused,
    /// The password is right, but the address is not confirmed yet.
    #[error("the email address is not confirmed yet")]
    Unconfirmed(Unconfirmed),
    /// The password is right, but the account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The password is right, and a second factor is asked for: see [`Accounts::second_factor`].
    #[error("a second factor is needed")]
    SecondFactorRequired(SecondFactorChallenge),
    /// The password is right, but a second factor is demanded of this account and overdue. A link to enrol one was mailed.
    #[error("a second factor must be enrolled first")]
    EnrolmentRequired,
    /// Too many failures.
    #[error("too many failed sign-ins")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<NotCompared> for SignInError {
    fn from(error: NotCompared) -> Self {
        match error {
            NotCompared::Limited { retry_after } => Self::Limited { retry_after },
            NotCompared::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Accounts {
    /// Signs in: one hash when the password is right.
    ///
    /// A wrong password is also tried on the sign-ups of the address, decoys included, so that only those who know the
    /// password learn that it is "not confirmed yet". It costs two hashes for an address and one for a user name,
    /// whatever exists (L1).
    ///
    /// # Errors
    /// [`SignInError::Refused`], [`Unconfirmed`](SignInError::Unconfirmed), [`Disabled`](SignInError::Disabled),
    /// [`SecondFactorRequired`](SignInError::SecondFactorRequired), [`EnrolmentRequired`](SignInError::EnrolmentRequired),
    /// [`Limited`](SignInError::Limited), [`Fault`](SignInError::Fault).
    pub async fn sign_in(
        &self,
        login: &Login,
        password: &Password,
        client: &Client,
    ) -> Result<Tokens, SignInError> {
        let (refresh_token, hash) = new_refresh_token(&self.0.settings.env);
        let key = SessionKey::Refresh(hash);
        let opened = self.sign_in_with(login, password, client, key).await?;
        let keys = self.0.read_keys().await?;
        Ok(self.0.signed_in(&keys, opened, refresh_token, client)?)
    }

    /// Signs a browser in. The promises of [`sign_in`](Accounts::sign_in) apply; the session has no tokens.
    ///
    /// The session of the browser's previous secret ends: a new sign-in is a new secret (R4).
    ///
    /// # Errors
    /// Those of [`sign_in`](Accounts::sign_in).
    pub async fn sign_in_browser(
        &self,
        login: &Login,
        password: &Password,
        held: Option<&str>,
        client: &Client,
    ) -> Result<BrowserSession, SignInError> {
        let opening = Opening::new(&self.0, held);
        let opened = self.sign_in_with(login, password, client, opening.key).await?;
        Ok(opening.opened(&self.0, opened, client))
    }

    /// Signs in with a session of this kind.
    pub(crate) async fn sign_in_with(
        &self,
        login: &Login,
        password: &Password,
        client: &Client,
        key: SessionKey<'static>,
    ) -> Result<Opened, SignInError> {
        loop {
            let (login, from) = (login.clone(), client.clone());
            let look_up = move |tx: &mut Tx<'_>, core: &Core| candidate(tx, core, &login, &from);
            let (compared, found) = self.compare(password, look_up).await?;
            let (core, from) = (self.0.clone(), client.clone());
            let conclude = move |tx: &mut Tx<'_>| conclude(tx, &core, &compared, found.clone(), key, &from);
            match self.0.store.write(conclude).await? {
                Concluded::Opened(opened) => {
                    self.renew_hash(&opened.user, password);
                    return Ok(*opened);
                }
                Concluded::Refused(refused) => {
                    if matches!(refused, SignInError::EnrolmentRequired) {
                        self.0.mail_queued.notify_one();
                    }
                    return Err(refused);
                }
                // Somebody changed the user while the hash was computed: what is true now?
                Concluded::Changed => {}
            }
        }
    }

    /// Hashes the password again, some time soon, if its hash is weaker than a current one (P4).
    fn renew_hash(&self, user: &Credentials, password: &Password) {
        let outdated = user.password_hash.clone().filter(|hash| self.0.hasher.is_outdated(hash));
        let Some(old) = outdated else { return };
        let (core, user) = (self.0.clone(), user.account.id);
        self.0.hasher.rehash(password, move |new| {
            core.store.post(move |tx| users::rehash(tx, user, &old, &new));
        });
    }
}

/// What a password came to.
enum Concluded {
    Opened(Box<Opened>),
    Refused(SignInError),
    /// The password was changed, or the user disabled or deleted, while the hash was computed.
    Changed,
}

/// The users and sign-ups that a name may stand for.
#[derive(Clone)]
struct Found {
    user: Option<Credentials>,
    /// The open sign-ups of the address, newest first.
    waiting: Vec<Registration>,
}

/// Decides, and does what follows.
fn conclude(
    tx: &mut Tx<'_>,
    core: &Core,
    compared: &Compared,
    found: Found,
    key: SessionKey<'static>,
    client: &Client,
) -> Result<Concluded, Fault> {
    let right = match compared.judge(tx, core)? {
        Verdict::Right(right) => right,
        Verdict::Wrong => return Ok(Concluded::Refused(SignInError::Refused)),
        Verdict::Limited { retry_after } => {
            return Ok(Concluded::Refused(SignInError::Limited { retry_after }));
        }
    };
    let note = |tx: &mut Tx<'_>, why| compared.note_refusal(tx, core, why);
    let Some(user) = found.user.filter(|_| right.stage(OF_THE_USER).contains(&true)) else {
        note(tx, "the address is not confirmed")?;
        let sign_up = unconfirmed(core, &right, &found.waiting);
        return Ok(Concluded::Refused(sign_up.map_or(SignInError::Refused, SignInError::Unconfirmed)));
    };
    let refused = match admit(tx, core, &Proofs::password(&right, &user, core.now()), key, client)? {
        Admission::Session(opened) => return Ok(Concluded::Opened(opened)),
        Admission::Refused(Refusal::Changed) => return Ok(Concluded::Changed),
        Admission::Refused(Refusal::Disabled) => {
            note(tx, "the account is disabled")?;
            SignInError::Disabled
        }
        Admission::SecondFactor(methods) => {
            let asked = second_factor::ask(tx, core, user.account.id, user.credential_version, methods)?;
            SignInError::SecondFactorRequired(asked)
        }
        Admission::Refused(Refusal::EnrolmentRequired) => {
            note(tx, "a second factor must be enrolled first")?;
            enrolment::request(tx, core, &user, client)?;
            SignInError::EnrolmentRequired
        }
    };
    Ok(Concluded::Refused(refused))
}

/// The newest sign-up with this password; one that gets a code is preferred to one in a crowd.
fn unconfirmed(core: &Core, right: &RightPassword, waiting: &[Registration]) -> Option<Unconfirmed> {
    let matching = waiting.iter().zip(right.stage(OF_SIGN_UPS)).filter(|(_, matches)| **matches);
    let (found, _) = matching.min_by_key(|(found, _)| found.crowded_at.is_some())?;
    Some(Unconfirmed { proof: sign_up_proof(&core.root, found.id), expires_at: found.expires_at })
}

/// The stage of the user's own password.
const OF_THE_USER: usize = 0;
/// The stage of the passwords of the address's sign-ups.
const OF_SIGN_UPS: usize = 1;

/// The hashes to compare a password for this name with. Failures count for the account, whatever name was used, and for
/// names without an account (L2).
fn candidate(
    tx: &mut Tx<'_>,
    core: &Core,
    login: &Login,
    client: &Client,
) -> Result<Candidate<Found>, Fault> {
    let user = find(tx, login)?;
    let failed = Entry::new(AuditKind::SignInFailed, AuditActor::Anonymous, client);
    let attempt = match (&user, login) {
        (Some(user), _) => PasswordAttempt::on_user(core, user, failed.about(&user.account), client),
        (None, Login::Email(email)) => {
            let account = subject::address(&core.root, email);
            PasswordAttempt::new(core, account, failed.address(email), client)
        }
        (None, Login::UserName(name)) => {
            let account = subject::unknown_name(&core.root, name);
            PasswordAttempt::new(core, account, failed.detail("a user name without an account"), client)
        }
    };
    let mut stages = vec![user.iter().filter_map(|user| user.password_hash.clone()).collect()];
    let mut waiting = Vec::new();
    if let Login::Email(email) = login {
        waiting = registrations::of_email(tx, email, attempt.now())?;
        waiting.retain(|registration| registration.activated_at.is_none());
        stages.push(waiting.iter().map(|registration| registration.password_hash.clone()).collect());
    }
    Ok(Candidate { attempt, stages, found: Found { user, waiting } })
}

fn find(tx: &mut Tx<'_>, login: &Login) -> Result<Option<Credentials>, Fault> {
    match login {
        Login::Email(email) => users::by_email(tx, email),
        Login::UserName(name) => users::by_name(tx, name),
    }
}
