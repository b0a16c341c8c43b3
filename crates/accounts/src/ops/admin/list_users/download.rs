//! The users of a list in one piece, for a file.

use super::{List, UserQuery};
use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::ids::UserId;
use crate::domain::profile::user_data::UserData;
use crate::domain::user_list::listed::ListedUser;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::store::Tx;
use crate::store::tables::users::find::in_order;
use crate::store::tables::users::list::LOOKED_AT_MAX;
use crate::trail::Entry;

/// Users read together.
const BATCH: usize = 500;

/// The users of a list, without the data that is kept with them.
#[derive(Clone, Debug)]
pub struct UserDownload {
    /// The users, in the order of the list.
    pub users: Vec<ListedUser>,
    /// Whether the list may have more of them.
    pub is_cut: bool,
}

impl Accounts {
    /// The users of a list, as far as a page looks: some thousands at most. Limit and cursor of the query do not count. It is
    /// recorded in the audit trail.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::Fault`].
    pub async fn download_users(
        &self,
        actor: Actor<'_>,
        query: &UserQuery,
    ) -> Result<UserDownload, AdminError> {
        actor.must_be_admin()?;
        let List(listing) = List::new(&self.0, query);
        let with_passkeys = listing.wanted.with_passkeys;
        let most = usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
        let find = move |tx: &mut Tx<'_>| listing.find(tx, None, most + 1, false);
        let found = self.0.store.survey::<_, Fault, _>(find).await.map_err(AdminError::Fault)?;
        let is_cut = found.end.is_some() || found.places.len() > most;
        let ids: Vec<UserId> = found.places.iter().take(most).map(|place| place.id).collect();
        let mut users = Vec::with_capacity(ids.len());
        // Read after read, so that others get their turn.
        for ids in ids.chunks(BATCH) {
            let ids = ids.to_vec();
            let read = move |tx: &mut Tx<'_>| in_order(tx, &ids, with_passkeys);
            let read = self.0.store.survey::<_, Fault, _>(read).await.map_err(AdminError::Fault)?;
            users.extend(read.into_iter().map(without_data));
        }
        let entry =
            Entry::by(AuditKind::UsersExported, actor).detail(format!("{} users, as CSV", users.len()));
        let (core, now) = (self.0.clone(), self.0.now());
        let noted = self.0.store.write(move |tx| entry.write(tx, &core, now)).await;
        noted.map_err(AdminError::Fault)?;
        Ok(UserDownload { users, is_cut })
    }
}

/// It may be some KiB each, and is not in the file.
fn without_data(mut user: ListedUser) -> ListedUser {
    user.account.data = UserData::default();
    user.account.app_data = UserData::default();
    user
}
