//! A code for tokens (RFC 6749 §4.1.3).

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::application::scope::OPENID;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::fault::Fault;
use crate::ops::application::authenticate::AuthenticatedApplication;
use crate::ops::application::authorization::redeemed::{Presented, RedeemedCode, Redemption};
use crate::ops::application::parent::is_alive;
use crate::ops::application::tokens::ApplicationTokens;
use crate::ops::session_end::{Which, end_alive};
use crate::ops::sign_in::admit::{Admission, Proofs, SessionKey, admit};
use crate::store::Tx;
use crate::store::tables::application::sessions::OfApplication;
use crate::store::tables::application::{codes, grants};
use crate::store::tables::sessions::{self, TokenHash};
use crate::store::tables::users;
use crate::token::application::recipient::{Login, Recipient};
use crate::token::opaque::{hash_of_code, new_refresh_token};
use crate::trail::Entry;

/// What an application sends to get tokens for a code.
#[derive(Clone, Debug)]
pub struct CodeExchange {
    /// `code`
    pub code: String,
    /// `redirect_uri`, as in the request
    pub redirect_uri: String,
    /// `code_verifier` (RFC 7636)
    pub code_verifier: String,
    /// `resource` (RFC 8707): none, or that of the request
    pub resource: Option<String>,
}

/// Why a code gives no tokens.
#[derive(Debug, thiserror::Error)]
pub enum CodeExchangeError {
    /// Unknown, used, expired, another application's, or its user may not sign in any more.
    #[error("{0}")]
    Invalid(&'static str),
    /// Tokens for another resource than the request's.
    #[error("`resource` is not that of the authorization request")]
    Target,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

const UNKNOWN: CodeExchangeError = CodeExchangeError::Invalid("the code is unknown, used or expired");

impl Accounts {
    /// Exchanges a code for tokens, once. The second use of a code ends the session that the first one began: one of the two
    /// was a thief's (RFC 6749 §4.1.2, RFC 9700 §4.5).
    ///
    /// # Errors
    /// [`CodeExchangeError`]
    pub async fn exchange_code(
        &self,
        by: &AuthenticatedApplication,
        given: CodeExchange,
        client: &Client,
    ) -> Result<ApplicationTokens, CodeExchangeError> {
        let core = self.0.clone();
        let hash = hash_of_code(&given.code).ok_or(UNKNOWN)?;
        let (refresh_token, refresh) = new_refresh_token(&core.settings.env);
        let CodeExchange { redirect_uri, code_verifier, resource, .. } = given;
        let presented = Presented { code: hash, redirect_uri, code_verifier };
        let exchange = Exchange { by: by.clone(), presented, resource, refresh, client: client.clone() };
        // Before the transaction: once the code is used up, nothing may be in the way of its tokens.
        let keys = core.read_keys().await?;
        let recipient = core.clone().store.write(move |tx| exchange.run(tx, &core)).await??;
        let refresh_token = recipient.of.scopes.is_offline().then_some(refresh_token);
        Ok(self.0.application_tokens(&keys, &recipient, refresh_token)?)
    }
}

struct Exchange {
    by: AuthenticatedApplication,
    presented: Presented,
    resource: Option<String>,
    refresh: TokenHash,
    client: Client,
}

impl Exchange {
    /// A refusal is an `Ok`: what it changed is committed.
    fn run(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Result<Recipient, CodeExchangeError>, Fault> {
        let now = core.now();
        let redeemed = match RedeemedCode::of(tx, &self.by, &self.presented, now)? {
            Redemption::Good(redeemed) => redeemed,
            Redemption::Wrong(why) => return Ok(Err(CodeExchangeError::Invalid(why))),
            Redemption::Again => {
                self.end_what_it_began(tx, core)?;
                return Ok(Err(UNKNOWN));
            }
        };
        let request = redeemed.request();
        if self.resource.is_some() && self.resource != request.resource {
            return Ok(Err(CodeExchangeError::Target));
        }
        let (user, parent) = (redeemed.user(), redeemed.issued().parent);
        // Held, so that whoever ends the browser's session finds this one, and its application hears of it.
        users::lock(tx, user)?;
        let held = sessions::hold(tx, user, parent, now)?;
        let goes_on = is_alive(tx, core, user, parent, now)?;
        let Some(held) = held.filter(|_| goes_on) else {
            return Ok(Err(CodeExchangeError::Invalid("the user has signed out")));
        };
        let allowed = grants::find(tx, user, self.by.id().as_str())?;
        if !allowed.is_some_and(|grant| request.scopes.is_within(&grant.scopes)) {
            return Ok(Err(CodeExchangeError::Invalid("the user has taken the permission back")));
        }
        let of = OfApplication {
            id: self.by.id().to_string(),
            parent,
            scopes: request.scopes.clone(),
            resource: request.resource.clone(),
        };
        let refresh = request.scopes.is_offline().then_some(self.refresh);
        let key = SessionKey::Application { refresh, of: &of, until: held.expires_at };
        let Admission::Session(opened) = admit(tx, core, &Proofs::code(&redeemed), key, &self.client)? else {
            return Ok(Err(CodeExchangeError::Invalid("the user may not sign in now")));
        };
        codes::began(tx, &self.presented.code, opened.session)?;
        grants::touch(tx, user, self.by.id().as_str(), now)?;
        let login = request.scopes.has(OPENID).then(|| Login { nonce: request.nonce.clone() });
        Ok(Ok(Recipient {
            carried: self.by.application().claims.of(&opened.user.account),
            account: opened.user.account,
            session: opened.session,
            auth_time: opened.proven.at().unwrap_or(now),
            amr: opened.proven.amr,
            of,
            login,
        }))
    }

    /// Whoever comes second cannot be told from a thief, so neither keeps anything (B26).
    fn end_what_it_began(&self, tx: &mut Tx<'_>, core: &Core) -> Result<(), Fault> {
        let now = core.now();
        let Some(session) = codes::session_of_used(tx, &self.presented.code)? else { return Ok(()) };
        let Some(user) = end_alive(tx, core, Which::Id(session), now)? else { return Ok(()) };
        let Some(found) = users::by_id(tx, user)? else { return Ok(()) };
        let entry = Entry::new(AuditKind::CodeReused, AuditActor::Anonymous, &self.client);
        let detail = format!("session {session} at the application {}", self.by.id());
        entry.about(&found.account).detail(detail).write(tx, core, now)
    }
}
