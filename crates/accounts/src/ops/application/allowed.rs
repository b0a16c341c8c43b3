//! What a user allows an application now: read again whenever it gets something (B14).

use crate::core::Core;
use crate::domain::application::registered::Application;
use crate::domain::application::scope::Scopes;
use crate::domain::ids::UserId;
use crate::fault::Fault;
use crate::ops::application::find::application;
use crate::store::Tx;
use crate::store::tables::application::grants;

/// A registered application with what a user allows it.
pub(crate) struct Allowed {
    pub(crate) application: Application,
    user: UserId,
    scopes: Scopes,
}

impl Allowed {
    /// `None`: it is not registered any more, or the user has taken everything back.
    pub(crate) fn of(tx: &mut Tx<'_>, core: &Core, user: UserId, id: &str) -> Result<Option<Self>, Fault> {
        let Some(application) = application(tx, core, id)? else { return Ok(None) };
        let Some(grant) = grants::find(tx, user, id)? else { return Ok(None) };
        let scopes = grant.scopes;
        Ok(Some(Self { application, user, scopes }))
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        self.application.id.as_str()
    }

    /// Whether this is the user who allows it.
    pub(crate) fn is_by(&self, user: UserId) -> bool {
        self.user == user
    }

    /// Of these scopes, the ones that are allowed still.
    pub(crate) fn covers(&self, scopes: &Scopes) -> bool {
        scopes.is_within(&self.scopes)
    }
}
