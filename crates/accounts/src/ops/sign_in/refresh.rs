//! Refresh: exchanges a token that works once for the next pair (RFC 9700 §4.14.2).
//!
//! A lost answer must not sign anyone out. A client that lost one presents the previous token again: after a moment it
//! gets another successor, as long as the lost one has not been used, and that one is voided.

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::application::id::ApplicationId;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::{MailId, SessionId};
use crate::domain::mail::kind::MailKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::mail::MailContent;
use crate::ops::account::factor_due::follow_policy;
use crate::ops::application::allowed::Allowed;
use crate::ops::draft::Draft;
use crate::ops::session_end::{Which, end_alive};
use crate::ops::sign_in::admit::{application_may_continue, may_continue};
use crate::ops::sign_in::authenticate::AuthenticateError;
use crate::ops::sign_in::tokens::Tokens;
use crate::store::Tx;
use crate::store::tables::application::grants;
use crate::store::tables::application::sessions::{self as application_sessions, OfApplication};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::sessions::{self, SessionState, TokenHash, UsedToken};
use crate::store::tables::users::{self, Credentials};
use crate::token::jwt::OfSession;
use crate::token::keys::KeySet;
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
        let (keys, Refreshed { account, session, .. }, successor) =
            self.0.clone().exchange_refresh_token(token, Whose::Own, client).await?;
        Ok(self.0.tokens(&keys, account, session, successor)?)
    }
}

impl Core {
    /// Exchanges a refresh token; the keys to sign what it gives, and its successor.
    pub(crate) async fn exchange_refresh_token(
        self: Arc<Self>,
        token: &str,
        whose: Whose,
        client: &Client,
    ) -> Result<(Arc<KeySet>, Refreshed, Secret), RefreshError> {
        let old = hash_of(token).ok_or(RefreshError::Invalid)?;
        let (successor, new) = new_refresh_token(&self.settings.env);
        let entry = Entry::new(AuditKind::RefreshReused, AuditActor::Anonymous, client);
        let mail = MailId::from_bytes(self.settings.env.new_id(self.now()));
        let exchange = Exchange { old, new, whose, entry, mail, now: self.now() };
        // Before the transaction: once the token is used up, nothing may be in the way of its successor.
        let keys = self.read_keys().await?;
        let core = self.clone();
        let refreshed = self.store.write(move |tx| exchange.run(tx, &core)).await??;
        self.tally.refreshed();
        Ok((keys, refreshed, successor))
    }

    /// What the session of an application's refresh token is for; `None`: it is no token of this application.
    pub(crate) async fn of_refresh_token(
        self: Arc<Self>,
        token: &str,
        application: &ApplicationId,
    ) -> Result<Option<OfApplication>, Fault> {
        let Some(hash) = hash_of(token) else { return Ok(None) };
        let found = self.store.read(move |tx| application_sessions::of_token(tx, &hash)).await?;
        Ok(found.filter(|of| of.id == application.as_str()))
    }
}

/// Who brings a refresh token. Somebody else's is as unknown as one that never was, and nothing happens to it.
pub(crate) enum Whose {
    /// This service's own client.
    Own,
    /// An application.
    Application(String),
}

/// A refreshed session.
pub(crate) struct Refreshed {
    pub(crate) account: Account,
    pub(crate) session: OfSession,
    /// What it is for, if it is an application's.
    pub(crate) of: Option<OfApplication>,
}

struct Exchange {
    whose: Whose,
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
        let whose = match &self.whose {
            Whose::Own => "",
            Whose::Application(id) => id,
        };
        if let Some(session) = sessions::use_token(tx, &self.old, whose, &self.new, self.now)? {
            return self.go_on(tx, core, session);
        }
        let Some(used) = sessions::used_token(tx, &self.old, whose)? else {
            return Ok(Err(RefreshError::Invalid));
        };
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
        let Some(user) = users::by_id(tx, state.user_id)? else { return Ok(Err(RefreshError::Invalid)) };
        let of = match &self.whose {
            Whose::Own => {
                let (account, due) = (&user.account, user.factor_due_at);
                if may_continue(&policy.second_factor, &state, account, due, self.now).is_none() {
                    return Ok(Err(RefreshError::Invalid));
                }
                None
            }
            Whose::Application(id) => match self.of_application(tx, core, session, &state, &user, id)? {
                Some(of) => Some(of),
                None => return Ok(Err(RefreshError::Invalid)),
            },
        };
        let Credentials { account, factor_due_at, .. } = user;
        follow_policy(tx, core, account.id, &account.roles, factor_due_at, self.now)?;
        let expires_at = (self.now + policy.tokens.session_idle).min(state.expires_at);
        sessions::insert_token(tx, &self.new, session, self.now, expires_at)?;
        let session = OfSession { id: session, auth_time: state.auth_time(), amr: state.proven.amr };
        Ok(Ok(Refreshed { account, session, of }))
    }

    /// What the session is for, if its application is still allowed it.
    fn of_application(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        session: SessionId,
        state: &SessionState,
        user: &Credentials,
        id: &str,
    ) -> Result<Option<OfApplication>, Fault> {
        let Some(of) = application_sessions::of_application(tx, session)? else { return Ok(None) };
        let Some(allowed) = Allowed::of(tx, core, state.user_id, id)? else { return Ok(None) };
        let (policy, account, due) = (&core.policy().second_factor, &user.account, user.factor_due_at);
        let goes_on = allowed.covers(&of.scopes)
            && application_may_continue(policy, state, account, due, &allowed, self.now);
        if goes_on {
            grants::touch(tx, state.user_id, id, self.now)?;
        }
        Ok(goes_on.then_some(of))
    }

    /// There is a copy of the token: its session ends, once, and its user is informed.
    fn end_stolen(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        session: SessionId,
    ) -> Result<Result<Refreshed, RefreshError>, Fault> {
        let user = end_alive(tx, core, Which::Id(session), self.now)?;
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
    let content = |place| MailContent::RefreshReused { place, forgot: core.page("forgot") };
    Draft::notice_from(tx, core, leased, &[AuditKind::RefreshReused], content)
}
