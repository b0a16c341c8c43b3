//! The applications that a user has let in, for administrators and operators.

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::application::grant::Grant;
use crate::domain::audit::AuditKind;
use crate::domain::user::UserRef;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::{find, find_locked};
use crate::ops::application::grants::{of_user, take_back};
use crate::store::Tx;
use crate::trail::Entry;

impl Accounts {
    /// The applications that a user has let in, those used last first, at most 200.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`Fault`](AdminError::Fault).
    pub async fn grants_of(&self, actor: Actor<'_>, user: &UserRef) -> Result<Vec<Grant>, AdminError> {
        actor.must_be_admin()?;
        let (core, user) = (self.0.clone(), user.clone());
        let read = move |tx: &mut Tx<'_>| -> Result<Vec<Grant>, AdminError> {
            let account = find(tx, &user)?;
            Ok(of_user(tx, &core, account.id)?)
        };
        self.0.store.read(read).await
    }

    /// Takes back for a user what an application was allowed, and ends its sessions of this user. The user may allow it again.
    /// `false`: there is nothing to take back.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`Fault`](AdminError::Fault).
    pub async fn revoke_grant_of(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        application: &str,
    ) -> Result<bool, AdminError> {
        actor.must_be_admin()?;
        let (core, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::ApplicationDisconnected, actor).detail(application);
        let id = application.to_owned();
        let revoke = move |tx: &mut Tx<'_>| -> Result<bool, AdminError> {
            let account = find_locked(tx, &user)?;
            Ok(take_back(tx, &core, account.id, &id, &entry.about(&account), now)?)
        };
        self.0.store.write(revoke).await
    }
}
