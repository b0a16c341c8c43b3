//! All users, with what an import takes.

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::store::tables::users::transfer;
use crate::trail::Entry;

/// Users per page.
const PAGE: i64 = 500;

/// A user on the way out.
#[derive(Clone, Debug)]
pub struct ExportedUser {
    /// The account.
    pub account: Account,
    /// The hash of its password, as it is stored.
    pub password_hash: Option<Secret>,
}

impl Accounts {
    /// The users after this one, oldest first, at most 500; empty when there are no more. For operators only.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn export_users(&self, after: Option<UserId>) -> Result<Vec<ExportedUser>, Fault> {
        let after = after.unwrap_or(UserId::from_bytes([0; 16]));
        let found = self.0.store.survey(move |tx| transfer::page(tx, after, PAGE)).await?;
        let exported = found.into_iter().map(|(account, hash)| {
            let password_hash = hash.map(Secret::from);
            ExportedUser { account, password_hash }
        });
        Ok(exported.collect())
    }

    /// How many users there are. Looks at all of them: for operators only.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn users_to_export(&self) -> Result<u64, Fault> {
        Ok(self.0.store.survey(transfer::count).await?.unsigned_abs())
    }

    /// Records in the audit trail that an operator exported the users.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn note_export(&self, words: &str) -> Result<(), Fault> {
        let (core, now) = (self.0.clone(), self.0.now());
        let entry =
            Entry::new(AuditKind::UsersExported, AuditActor::Operator, &Client::default()).detail(words);
        self.0.store.write(move |tx| entry.write(tx, &core, now)).await
    }
}
