//! Sign-in: a password becomes a session and its tokens.

use std::time::Duration;

use crate::accounts::Inner;
use crate::limits::{self, PasswordAttempt};
use crate::ops::audit::Entry;
use crate::store::sessions::TokenHash;
use crate::store::users::Credentials;
use crate::store::{Tx, registrations, sessions, users};
use crate::token::device::new_device_token;
use crate::token::keys::KeySet;
use crate::token::opaque::new_refresh_token;
use crate::{
    Account, Accounts, AuditActor, AuditKind, Client, Email, Fault, Password, Secret, SessionId, Timestamp,
    UserId, UserName,
};

/// By what name somebody signs in.
#[derive(Clone, Debug)]
pub enum Login {
    /// The e-mail address.
    Email(Email),
    /// The public user name.
    UserName(UserName),
}

/// A session's tokens. The refresh token works once.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// A JWT (RFC 9068) for `Authorization: Bearer`.
    pub access_token: Secret,
    /// How long the access token works.
    pub expires_in: Duration,
    /// Opaque, 256 bit; buys the next pair of tokens.
    pub refresh_token: Secret,
    /// What this device may keep to be known again: its owner gets in while strangers try the account (L4). It opens
    /// nothing by itself. Only a sign-in gives one, and only to a device that is not known yet.
    pub device_token: Option<Secret>,
    /// Who signed in.
    pub account: Account,
}

/// Why a sign-in was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No account has this name and this password. Which of the two is wrong is not told (L1).
    #[error("the name or the password is wrong")]
    Refused,
    /// The password is right, but the address is not confirmed yet.
    #[error("the e-mail address is not confirmed yet")]
    Unconfirmed,
    /// The password is right, but the account is disabled.
    #[error("the account is disabled")]
    Disabled,
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

impl Accounts {
    /// Signs in: one hash when the password is right.
    ///
    /// A wrong password is also tried on the open sign-ups of the address, decoys included, so that "not confirmed yet"
    /// is said to whoever knows the password and to nobody else. An unknown name costs as many hashes as a known one.
    ///
    /// # Errors
    /// [`SignInError::Refused`], [`Unconfirmed`](SignInError::Unconfirmed), [`Disabled`](SignInError::Disabled),
    /// [`Limited`](SignInError::Limited), [`Fault`](SignInError::Fault).
    pub async fn sign_in(
        &self,
        login: &Login,
        password: &Password,
        client: &Client,
    ) -> Result<Tokens, SignInError> {
        let (refresh_token, hash) = new_refresh_token(&self.0.settings.env);
        let key = SessionKey::Refresh(hash);
        let (account, session) = self.sign_in_with(login, password, client, key).await?;
        let keys = self.0.read_keys().await?;
        let device_token = self.0.new_device(account.id, client);
        let tokens = self.0.tokens(&keys, account, session.id, session.created_at, refresh_token)?;
        Ok(Tokens { device_token, ..tokens })
    }

    /// Signs in with a session of this kind.
    pub(crate) async fn sign_in_with(
        &self,
        login: &Login,
        password: &Password,
        client: &Client,
        key: SessionKey,
    ) -> Result<(Account, sessions::NewSession), SignInError> {
        loop {
            let (found, attempt) = self.look_up(login, client).await?;
            let hashes = found.iter().map(|found| found.password_hash.clone()).collect();
            let right = self.0.hasher.verify(password, hashes).await?.contains(&true);
            let refused = match found {
                Some(found) if right && found.account.disabled_at.is_some() => {
                    self.note_refusal(attempt.failed.detail("the account is disabled")).await?;
                    SignInError::Disabled
                }
                Some(found) if right => match self.open_session(found, attempt, password, client, key).await?
                {
                    Opened::Session(opened) => return Ok(*opened),
                    Opened::Limited { retry_after } => SignInError::Limited { retry_after },
                    // Somebody changed the user while the hash was computed: what is true now?
                    Opened::Changed => continue,
                },
                _ if self.waits_for_confirmation(login, password).await? => {
                    self.note_refusal(attempt.failed.detail("the address is not confirmed")).await?;
                    SignInError::Unconfirmed
                }
                _ => self.count_failure(attempt).await?,
            };
            return Err(refused);
        }
    }

