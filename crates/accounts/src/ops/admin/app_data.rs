//! The application's data about a user.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::profile::user_data::UserData;
use crate::domain::reason::Reason;
use crate::domain::user::{Account, Expected, UserRef};
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::find;
use crate::ops::application::find::all;
use crate::store::tables::users::{self, data};
use crate::trail::{self, Entry};

impl Accounts {
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
        actor.must_be_admin()?;
        if core.app_data_may_enter_tokens().await? {
            actor.must_be_fresh_admin(&core, now).await?;
        }
        let entry = Entry::by(AuditKind::AppDataChanged, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
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
