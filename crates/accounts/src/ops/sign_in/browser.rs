//! Sessions of browsers: a secret in a cookie, looked up in the store each time.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::Purpose;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::ops::account::factor_due::follow_policy;
use crate::ops::session_end::end_others;
use crate::ops::sign_in::admit::{GoesOn, Opened, SessionKey, may_continue};
use crate::ops::sign_in::authenticate::AuthenticateError;
use crate::store::Tx;
use crate::store::tables::challenges;
use crate::store::tables::sessions::{self, OfBrowser, TokenHash};
use crate::store::tables::users::{self, Credentials};
use crate::token::browser;
use crate::token::opaque::{hash_of_browser, new_browser_secret};
use crate::trail::Entry;

/// The least time between two writes to a session in use.
const SEEN: Duration = Duration::from_mins(5);

/// A browser's session.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    /// Opaque, 256 bits: whoever has it is signed in. Stored as its SHA-256 only.
    pub secret: Secret,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    /// A token by which this browser is recognised, as in [`Tokens::device_token`](crate::Tokens::device_token).
    pub device_token: Option<Secret>,
    /// Who signed in.
    pub account: Account,
}

impl Accounts {
    /// Checks the secret of a browser's session. Session and user are read from the store each time, so whatever ends a
    /// session takes effect immediately.
    ///
    /// # Errors
    /// [`AuthenticateError::Invalid`]; [`AuthenticateError::Fault`] when the store does not answer: never "signed in".
    pub async fn authenticate_browser(&self, secret: &str) -> Result<SignedIn, AuthenticateError> {
        let hash = hash_of_browser(secret).ok_or(AuthenticateError::Invalid)?;
        let (core, now) = (self.0.clone(), self.0.now());
        let asked = core.clone();
        let found = core.store.read(move |tx| of_browser(tx, &asked, &hash, now)).await;
        let (session, user, goes_on) =
            found.map_err(AuthenticateError::Fault)?.ok_or(AuthenticateError::Invalid)?;
        let OfBrowser { id: session_id, state, .. } = session;
        let expires_at = state.expires_at.min(now + core.policy().tokens.session_idle);
        let (proven, auth_time) = (state.proven, state.auth_time());
        if session.last_seen_at + SEEN <= now {
            let (id, roles, due) = (user.account.id, user.account.roles.clone(), user.factor_due_at);
            let asked = core.clone();
            core.store.post(move |tx| {
                sessions::touch(tx, session_id, now)?;
                follow_policy(tx, &asked, id, &roles, due, now)
            });
        }
        let must_enrol = goes_on == GoesOn::ToEnrol;
        Ok(SignedIn { account: user.account, session_id, proven, auth_time, expires_at, must_enrol })
    }

    /// Ends the other sessions of the user.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn end_other_sessions(&self, who: &SignedIn, client: &Client) -> Result<(), Fault> {
        let (core, user, session, now) = (self.0.clone(), who.account.id, who.session_id, self.0.now());
        let entry = Entry::new(AuditKind::SignedOut, AuditActor::User(user), client)
            .about(&who.account)
            .detail(format!("all sessions but {session}"));
        self.0
            .store
            .write(move |tx| {
                if end_others(tx, &core, user, session, now)? > 0 {
                    entry.write(tx, &core, now)?;
                }
                Ok(())
            })
            .await
    }

    /// The address that the user has requested and not confirmed yet, and until when it can be confirmed. A taken one
    /// looks the same (X3).
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn pending_email(&self, who: &SignedIn) -> Result<Option<(Email, Timestamp)>, Fault> {
        let (user, now) = (who.account.id, self.0.now());
        let found =
            self.0.store.read(move |tx| challenges::waiting(tx, user, Purpose::EmailChange, now)).await;
        found.map(|found| found.map(|challenge| (challenge.email, challenge.expires_at)))
    }

    /// Cancels the requested change of the address. The link that was sent there stops working.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn cancel_email_change(&self, who: &SignedIn, client: &Client) -> Result<(), Fault> {
        let (core, user, now) = (self.0.clone(), who.account.id, self.0.now());
        let entry =
            Entry::new(AuditKind::EmailChangeUndone, AuditActor::User(user), client).about(&who.account);
        self.0
            .store
            .write(move |tx| {
                let Some(asked) = challenges::waiting(tx, user, Purpose::EmailChange, now)? else {
                    return Ok(());
                };
                challenges::void(tx, user, Purpose::EmailChange)?;
                entry.detail(format!("to {}, not confirmed", asked.email.masked())).write(tx, &core, now)
            })
            .await
    }

    /// A random name for a browser without one, to tie its forms to.
    pub fn new_form_holder(&self) -> Secret {
        Secret::from(data_encoding::BASE64URL_NOPAD.encode(&self.0.settings.env.random::<16>()))
    }

    /// The secret in a form shown to `holder`, which only this browser has (B2).
    pub fn form_token(&self, holder: &str) -> Secret {
        browser::form_token(&self.0.root, holder)
    }

    /// Whether a submitted form was shown to `holder`.
    pub fn is_form_token(&self, holder: &str, token: &str) -> bool {
        browser::is_form_token(&self.0.root, holder, token)
    }
}

fn of_browser(
    tx: &mut Tx<'_>,
    core: &Core,
    hash: &TokenHash,
    now: Timestamp,
) -> Result<Option<(OfBrowser, Credentials, GoesOn)>, Fault> {
    let policy = core.policy();
    let idle = now - policy.tokens.session_idle;
    let Some(session) = sessions::of_browser(tx, hash, idle)? else { return Ok(None) };
    let Some(user) = users::by_id(tx, session.state.user_id)? else { return Ok(None) };
    let goes_on = may_continue(&policy.second_factor, &session.state, &user.account, user.factor_due_at, now);
    Ok(goes_on.map(|goes_on| (session, user, goes_on)))
}

/// A browser's session to be opened.
pub(crate) struct Opening {
    secret: Secret,
    pub(crate) key: SessionKey<'static>,
}

impl Opening {
    pub(crate) fn new(core: &Core, held: Option<&str>) -> Self {
        let (secret, hash) = new_browser_secret(&core.settings.env);
        Self { secret, key: SessionKey::Browser { hash, replaces: held.and_then(hash_of_browser) } }
    }

    pub(crate) fn opened(self, core: &Core, opened: Opened, client: &Client) -> BrowserSession {
        let Opened { user, expires_at, .. } = opened;
        let device_token = core.new_device(&user, client);
        BrowserSession { secret: self.secret, expires_at, device_token, account: user.account }
    }
}
