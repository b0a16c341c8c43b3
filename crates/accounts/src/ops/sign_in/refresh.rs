//! Refresh: exchanges a token that works once for the next pair (RFC 9700 §4.14.2).
//!
//! A lost answer must not sign anyone out. A client that lost one presents the previous token again: after a moment it
//! gets another successor, as long as the lost one has not been used, and that one is voided.

use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::{MailId, SessionId};
use crate::domain::mail::kind::MailKind;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::mail::MailContent;
use crate::ops::account::factor_due::follow_policy;
use crate::ops::draft::Draft;
use crate::ops::sign_in::admit::may_continue;
use crate::ops::sign_in::authenticate::AuthenticateError;
use crate::ops::sign_in::tokens::Tokens;
use crate::store::Tx;
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::sessions::{self, TokenHash, UsedToken};
use crate::store::tables::users::{self, Credentials};
use crate::token::jwt::OfSession;
use crate::token::opaque::{hash_of, new_refresh_token};
use crate::trail::Entry;

/// Why a refresh token was refused.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// Unknown, used up or expired, or of a session that has ended.
    #[error("the refresh token is not valid")]
    Invalid,
    /// It was used a moment ago, by a request whose answer may still be on its way.
    #[error("the refresh token was used a moment ago")]
    Limited {
        /// When it is worth trying again, if that answer does not come.
        retry_after: Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<AuthenticateError> for RefreshError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Invalid => Self::Invalid,
            AuthenticateError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Accounts {
    /// Exchanges a refresh token for the next pair of tokens. Of concurrent callers with the same token one succeeds,
    /// and the others are asked to wait.
    ///
    /// A token whose successor was used, or that was voided when its predecessor got another successor, ends its
    /// session when it is presented: there is a copy of it (R3).
    ///
    /// # Errors
    /// [`RefreshError::Invalid`], [`Limited`](RefreshError::Limited), [`Fault`](RefreshError::Fault).
    pub async fn refresh(&self, token: &str, client: &Client) -> Result<Tokens, RefreshError> {
        let core = self.0.clone();
        let old = hash_of(token).ok_or(RefreshError::Invalid)?;
        let (successor, new) = new_refresh_token(&core.settings.env);
        let entry = Entry::new(AuditKind::RefreshReused, AuditActor::Anonymous, client);
        let mail = MailId::from_bytes(core.settings.env.new_id(core.now()));
        let exchange = Exchange { old, new, entry, mail, now: core.now() };
        // Before the transaction: once the token is used up, nothing may be in the way of its successor.
        let keys = core.read_keys().await?;
        let refreshed = core.clone().store.write(move |tx| exchange.run(tx, &core)).await?;
        let Refreshed { account, session } = refreshed?;
        Ok(self.0.tokens(&keys, account, session, successor)?)
    }
}

/// A refreshed session.
struct Refreshed {
    account: Account,
    session: OfSession,
}

struct Exchange {
    old: TokenHash,
    new: TokenHash,
    /// The entry for the trail when there is a copy.
    entry: Entry,
    mail: MailId,
    now: Timestamp,
}

impl Exchange {
    /// A refusal is an `Ok`: what it changed is committed.
    fn run(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Result<Refreshed, RefreshError>, Fault> {
        if let Some(session) = sessions::use_token(tx, &self.old, &self.new, self.now)? {
            return self.go_on(tx, core, session);
        }
        let Some(used) = sessions::used_token(tx, &self.old)? else { return Ok(Err(RefreshError::Invalid)) };
        let Some(used_at) = used.consumed_at else { return self.end_stolen(tx, core, used.session) };
        let grace_ends = used_at + core.policy().tokens.reuse_grace;
        if grace_ends > self.now {
            return Ok(Err(RefreshError::Limited { retry_after: grace_ends.since(self.now) }));
        }
        self.use_again(tx, core, &used)
    }

    /// The token was used, but perhaps its answer was lost: then its successor is unused.
    fn use_again(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        used: &UsedToken,
    ) -> Result<Result<Refreshed, RefreshError>, Fault> {
        if !used.successor_is_unused || used.expires_at <= self.now {
            return self.end_stolen(tx, core, used.session);
        }
        if !sessions::use_token_again(tx, &self.old, used, &self.new, self.now)? {
            // Another call with the same token came first: treat this one as if it had come right after it.
            let retry_after = core.policy().tokens.reuse_grace;
            return Ok(Err(RefreshError::Limited { retry_after }));
        }
        if !sessions::void_token(tx, used.successor, self.now)? {
            return self.end_stolen(tx, core, used.session);
        }
        self.go_on(tx, core, used.session)
    }

    fn go_on(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        session: SessionId,
    ) -> Result<Result<Refreshed, RefreshError>, Fault> {
        let Some(state) = sessions::touch(tx, session, self.now)? else {
            return Ok(Err(RefreshError::Invalid));
        };
        let policy = core.policy();
        let found = users::by_id(tx, state.user_id)?.filter(|found| {
            may_continue(&policy.second_factor, &state, &found.account, found.factor_due_at, self.now)
                .is_some()
        });
        let Some(Credentials { account, factor_due_at, .. }) = found else {
            return Ok(Err(RefreshError::Invalid));
        };
        follow_policy(tx, core, account.id, &account.roles, factor_due_at, self.now)?;
        let expires_at = (self.now + policy.tokens.session_idle).min(state.expires_at);
        sessions::insert_token(tx, &self.new, session, self.now, expires_at)?;
        let session = OfSession { id: session, auth_time: state.auth_time(), amr: state.proven.amr };
        Ok(Ok(Refreshed { account, session }))
    }

    /// There is a copy of the token: its session ends, once, and its user is informed.
    fn end_stolen(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        session: SessionId,
    ) -> Result<Result<Refreshed, RefreshError>, Fault> {
        let user = sessions::end_alive(tx, session, self.now)?;
        if let Some(found) = user.map(|user| users::by_id(tx, user)).transpose()?.flatten() {
            let account = &found.account;
            outbox::push_to(
                tx,
                self.mail,
                MailKind::RefreshReused,
                account.id.as_bytes(),
                account.id,
                self.now,
            )?;
            let entry = self.entry.about(account).detail(format!("session {session}"));
            entry.write(tx, core, self.now)?;
        }
        Ok(Err(RefreshError::Invalid))
    }
}

/// A notice that a token was copied.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased) -> Result<Draft, Fault> {
    Draft::notice(tx, leased, MailContent::RefreshReused { forgot: core.page("forgot") })
}
