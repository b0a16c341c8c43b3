//! The user's own data.

use serde_json::{Map, Value};

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::profile::user_data::UserDataError;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::store::tables::users::{self, data};
use crate::trail::{self, Entry};

/// Why data was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// What came out cannot be kept.
    #[error(transparent)]
    Invalid(#[from] UserDataError),
    /// The user was deleted meanwhile.
    #[error("there is no such user")]
    Gone,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Merges a patch (RFC 7396) into the user's own data. Of two patches at once, the second is merged into what the first
    /// has left.
    ///
    /// # Errors
    /// [`DataError::Invalid`], [`Gone`](DataError::Gone), [`Fault`](DataError::Fault).
    pub async fn update_data(
        &self,
        who: &SignedIn,
        patch: Map<String, Value>,
        client: &Client,
    ) -> Result<Account, DataError> {
        let (core, id, now) = (self.0.clone(), who.account.id, self.0.now());
        let entry = Entry::new(AuditKind::DataChanged, AuditActor::User(id), client);
        self.0
            .store
            .write(move |tx| {
                users::lock(tx, id)?;
                let before = users::by_id(tx, id)?.ok_or(DataError::Gone)?.account;
                let after = Account { data: before.data.merged(&patch)?, ..before.clone() };
                if after != before {
                    data::set_own(tx, id, &after.data)?;
                    entry.about(&after).write(tx, &core, now)?;
                    trail::announce_update(tx, &core, &before, &after, now)?;
                }
                Ok(after)
            })
            .await
    }
}
