//! Token check and sign-out.

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::fault::Fault;
use crate::ops::session_end::{Which, end, end_all};
use crate::ops::sign_in::admit::{GoesOn, may_continue};
use crate::store::tables::users::{self, OfSession};
use crate::trail::Entry;

/// Why a token was refused.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// Not issued by this service, changed, expired, of an ended session or of a disabled or deleted user.
    #[error("the token is not valid")]
    Invalid,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Checks an access token: its signature once (the result is cached), its time and its session each time.
    ///
    /// The session, the user and the key are read from the store, so a sign-out, a disabled or deleted user and a
    /// retired key take effect immediately, on every instance.
    ///
    /// # Errors
    /// [`AuthenticateError::Invalid`]; [`AuthenticateError::Fault`] when the store does not answer: never "signed in".
    pub async fn authenticate(&self, token: &str) -> Result<SignedIn, AuthenticateError> {
        let core = &self.0;
        let now = core.now();
        let verified = core.verify(token, now).await?.ok_or(AuthenticateError::Invalid)?;
        let key = verified.key.clone();
        let found = core.store.read(move |tx| users::of_session(tx, verified.session, &key, now)).await;
        let OfSession { account, factor_due_at, state } =
            found.map_err(AuthenticateError::Fault)?.ok_or(AuthenticateError::Invalid)?;
        let policy = &core.policy().second_factor;
        let goes_on = may_continue(policy, &state, &account, factor_due_at, now);
        let goes_on = goes_on.filter(|_| account.id == verified.user).ok_or(AuthenticateError::Invalid)?;
        Ok(SignedIn {
            account,
            session_id: verified.session,
            proven: state.proven,
            auth_time: state.auth_time(),
            expires_at: verified.expires_at,
            must_enrol: goes_on == GoesOn::ToEnrol,
        })
    }

    /// Ends the session, or every session of its user. Their tokens are refused from now on, on every instance.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn sign_out(&self, who: &SignedIn, everywhere: bool, client: &Client) -> Result<(), Fault> {
        let (core, user, session, now) = (self.0.clone(), who.account.id, who.session_id, self.0.now());
        let entry = Entry::new(AuditKind::SignedOut, AuditActor::User(user), client)
            .about(&who.account)
            .detail(if everywhere { "all sessions".to_owned() } else { format!("session {session}") });
        self.0
            .store
            .write(move |tx| {
                if everywhere {
                    end_all(tx, &core, user, now)?;
                } else {
                    end(tx, &core, Which::Id(session), now)?;
                }
                entry.write(tx, &core, now)
            })
            .await
    }
}
