//! The list of users: by pages, by state, by the beginning of a name.

use crate::domain::email::fold;
use crate::ops::admin::{Actor, AdminError};
use crate::ops::cursor::{self, PageSize};
use crate::store::Tx;
use crate::store::users::{self, KeyRange};
use crate::token::root::RootKeys;
use crate::{Account, Accounts, Fault, UserId};

/// Longer beginnings match nothing that could be stored.
const PREFIX_CHARS_MAX: usize = 254;

/// Which users to list.
#[derive(Clone, Debug, Default)]
pub struct UserQuery {
    /// The beginning of an e-mail address or of a user name.
    pub prefix: Option<String>,
    /// Only users of this state.
    pub status: Option<UserStatus>,
    /// Users per page, 1 to 200; 50 where it is `None`.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// The state of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not.
    Disabled,
}

/// One page of a list, oldest first.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` at the end.
    pub next_cursor: Option<String>,
}

impl Accounts {
    /// A page of the users: oldest first, or, with a prefix, in the order of the addresses and then of the names.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`LimitInvalid`](AdminError::LimitInvalid),
    /// [`CursorInvalid`](AdminError::CursorInvalid), [`Fault`](AdminError::Fault).
    pub async fn list_users(&self, actor: Actor<'_>, query: &UserQuery) -> Result<Page<Account>, AdminError> {
        actor.must_be_admin()?;
        let size = PageSize::new(query.limit)?;
        let list = List::new(&self.0.root, query)?;
        let items = self
            .0
            .store
            .read({
                let list = list.clone();
                move |tx| list.read(tx, size.and_one_more())
            })
            .await
            .map_err(AdminError::Fault)?;
        Ok(size.page(items, |last| list.cursor_after(&self.0.root, last)))
    }
}

/// A query, and where in its list to go on.
#[derive(Clone)]
struct List {
    prefix: Option<String>,
    status: Option<UserStatus>,
    after: Position,
}

/// The place behind an entry of a list.
#[derive(Clone)]
enum Position {
    Id(UserId),
    Email(String),
    Name(String),
}

impl List {
    fn new(root: &RootKeys, query: &UserQuery) -> Result<Self, AdminError> {
        let prefix = query.prefix.as_ref().filter(|prefix| !prefix.is_empty());
        let prefix = prefix.map(|prefix| fold(&prefix.chars().take(PREFIX_CHARS_MAX).collect::<String>()));
        let start = match prefix {
            None => Position::Id(UserId::from_bytes([0; 16])),
            Some(_) => Position::Email(String::new()),
        };
        let mut list = Self { prefix, status: query.status, after: start };
        if let Some(cursor) = &query.cursor {
            list.after = list.open_cursor(root, cursor)?;
        }
        Ok(list)
    }

    fn read(&self, tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Account>, Fault> {
        let Some(prefix) = &self.prefix else {
            let Position::Id(after) = self.after else { return Ok(Vec::new()) };
            return match self.status {
                None => users::page(tx, after, limit),
                Some(UserStatus::Active) => users::page_active(tx, after, limit),
                Some(UserStatus::Disabled) => users::page_disabled(tx, after, limit),
            };
        };
        let to = format!("{prefix}{}", char::MAX);
        let range = |after| KeyRange { from: prefix, to: &to, after, status: self.status };
        let (mut found, names_after) = match &self.after {
            Position::Email(after) => (users::page_by_email(tx, range(after), limit)?, ""),
            Position::Name(after) => (Vec::new(), after.as_str()),
            Position::Id(_) => (Vec::new(), ""),
        };
        let room = limit - i64::try_from(found.len()).unwrap_or(limit);
        if room > 0 {
            found.extend(users::page_by_name(tx, range(names_after), room)?);
        }
        Ok(found)
    }

    /// The place behind `last`.
    fn cursor_after(&self, root: &RootKeys, last: &Account) -> String {
        let by_email = |prefix: &String| last.email.key().starts_with(prefix.as_str());
        let place = match &self.prefix {
            None => format!("i{}", last.id),
            Some(prefix) if by_email(prefix) => format!("e{}", last.email.key()),
            Some(_) => format!("n{}", last.user_name.as_ref().map_or("", |name| name.key())),
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

    fn sealed<T>(&self, root: &RootKeys, work: impl FnOnce(&cursor::List<'_>) -> T) -> T {
        let status = format!("{:?}", self.status);
        let prefix = self.prefix.as_deref().unwrap_or_default();
        work(&cursor::List { root, conditions: &[b"users", prefix.as_bytes(), status.as_bytes()] })
    }
}
