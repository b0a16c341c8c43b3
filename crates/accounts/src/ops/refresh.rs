//! Refresh: a token that works once buys the next pair (RFC 9700 §4.14.2).

use crate::accounts::Inner;
use crate::ops::authenticate::AuthenticateError;
use crate::ops::sign_in::Tokens;
use crate::store::sessions::TokenHash;
use crate::store::{Tx, sessions, users};
use crate::token::opaque::{hash_of, new_refresh_token};
use crate::{Account, Accounts, Client, Fault, SessionId, Timestamp};

impl Accounts {
    /// Exchanges a refresh token for the next pair of tokens. Of callers that bring the same token at once, one gets it.
    ///
    /// A used token that comes back after the grace time ends its session: somebody has a copy (R3).
    ///
    /// # Errors
    /// [`AuthenticateError::Invalid`] for an unknown, used or expired token and for an ended session.
    pub async fn refresh(&self, token: &str, _client: &Client) -> Result<Tokens, AuthenticateError> {
        let inner = self.0.clone();
        let old = hash_of(token).ok_or(AuthenticateError::Invalid)?;
        let (successor, new) = new_refresh_token(&inner.settings.env);
        let exchange = Exchange { old, new, now: inner.now() };
        let refreshed = inner
            .clone()
            .store
            .write(move |tx| exchange.run(tx, &inner))
            .await
            .map_err(AuthenticateError::Fault)?;
        let (account, session, auth_time) = refreshed.ok_or(AuthenticateError::Invalid)?;
        Ok(self.0.tokens(account, session, auth_time, successor)?)
    }
}

struct Exchange {
    old: TokenHash,
    new: TokenHash,
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
                tracing::warn!(%session, "a used refresh token came back: its session is ended");
                sessions::end(tx, session, self.now)?;
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
}
