//! The list of users: by page, in an order, by what they are called and by conditions; and how many there are.

pub(crate) mod download;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::access::roles::RoleName;
use crate::domain::ids::UserId;
use crate::domain::user::{FactorStatus, UserStatus};
use crate::domain::user_list::listed::{LastSignIn, ListedUser, TimeRange, UserCount, UserCounts, UserOrder};
use crate::domain::user_list::search_text::Needle;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::paging::{self, PageSize};
use crate::store::Tx;
use crate::store::tables::users;
use crate::store::tables::users::find::{Listing, bounded, in_order};
use crate::store::tables::users::list::{self, LOOKED_AT_MAX, Place, Wanted};
use crate::token::root::RootKeys;

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// Any part of an email address, a user name or a display name, in any case; up to two characters are looked for at the
    /// beginning of one. A whole id or external id is found as well.
    pub search: Option<String>,
    /// Only users in this state.
    pub status: Option<UserStatus>,
    /// Only users with this role.
    pub role: Option<RoleName>,
    /// Only users with this second factor, or without any.
    pub second_factor: Option<FactorStatus>,
    /// Only users created in this time.
    pub created: TimeRange,
    /// Only users who signed in last at such a time.
    pub last_sign_in: Option<LastSignIn>,
    /// Who comes first.
    pub order: UserOrder,
    /// Whether to say how many there are in all.
    pub counted: bool,
    /// Users per page, 1 to 200; 50 if `None`.
    pub limit: Option<u32>,
    /// The cursor at the end of the previous page.
    pub cursor: Option<String>,
}

/// A page of the list of users.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// The users.
    pub items: Vec<ListedUser>,
    /// The cursor of the next page; `None` at the end. A page looks at some thousands of users at most, so it may have fewer
    /// than fit, or none, without being the last.
    pub next_cursor: Option<String>,
    /// How many users the list has, if that was wanted.
    pub count: Option<UserCount>,
}

impl Accounts {
    /// A page of the users.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`LimitInvalid`](AdminError::LimitInvalid),
    /// [`CursorInvalid`](AdminError::CursorInvalid), [`Fault`](AdminError::Fault).
    pub async fn list_users(&self, actor: Actor<'_>, query: &UserQuery) -> Result<UserPage, AdminError> {
        actor.must_be_admin()?;
        let size = PageSize::new(query.limit)?;
        let list = List::new(&self.0, query);
        let cursor = query.cursor.as_ref();
        let after = cursor.map(|cursor| list.open_cursor(&self.0.root, cursor)).transpose()?;
        let (listing, counted) = (list.0.clone(), query.counted);
        let read = move |tx: &mut Tx<'_>| {
            let found = listing.find(tx, after.as_ref(), size.entries() + 1, counted)?;
            let shown: Vec<UserId> = found.places.iter().take(size.entries()).map(|place| place.id).collect();
            let users = in_order(tx, &shown, listing.wanted.with_passkeys)?;
            Ok::<_, Fault>((found, users))
        };
        let (found, items) = self.0.store.survey(read).await.map_err(AdminError::Fault)?;
        let end = found.end.map(|end| list.cursor_at(&self.0.root, &end));
        let page = size.page_until(found.places, end, |last| list.cursor_at(&self.0.root, last));
        Ok(UserPage { items, next_cursor: page.next_cursor, count: found.count })
    }

    /// How many users there are, and in which state.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::Fault`].
    pub async fn count_users(&self, actor: Actor<'_>) -> Result<UserCounts, AdminError> {
        actor.must_be_admin()?;
        let read = |tx: &mut Tx<'_>| -> Result<UserCounts, Fault> {
            let all = bounded(list::count_all(tx, LOOKED_AT_MAX + 1)?);
            let disabled = bounded(users::count_disabled(tx, LOOKED_AT_MAX + 1)?);
            let active = if all.is_lower_bound {
                let counted = list::count_active(tx, 2 * LOOKED_AT_MAX, LOOKED_AT_MAX)?;
                UserCount { counted, is_lower_bound: true }
            } else {
                UserCount { counted: (all.counted - disabled.counted).max(0), is_lower_bound: false }
            };
            Ok(UserCounts { all, active, disabled })
        };
        self.0.store.survey(read).await.map_err(AdminError::Fault)
    }
}

/// A list, whose cursors are good for no other.
struct List(Listing);

impl List {
    fn new(core: &Core, query: &UserQuery) -> Self {
        let wanted = Wanted {
            needle: query.search.as_deref().and_then(Needle::new),
            status: query.status,
            role: query.role.clone(),
            second_factor: query.second_factor,
            with_passkeys: core.relying_party.is_some(),
            created: query.created,
            signed_in: query.last_sign_in.map(LastSignIn::range).unwrap_or_default(),
        };
        let plain = |typed: &&String| !typed.is_empty() && !typed.chars().any(char::is_control);
        let typed = query.search.as_ref().filter(plain).cloned();
        Self(Listing { wanted, order: query.order, typed })
    }

    fn cursor_at(&self, root: &RootKeys, place: &Place) -> String {
        let place = match self.0.order {
            UserOrder::Newest | UserOrder::Oldest => place.id.to_string(),
            UserOrder::Email | UserOrder::EmailDescending => format!("{} {}", place.id, place.email_key),
            UserOrder::LatestSignIn | UserOrder::EarliestSignIn => {
                format!("{} {}", place.id, place.signed_in)
            }
        };
        self.sealed(root, |list| list.cursor(&place))
    }

    fn open_cursor(&self, root: &RootKeys, cursor: &str) -> Result<Place, AdminError> {
        let opened = self.sealed(root, |list| list.open(cursor))?;
        let (id, key) = opened.split_once(' ').unwrap_or((&opened, ""));
        let id = id.parse().map_err(|_| AdminError::CursorInvalid)?;
        Ok(Place { id, email_key: key.to_owned(), signed_in: key.parse().unwrap_or_default() })
    }

    fn sealed<T>(&self, root: &RootKeys, work: impl FnOnce(&paging::List<'_>) -> T) -> T {
        let Listing { wanted, order, .. } = &self.0;
        let Wanted { needle, status, role, second_factor, created, signed_in, with_passkeys: _ } = wanted;
        let conditions = format!("{status:?} {role:?} {second_factor:?} {created:?} {signed_in:?} {order:?}");
        let needle = needle.as_ref().map_or("", Needle::as_str);
        work(&paging::List { root, conditions: &[b"users", needle.as_bytes(), conditions.as_bytes()] })
    }
}