    /// The user of this name, unless too many passwords were tried before.
    async fn look_up(
        &self,
        login: &Login,
        client: &Client,
    ) -> Result<(Option<Credentials>, PasswordAttempt), SignInError> {
        let (inner, login, client) = (self.0.clone(), login.clone(), client.clone());
        self.0
            .store
            .read(move |tx| {
                let found = find(tx, &login)?;
                let attempt = attempt(&inner, &login, found.as_ref(), &client);
                match attempt.wait(tx, &inner)? {
                    Some(retry_after) => Err(SignInError::Limited { retry_after }),
                    None => Ok((found, attempt)),
                }
            })
            .await
    }

    async fn note_refusal(&self, entry: Entry) -> Result<(), Fault> {
        let (inner, now) = (self.0.clone(), self.0.now());
        self.0.store.write(move |tx| entry.write(tx, &inner, now)).await
    }

    async fn count_failure(&self, attempt: PasswordAttempt) -> Result<SignInError, Fault> {
        let inner = self.0.clone();
        let limited = self.0.store.write(move |tx| attempt.wrong(tx, &inner)).await?;
        Ok(limited.map_or(SignInError::Refused, |retry_after| SignInError::Limited { retry_after }))
    }

    /// Whether this is the password of an open sign-up.
    async fn waits_for_confirmation(&self, login: &Login, password: &Password) -> Result<bool, Fault> {
        let Login::Email(email) = login else { return Ok(false) };
        let inner = &self.0;
        let (email, now, most) = (email.clone(), inner.now(), inner.policy().sign_up.open_per_address);
        let mut open = inner.store.read(move |tx| registrations::of_email(tx, &email, now, most)).await?;
        open.retain(|registration| registration.activated_at.is_none());
        if open.is_empty() {
            return Ok(false);
        }
        let hashes = open.into_iter().map(|registration| registration.password_hash).collect();
        Ok(inner.hasher.verify(password, hashes).await?.contains(&true))
    }

    async fn open_session(
        &self,
        found: Credentials,
        attempt: PasswordAttempt,
        password: &Password,
        client: &Client,
        key: SessionKey,
    ) -> Result<Opened, Fault> {
        let inner = &self.0;
        let Credentials { account, password_hash } = found;
        let session = NewSession::new(inner, account.id, client, key);
        let entry = Entry::new(AuditKind::SignedIn, AuditActor::User(account.id), client).about(&account);
        let (new, checked, shared) = (session.clone(), password_hash.clone(), inner.clone());
        let refused = inner
            .store
            .write(move |tx| {
                let refused = open(tx, &shared, &new, &checked, &attempt)?;
                if refused.is_none() {
                    entry.write(tx, &shared, new.row.created_at)?;
                }
                Ok::<_, Fault>(refused)
            })
            .await?;
        if let Some(refused) = refused {
            return Ok(refused);
        }
        if inner.hasher.is_outdated(&password_hash) {
            self.renew_hash(account.id, password_hash, password);
        }
        Ok(Opened::Session(Box::new((account, session.row))))
    }

    /// Hashes the password anew with the present cost, some time soon (P4).
    fn renew_hash(&self, user: UserId, old: String, password: &Password) {
        let inner = self.0.clone();
        self.0.hasher.rehash(password, move |new| {
            inner.store.post(move |tx| users::rehash(tx, user, &old, &new));
        });
    }
}

impl Inner {
    /// The answer to a sign-in or a refresh.
    pub(crate) fn tokens(
        &self,
        keys: &KeySet,
        account: Account,
        session: SessionId,
        auth_time: Timestamp,
        refresh_token: Secret,
    ) -> Result<Tokens, Fault> {
        let now = self.now();
        let access_token =
            self.issuer.issue(keys, &self.settings.env, &account, session, auth_time, now).ok_or_else(
                || Fault::Unavailable("no signing key opens with the secret key of this instance".into()),
            )?;
        let expires_in = self.policy().tokens.access_lifetime;
        Ok(Tokens { access_token, expires_in, refresh_token, device_token: None, account })
    }

