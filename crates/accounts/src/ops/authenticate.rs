//! Token check and sign-out.

use crate::domain::roles::ADMIN;
use crate::ops::audit::Entry;
use crate::store::{sessions, users};
use crate::{Account, Accounts, AuditActor, AuditKind, Client, Fault, SessionId, Timestamp};

/// Who makes a request: the result of checking an access token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user, as the store knows it now.
    pub account: Account,
    /// The session the token belongs to.
    pub session_id: SessionId,
    /// When the password was last given.
    pub auth_time: Timestamp,
    /// When the token ends.
    pub expires_at: Timestamp,
}

impl SignedIn {
    /// Whether the user has this role now.
    pub fn has_role(&self, role: &str) -> bool {
        self.account.roles.iter().any(|has| has == role)
    }

    /// Whether the user may do what administrators do.
    pub fn is_admin(&self) -> bool {
        self.has_role(ADMIN)
    }
}

/// Why a token was refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// Not one of ours, changed, expired, of an ended session or of a disabled or deleted user.
    #[error("the token is not valid")]
    Invalid,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Checks an access token: its signature once (it is remembered), its time and its session each time.
    ///
    /// The session, the user and the key are read from the store, so a sign-out, a disabled or a deleted user and a retired
    /// key count at once, on every instance.
    ///
    /// # Errors
    /// [`AuthenticateError::Invalid`]; [`AuthenticateError::Fault`] when the store does not answer: never "signed in".
    pub async fn authenticate(&self, token: &str) -> Result<SignedIn, AuthenticateError> {
        let inner = &self.0;
        let now = inner.now();
        let verified = inner.verify(token, now).await?.ok_or(AuthenticateError::Invalid)?;
        let key = verified.key.clone();
        let account: Option<Account> = inner
            .store
            .read(move |tx| users::by_live_session(tx, verified.session, verified.user, &key, now))
            .await
            .map_err(AuthenticateError::Fault)?;
        Ok(SignedIn {
            account: account.ok_or(AuthenticateError::Invalid)?,
            session_id: verified.session,
            auth_time: verified.auth_time,
            expires_at: verified.expires_at,
        })
    }

    /// Ends the session, or every session of its user. Their tokens are refused from now on, on every instance.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn sign_out(&self, who: &SignedIn, everywhere: bool, client: &Client) -> Result<(), Fault> {
        let (inner, user, session, now) = (self.0.clone(), who.account.id, who.session_id, self.0.now());
        let entry = Entry::new(AuditKind::SignedOut, AuditActor::User(user), client)
            .about(&who.account)
            .detail(if everywhere { "all sessions".to_owned() } else { format!("session {session}") });
        self.0
            .store
            .write(move |tx| {
                if everywhere {
                    sessions::end_all(tx, user, now)?;
                } else {
                    sessions::end(tx, session, now)?;
                }
                entry.write(tx, &inner, now)
            })
            .await
    }
}
