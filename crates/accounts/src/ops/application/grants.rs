//! The applications that a user has let in, and how one is shut out again.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::application::grant::Grant;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::profile::claim_paths::ClaimPaths;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::find::application;
use crate::ops::session_end;
use crate::store::Tx;
use crate::store::tables::application::grants::{self, StoredGrant};
use crate::store::tables::users;
use crate::trail::Entry;

impl Accounts {
    /// The applications that the user has let in, those used last first, at most 200.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn list_grants(&self, who: &SignedIn) -> Result<Vec<Grant>, Fault> {
        let (core, user) = (self.0.clone(), who.account.id);
        self.0.store.read(move |tx| of_user(tx, &core, user)).await
    }

    /// Takes back what the user has allowed an application, and ends its sessions. `false`: there is nothing to take back.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn revoke_grant(&self, who: &SignedIn, id: &str, client: &Client) -> Result<bool, Fault> {
        let (core, user, now) = (self.0.clone(), who.account.id, self.0.now());
        let entry = Entry::new(AuditKind::ApplicationDisconnected, AuditActor::User(user), client);
        let (entry, id) = (entry.about(&who.account).detail(id), id.to_owned());
        self.0
            .store
            .write(move |tx| {
                users::lock(tx, user)?;
                take_back(tx, &core, user, &id, &entry, now)
            })
            .await
    }
}

/// Forgets what a locked user allows an application, and ends its sessions. `false`: there is nothing to take back.
pub(crate) fn take_back(
    tx: &mut Tx<'_>,
    core: &Core,
    user: UserId,
    id: &str,
    entry: &Entry,
    now: Timestamp,
) -> Result<bool, Fault> {
    // The sessions first, as whoever goes on with one takes them.
    session_end::end_at_application(tx, core, user, id, now)?;
    if !grants::delete(tx, user, id)? {
        return Ok(false);
    }
    entry.write(tx, core, now)?;
    Ok(true)
}

/// What a user allows, with the names of the applications.
pub(crate) fn of_user(tx: &mut Tx<'_>, core: &Core, user: UserId) -> Result<Vec<Grant>, Fault> {
    let stored = grants::of_user(tx, user)?;
    stored.into_iter().map(|grant| named(tx, core, grant)).collect()
}

fn named(tx: &mut Tx<'_>, core: &Core, grant: StoredGrant) -> Result<Grant, Fault> {
    let StoredGrant { application: id, scopes, created_at, last_used_at } = grant;
    let found = application(tx, core, &id)?;
    let unreadable = |_| Fault::Unavailable(format!("the grant of {id} has no id of an application"));
    let (name, claims) = match found {
        Some(application) => (application.name, application.claims),
        None => (id.clone(), ClaimPaths::default()),
    };
    Ok(Grant { name, claims, application: id.parse().map_err(unreadable)?, scopes, created_at, last_used_at })
}
