//! Checking the access token of an application: what it opens, now.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::session::Proven;
use crate::domain::application::registered::Application;
use crate::domain::application::scope::Scopes;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::ops::application::allowed::Allowed;
use crate::ops::application::find::application;
use crate::ops::application::parent::is_alive;
use crate::ops::sign_in::admit::application_may_continue;
use crate::ops::sign_in::authenticate::AuthenticateError;
use crate::store::Tx;
use crate::store::tables::application::sessions;
use crate::store::tables::users::{self, OfSession};
use crate::token::application::access_token::{self, VerifiedAccess, Whose};
use crate::token::keys::KeySet;

/// What the access token of an application stands for.
#[derive(Clone, Debug)]
pub struct ApplicationAccess {
    /// The application it was issued to.
    pub application: Application,
    /// Whom it speaks for; `None`: the application itself.
    pub user: Option<ApplicationUser>,
    /// What it is for.
    pub scopes: Scopes,
    /// Where it is good: addresses of resources.
    pub audience: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// The user whom an application's token speaks for.
#[derive(Clone, Debug)]
pub struct ApplicationUser {
    /// The user as currently stored.
    pub account: Account,
    /// The application's session.
    pub session_id: SessionId,
    /// What was proven when it began.
    pub proven: Proven,
    /// When anything was last proven.
    pub auth_time: Timestamp,
}

impl Accounts {
    /// Checks the access token of an application. Application, grant, session and user are read from the store each time.
    ///
    /// # Errors
    /// [`AuthenticateError::Invalid`]: also for this service's own tokens; [`AuthenticateError::Fault`].
    pub async fn authenticate_access(&self, token: &str) -> Result<ApplicationAccess, AuthenticateError> {
        let core = self.0.clone();
        let now = core.now();
        let check = |keys: &KeySet| access_token::verify(&core.issuer, keys, token, now);
        let verified = core.verify_with(now, check).await?.ok_or(AuthenticateError::Invalid)?;
        let read = self.0.store.read(move |tx| current(tx, &core, verified.clone(), now)).await;
        read.map_err(AuthenticateError::Fault)?.ok_or(AuthenticateError::Invalid)
    }
}

fn current(
    tx: &mut Tx<'_>,
    core: &Core,
    token: VerifiedAccess,
    now: Timestamp,
) -> Result<Option<ApplicationAccess>, Fault> {
    let (application, user) = match token.whose {
        Whose::Machine => match machine(tx, core, &token)? {
            Some(application) => (application, None),
            None => return Ok(None),
        },
        Whose::User { user, session } => match of_user(tx, core, &token, user, session, now)? {
            Some((application, user)) => (application, Some(user)),
            None => return Ok(None),
        },
    };
    let VerifiedAccess { audience, scopes, issued_at, expires_at, .. } = token;
    Ok(Some(ApplicationAccess { application, user, scopes, audience, issued_at, expires_at }))
}

/// The application, if it may still do for itself what the token says.
fn machine(tx: &mut Tx<'_>, core: &Core, token: &VerifiedAccess) -> Result<Option<Application>, Fault> {
    let found = application(tx, core, &token.client_id)?;
    Ok(found.filter(|application| token.scopes.is_within(&application.machine_scopes)))
}

fn of_user(
    tx: &mut Tx<'_>,
    core: &Core,
    token: &VerifiedAccess,
    id: UserId,
    session: SessionId,
    now: Timestamp,
) -> Result<Option<(Application, ApplicationUser)>, Fault> {
    let found = users::of_session(tx, session, &token.key, now)?.filter(|found| found.account.id == id);
    let Some(OfSession { account, factor_due_at, state }) = found else { return Ok(None) };
    let Some(allowed) = Allowed::of(tx, core, id, &token.client_id)? else { return Ok(None) };
    let policy = &core.policy().second_factor;
    if !allowed.covers(&token.scopes)
        || !application_may_continue(policy, &state, &account, factor_due_at, &allowed, now)
    {
        return Ok(None);
    }
    // What was not asked for offline ends when the user signs out in the browser.
    let Some(of) = sessions::of_application(tx, session)? else { return Ok(None) };
    if !of.scopes.is_offline() && !is_alive(tx, core, id, of.parent, now)? {
        return Ok(None);
    }
    let (proven, auth_time) = (state.proven, state.auth_time());
    let user = ApplicationUser { account, session_id: session, proven, auth_time };
    Ok(Some((allowed.application, user)))
}
