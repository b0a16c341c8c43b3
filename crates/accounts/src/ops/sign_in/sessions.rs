//! The sessions of a user, as the user sees them.

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::access::session::{Session, SignedIn};
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::SessionId;
use crate::fault::Fault;
use crate::ops::session_end::{Which, end, end_alive};
use crate::store::tables::{sessions, users};
use crate::trail::Entry;

impl Accounts {
    /// The active sessions of the user, newest first, at most 200.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn list_sessions(&self, who: &SignedIn) -> Result<Vec<Session>, Fault> {
        let (user, now) = (who.account.id, self.0.now());
        let idle = now - self.0.policy().tokens.session_idle;
        self.0.store.read(move |tx| sessions::list(tx, user, now, idle)).await
    }

    /// Ends one of the user's own sessions. `false`: there is none with this id; another user's session does not count
    /// (ASVS 8.2.2).
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn end_session(
        &self,
        who: &SignedIn,
        session: SessionId,
        client: &Client,
    ) -> Result<bool, Fault> {
        let (core, user, now) = (self.0.clone(), who.account.id, self.0.now());
        let entry = Entry::new(AuditKind::SignedOut, AuditActor::User(user), client)
            .about(&who.account)
            .detail(format!("session {session}"));
        self.0
            .store
            .write(move |tx| {
                let ended = end(tx, &core, Which::Of(user, session), now)?.is_some();
                if ended {
                    entry.write(tx, &core, now)?;
                }
                Ok(ended)
            })
            .await
    }

    /// Ends the session that a token of this service's own belongs to, access or refresh (RFC 7009). Anything else changes
    /// nothing: applications give theirs back with [`revoke_for_application`](Self::revoke_for_application).
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn revoke(&self, token: &str, client: &Client) -> Result<(), Fault> {
        let (core, now) = (self.0.clone(), self.0.now());
        let hash = crate::token::opaque::hash_of(token);
        let verified = match hash {
            Some(_) => None,
            None => self.0.verify(token, now).await?,
        };
        if hash.is_none() && verified.is_none() {
            return Ok(());
        }
        let entry = Entry::new(AuditKind::SignedOut, AuditActor::Anonymous, client);
        self.0
            .store
            .write(move |tx| {
                let ended = match (hash, &verified) {
                    (Some(hash), _) => end_alive(tx, &core, Which::Token(&hash, ""), now)?,
                    (None, Some(verified)) => end_alive(tx, &core, Which::Id(verified.session), now)?,
                    (None, None) => None,
                };
                let Some(user) = ended else { return Ok(()) };
                let Some(found) = users::by_id(tx, user)? else { return Ok(()) };
                entry.about(&found.account).detail("by its token").write(tx, &core, now)
            })
            .await
    }
}
