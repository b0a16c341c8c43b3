//! The list of users: by page, by state, by prefix.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::email::fold;
use crate::domain::ids::UserId;
use crate::domain::user::{Account, FactorStatus, UserStatus};
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::paging::{self, Page, PageSize};
use crate::store::Tx;
use crate::store::tables::users::list::{self, KeyRange, Stretch, Wanted};
use crate::token::root::RootKeys;

/// Longer prefixes match nothing that could be stored.
const PREFIX_CHARS_MAX: usize = 254;

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// The beginning of an email address or of a user name.
    pub prefix: Option<String>,
    /// Only users in this state.
    pub status: Option<UserStatus>,
    /// Only users with a second factor, or without one.
    pub second_factor: Option<FactorStatus>,
    /// Users per page, 1 to 200; 50 if `None`.
    pub limit: Option<u32>,
    /// The cursor at the end of the previous page.
    pub cursor: Option<String>,
}

impl Accounts {
    /// A page of the users: oldest first, or, with a prefix, by address and then by user name.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`LimitInvalid`](AdminError::LimitInvalid),
    /// [`CursorInvalid`](AdminError::CursorInvalid), [`Fault`](AdminError::Fault).
    pub async fn list_users(&self, actor: Actor<'_>, query: &UserQuery) -> Result<Page<Account>, AdminError> {
        actor.must_be_admin()?;
        let size = PageSize::new(query.limit)?;
        let list = List::new(&self.0, query)?;
        let read = {
            let list = list.clone();
            move |tx: &mut Tx<'_>| list.read(tx, size.and_one_more())
        };
        let (items, end) = self.0.store.survey(read).await.map_err(AdminError::Fault)?;
        let end = end.map(|end| list.cursor_at(&self.0.root, &end));
        Ok(size.page_until(items, end, |last| list.cursor_after(&self.0.root, last)))
    }
}

/// A query, and where to continue in its list.
#[derive(Clone)]
struct List {
    prefix: Option<String>,
    wanted: Wanted,
    after: Position,
}

/// The position after an entry of a list.
#[derive(Clone)]
enum Position {
    Id(UserId),
    Email(String),
    Name(String),
}

impl List {
    fn new(core: &Core, query: &UserQuery) -> Result<Self, AdminError> {
        let prefix = query.prefix.as_ref().filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(|prefix| fold(&prefix.chars().take(PREFIX_CHARS_MAX).collect::<String>()));
        let start = match prefix {
            None => Position::Id(UserId::from_bytes([0; 16])),
            Some(_) => Position::Email(String::new()),
        };
        let wanted = Wanted {
            status: query.status,
            second_factor: query.second_factor,
            with_passkeys: core.relying_party.is_some(),
        };
        let mut list = Self { prefix, wanted, after: start };
        if let Some(cursor) = &query.cursor {
            list.after = list.open_cursor(&core.root, cursor)?;
        }
        Ok(list)
    }

    /// The users of a page, and where to continue if the stretch it looks at has no more of them.
    fn read(&self, tx: &mut Tx<'_>, limit: i64) -> Result<(Vec<Account>, Option<Position>), Fault> {
        let Some(prefix) = &self.prefix else {
            let Position::Id(after) = self.after else { return Ok((Vec::new(), None)) };
            let Stretch { found, end } = list::by_id(tx, after, self.wanted, limit)?;
            return Ok((found, end.map(Position::Id)));
        };
        let to = format!("{prefix}{}", char::MAX);
        let range = |after| KeyRange { from: prefix, to: &to, after, wanted: self.wanted };
        let (mut found, names_after) = match &self.after {
            Position::Email(after) => {
                let Stretch { found, end } = list::by_email(tx, range(after), limit)?;
                if end.is_some() {
                    return Ok((found, end.map(Position::Email)));
                }
                (found, "")
            }
            Position::Name(after) => (Vec::new(), after.as_str()),
            Position::Id(_) => (Vec::new(), ""),
        };
        let room = limit - i64::try_from(found.len()).unwrap_or(limit);
        if room == 0 {
            return Ok((found, None));
        }
        let names = list::by_name(tx, range(names_after), room)?;
        found.extend(names.found);
        Ok((found, names.end.map(Position::Name)))
    }

    /// The position after `last`.
    fn cursor_after(&self, root: &RootKeys, last: &Account) -> String {
        let by_email = |prefix: &String| last.email.key().starts_with(prefix.as_str());
        let place = match &self.prefix {
            None => Position::Id(last.id),
            Some(prefix) if by_email(prefix) => Position::Email(last.email.key().to_owned()),
            Some(_) => Position::Name(last.user_name.as_ref().map_or("", |name| name.key()).to_owned()),
        };
        self.cursor_at(root, &place)
    }

    fn cursor_at(&self, root: &RootKeys, place: &Position) -> String {
        let place = match place {
            Position::Id(id) => format!("i{id}"),
            Position::Email(key) => format!("e{key}"),
            Position::Name(key) => format!("n{key}"),
        };
        self.sealed(root, |list| list.cursor(&place))
    }

    fn open_cursor(&self, root: &RootKeys, cursor: &str) -> Result<Position, AdminError> {
        let place = self.sealed(root, |list| list.open(cursor))?;
        let position = match place.split_at_checked(1) {
            Some(("i", id)) => id.parse().ok().map(Position::Id),
            Some(("e", key)) => Some(Position::Email(key.to_owned())),
            Some(("n", key)) => Some(Position::Name(key.to_owned())),
            _ => None,
        };
        position.ok_or(AdminError::CursorInvalid)
    }

    fn sealed<T>(&self, root: &RootKeys, work: impl FnOnce(&paging::List<'_>) -> T) -> T {
        let conditions = format!("{:?} {:?}", self.wanted.status, self.wanted.second_factor);
        let prefix = self.prefix.as_deref().unwrap_or_default();
        work(&paging::List { root, conditions: &[b"users", prefix.as_bytes(), conditions.as_bytes()] })
    }
}
