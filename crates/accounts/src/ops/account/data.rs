//! The user's own data.

use serde_json::{Map, Value};

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::profile::user_data::UserDataError;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::policy::Policy;
use crate::policy::data_schema::DataFault;
use crate::store::tables::users::{self, data};
use crate::trail::{self, Entry};

/// Why data was not changed.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// What came out cannot be kept.
    #[error(transparent)]
    Invalid(#[from] UserDataError),
    /// The [schema](crate::Policy::data_schema) does not allow what came out.
    #[error("the schema does not allow it")]
    Refused(Vec<DataFault>),
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
    /// [`DataError::Invalid`], [`Refused`](DataError::Refused), [`Gone`](DataError::Gone), [`Fault`](DataError::Fault).
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
                    check(core.policy(), &after)?;
                    data::set_own(tx, id, &after.data)?;
                    entry.about(&after).write(tx, &core, now)?;
                    trail::announce_update(tx, &core, &before, &after, now)?;
                }
                Ok(after)
            })
            .await
    }
}

/// The whole object is judged, not only what changed: the schema may say that members belong together.
fn check(policy: &Policy, account: &Account) -> Result<(), DataError> {
    let faults = policy.data_schema.as_ref().map(|schema| schema.faults(&account.data.to_object()));
    match faults {
        Some(faults) if !faults.is_empty() => Err(DataError::Refused(faults)),
        _ => Ok(()),
    }
}