    /// What makes a device known where this user signs in; `None` where it is (L4).
    pub(crate) fn new_device(&self, user: UserId, client: &Client) -> Option<Secret> {
        let known = limits::known_device(self, user, client).is_some();
        (!known).then(|| new_device_token(&self.root, &self.settings.env, user))
    }
}

/// What a session is known by later.
#[derive(Clone, Copy)]
pub(crate) enum SessionKey {
    /// Its first refresh token.
    Refresh(TokenHash),
    /// The cookie of a browser, and the one before, whose session ends (R4).
    Browser { hash: TokenHash, replaces: Option<TokenHash> },
}

/// A session about to begin, and when its first refresh token ends.
#[derive(Clone)]
pub(crate) struct NewSession {
    pub(crate) row: sessions::NewSession,
    token_expires_at: Timestamp,
    key: SessionKey,
}

impl NewSession {
    pub(crate) fn new(inner: &Inner, user_id: UserId, client: &Client, key: SessionKey) -> Self {
        let (now, policy) = (inner.now(), &inner.policy().tokens);
        let row = sessions::NewSession {
            id: SessionId::from_bytes(inner.settings.env.new_id(now)),
            user_id,
            created_at: now,
            expires_at: now + policy.session_absolute,
            user_agent: client.device(),
            ip: client.ip.map(|ip| ip.to_string()),
            browser: match key {
                SessionKey::Refresh(_) => None,
                SessionKey::Browser { hash, .. } => Some(hash),
            },
        };
        Self { row, token_expires_at: now + policy.session_idle, key }
    }

    pub(crate) fn insert(&self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        let Self { row, token_expires_at, key } = self;
        sessions::insert(tx, row)?;
        match key {
            SessionKey::Refresh(hash) => {
                sessions::insert_token(tx, hash, row.id, row.created_at, *token_expires_at)
            }
            SessionKey::Browser { replaces: Some(old), .. } => {
                sessions::end_of_browser(tx, old, row.created_at)
            }
            SessionKey::Browser { replaces: None, .. } => Ok(()),
        }
    }
}

/// What a right password came to.
enum Opened {
    Session(Box<(Account, sessions::NewSession)>),
    Limited {
        retry_after: Duration,
    },
    /// The password was changed, or the user disabled or deleted, while the hash was computed.
    Changed,
}

/// `None`: the session is open.
fn open(
    tx: &mut Tx<'_>,
    inner: &Inner,
    new: &NewSession,
    checked: &str,
    attempt: &PasswordAttempt,
) -> Result<Option<Opened>, Fault> {
    let row = &new.row;
    if let Some(retry_after) = attempt.right(tx, inner)? {
        return Ok(Some(Opened::Limited { retry_after }));
    }
    if !users::record_sign_in(tx, row.user_id, checked, row.created_at)? {
        return Ok(Some(Opened::Changed));
    }
    new.insert(tx)?;
    Ok(None)
}

/// Failures count for the account, by whatever name it was called, and for names that nobody has (L2).
fn attempt(inner: &Inner, login: &Login, found: Option<&Credentials>, client: &Client) -> PasswordAttempt {
    let account = match (found, login) {
        (Some(found), _) => limits::account(inner, &found.account, client),
        (None, Login::Email(email)) => limits::address(&inner.root, email),
        (None, Login::UserName(name)) => limits::unknown_name(&inner.root, name),
    };
    let failed = Entry::new(AuditKind::SignInFailed, AuditActor::Anonymous, client);
    let failed = match (found, login) {
        (Some(found), _) => failed.about(&found.account),
        (None, Login::Email(email)) => failed.address(email),
        (None, Login::UserName(_)) => failed.detail("a user name that nobody has"),
    };
    PasswordAttempt::new(inner, account, failed, client, inner.now())
}

fn find(tx: &mut Tx<'_>, login: &Login) -> Result<Option<Credentials>, Fault> {
    match login {
        Login::Email(email) => users::by_email(tx, email),
        Login::UserName(name) => users::by_name(tx, name),
    }
}
