//! The application's data about a user.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::application::id::ApplicationId;
use crate::domain::application::registered::Application;
use crate::domain::application::scope::APP_DATA;
use crate::domain::audit::AuditKind;
use crate::domain::profile::user_data::UserData;
use crate::domain::reason::Reason;
use crate::domain::user::{Account, Expected, UserRef};
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::find;
use crate::ops::application::find::{all, application};
use crate::ops::sign_in::authenticate::AuthenticateError;
use crate::store::Tx;
use crate::store::tables::users::{self, data};
use crate::trail::{self, Entry};

/// Why a token does not let anybody keep data about users.
#[derive(Debug, thiserror::Error)]
pub enum AppDataAccessError {
    /// The token is no application's, or it does not work any more.
    #[error("the token is not valid")]
    Invalid,
    /// It is a user's, or not for this.
    #[error("the token is not for data about users: ask for the scope `users:app-data`, without a resource")]
    InsufficientScope,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// The application that a token lets keep data about users: one with which it speaks for itself, with the scope
    /// `users:app-data`, for this service and no other.
    ///
    /// # Errors
    /// [`AppDataAccessError`]
    pub async fn authenticate_app_data(&self, token: &str) -> Result<Application, AppDataAccessError> {
        let access = self.authenticate_access(token).await.map_err(|error| match error {
            AuthenticateError::Invalid => AppDataAccessError::Invalid,
            AuthenticateError::Fault(fault) => AppDataAccessError::Fault(fault),
        })?;
        let is_for_this = access.audience == [self.0.issuer.name()];
        let may = access.user.is_none() && access.scopes.has(APP_DATA) && is_for_this;
        if may { Ok(access.application) } else { Err(AppDataAccessError::InsufficientScope) }
    }

    /// The user whose data an application or administrator reads before writing it.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`Fault`](AdminError::Fault).
    pub async fn find_app_data(&self, actor: Actor<'_>, user: &UserRef) -> Result<Account, AdminError> {
        let Some(application) = of_application(actor) else { return self.find_user(actor, user).await };
        let (core, user) = (self.0.clone(), user.clone());
        let read = move |tx: &mut Tx<'_>| {
            must_keep(tx, &core, &application)?;
            find(tx, &user)
        };
        self.0.store.read(read).await
    }

    /// Replaces what the application keeps about a user who is in an expected state. The same again changes nothing. Where
    /// tokens may say something of it, an administrator needs a recent proof, as for roles.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`StepUp`](AdminError::StepUp), [`NotFound`](AdminError::NotFound), [`Changed`](AdminError::Changed),
    /// [`Fault`](AdminError::Fault).
    pub async fn set_app_data(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        expected: &Expected,
        app_data: UserData,
        reason: Option<&Reason>,
    ) -> Result<Account, AdminError> {
        let (core, user, expected, now) = (self.0.clone(), user.clone(), expected.clone(), self.0.now());
        // What tokens say is power, as a role is (O4).
        let application = of_application(actor);
        if application.is_none() {
            actor.must_be_admin()?;
            if core.app_data_may_enter_tokens().await? {
                actor.must_be_fresh_admin(&core, now).await?;
            }
        }
        let entry = Entry::by(AuditKind::AppDataChanged, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                if let Some(application) = &application {
                    must_keep(tx, &core, application)?;
                }
                let id = find(tx, &user)?.id;
                users::lock(tx, id)?;
                // Read again: it may have changed before the lock was granted.
                let before = find(tx, &UserRef::Id(id))?;
                if !expected.is(&before) {
                    return Err(AdminError::Changed);
                }
                let after = Account { app_data: app_data.clone(), ..before.clone() };
                if after != before {
                    data::set_app(tx, id, &after.app_data)?;
                    entry.about(&after).write(tx, &core, now)?;
                    trail::announce_update(tx, &core, &before, &after, now)?;
                }
                Ok(after)
            })
            .await
    }
}

/// The application, if the actor is one.
fn of_application(actor: Actor<'_>) -> Option<ApplicationId> {
    match actor {
        Actor::Application(application, _) => Some(application.id.clone()),
        Actor::Operator | Actor::User(..) => None,
    }
}

/// The registration is read again: it may have changed since the token was checked.
fn must_keep(tx: &mut Tx<'_>, core: &Core, id: &ApplicationId) -> Result<(), AdminError> {
    let found = application(tx, core, id.as_str())?;
    found.filter(|found| found.machine_scopes.has(APP_DATA)).map(drop).ok_or(AdminError::Forbidden)
}

impl Core {
    /// Whether the application's data about a user may end up in tokens, this service's own or those of applications, where
    /// others decide by it what the user may do.
    pub(crate) async fn app_data_may_enter_tokens(self: &Arc<Self>) -> Result<bool, Fault> {
        if self.policy().claims.may_come_from_app_data() {
            return Ok(true);
        }
        let core = self.clone();
        let applications = self.store.read(move |tx| all(tx, &core)).await?;
        Ok(applications.iter().any(|application| application.claims.may_come_from_app_data()))
    }
}
