//! Refresh: a token that works once buys the next pair (RFC 9700 §4.14.2).

use crate::accounts::Inner;
use crate::ops::audit::Entry;
use crate::ops::authenticate::AuthenticateError;
use crate::ops::sign_in::Tokens;
use crate::store::sessions::TokenHash;
use crate::store::{Tx, outbox, sessions, users};
use crate::token::opaque::{hash_of, new_refresh_token};
use crate::{Account, Accounts, AuditActor, AuditKind, Client, Fault, MailId, SessionId, Timestamp};

impl Accounts {
    /// Exchanges a refresh token for the next pair of tokens. Of callers that bring the same token at once, one gets it.
    ///
    /// A used token that comes back after the grace time ends its session: somebody has a copy (R3).
    ///
    /// # Errors
    /// [`AuthenticateError::Invalid`] for an unknown, used or expired token and for an ended session.
    pub async fn refresh(&self, token: &str, client: &Client) -> Result<Tokens, AuthenticateError> {
        let inner = self.0.clone();
        let old = hash_of(token).ok_or(AuthenticateError::Invalid)?;
        let (successor, new) = new_refresh_token(&inner.settings.env);
        let entry = Entry::new(AuditKind::RefreshReused, AuditActor::Anonymous, client);
        let mail = MailId::from_bytes(inner.settings.env.new_id(inner.now()));
        let exchange = Exchange { old, new, entry, mail, now: inner.now() };
        // Before the transaction: once the token is used up, nothing may be in the way of its successor.
        let keys = inner.read_keys().await?;
        let refreshed = inner
            .clone()
            .store
            .write(move |tx| exchange.run(tx, &inner))
            .await
            .map_err(AuthenticateError::Fault)?;
        let (account, session, auth_time) = refreshed.ok_or(AuthenticateError::Invalid)?;
        Ok(self.0.tokens(&keys, account, session, auth_time, successor)?)
    }
}

struct Exchange {
    old: TokenHash,
    new: TokenHash,
    /// For the trail and the user, when it was used before.
    entry: Entry,
    mail: MailId,
    now: Timestamp,
}

impl Exchange {
    /// `None`: refused. What the refusal changed is committed.
    fn run(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<Option<(Account, SessionId, Timestamp)>, Fault> {
        let policy = &inner.policy().tokens;
        let Some(id) = sessions::consume_token(tx, &self.old, self.now)? else {
            if let Some((session, used_at)) = sessions::consumed_token(tx, &self.old)?
                && self.now >= used_at + policy.reuse_grace
            {
                self.end_stolen(tx, inner, session)?;
            }
            return Ok(None);
        };
        let Some((user, auth_time, ends_at)) = sessions::touch(tx, id, self.now)? else { return Ok(None) };
        let Some(found) = users::by_id(tx, user)?.filter(|found| found.account.disabled_at.is_none()) else {
            return Ok(None);
        };
        let expires_at = (self.now + policy.session_idle).min(ends_at);
        sessions::insert_token(tx, &self.new, id, self.now, expires_at)?;
        Ok(Some((found.account, id, auth_time)))
    }

    /// Somebody has a copy of the token: its session ends, once, and its user is told.
    fn end_stolen(&self, tx: &mut Tx<'_>, inner: &Inner, session: SessionId) -> Result<(), Fault> {
        let Some(user) = sessions::end_alive(tx, session, self.now)? else { return Ok(()) };
        let Some(found) = users::by_id(tx, user)? else { return Ok(()) };
        outbox::push_to(tx, self.mail, "refresh_reused", user.as_bytes(), user, self.now)?;
        let entry = self.entry.about(&found.account);
        entry.detail(format!("session {session}")).write(tx, inner, self.now)
    }
}
