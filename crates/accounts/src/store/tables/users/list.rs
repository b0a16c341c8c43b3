//! The list of users: the ways to come by users, each of which ends after so many, and what is then asked of each.
//!
//! No statement looks for users that match: it reads a stretch of an index, or looks at users whose ids it is given. So the work
//! is bounded on both databases, whatever plan they choose.

use super::{COLUMNS, account};
use crate::domain::access::roles::RoleName;
use crate::domain::ids::UserId;
use crate::domain::user::{FactorStatus, UserStatus};
use crate::domain::user_list::listed::{ListedUser, TimeRange, UserOrder};
use crate::domain::user_list::search_text::Needle;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Bind, Row, Value, args};

/// Rows looked at per page: some 20 ms of work.
pub(crate) const LOOKED_AT_MAX: i64 = 10_000;

/// Users per statement.
const GROUP: usize = 50;

/// The parameters of a group.
macro_rules! group {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, \
         $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, \
         $43, $44, $45, $46, $47, $48, $49, $50"
    };
}

/// What is searched in; names of users who are not indexed yet, as far as they are stored folded.
macro_rules! searched {
    () => {
        "COALESCE(users.search_text, '\n\n' || users.email_key || '\n\n' || COALESCE(users.user_name_key, ''))"
    };
}

/// Where a user stands in a list. Only what its order goes by is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) id: UserId,
    pub(crate) email_key: String,
    /// In milliseconds; 0: never.
    pub(crate) signed_in: i64,
}

impl Place {
    fn of_id(id: UserId) -> Self {
        Self { id, email_key: String::new(), signed_in: 0 }
    }
}

/// Users between two others, in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Between {
    pub(crate) after: UserId,
    pub(crate) before: UserId,
}

impl Between {
    /// Those created in this time. No user has an id that is only a time.
    pub(crate) fn created(range: TimeRange) -> Self {
        Self {
            after: range.from.map_or(UserId::from_bytes([0; 16]), UserId::first_at),
            before: range.before.map_or(UserId::from_bytes([0xff; 16]), UserId::first_at),
        }
    }
}

/// Which users are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) needle: Option<Needle>,
    pub(crate) status: Option<UserStatus>,
    pub(crate) role: Option<RoleName>,
    pub(crate) second_factor: Option<FactorStatus>,
    /// Whether passkeys count as second factors.
    pub(crate) with_passkeys: bool,
    pub(crate) created: TimeRange,
    pub(crate) signed_in: TimeRange,
}

impl Wanted {
    /// Whether all users are.
    pub(crate) fn is_everything(&self) -> bool {
        self.needle.is_none()
            && (self.status, self.second_factor) == (None, None)
            && self.role.is_none()
            && self.created.is_open()
            && self.signed_in.is_open()
    }

    /// As the statement takes it: 1 is active only, 2 disabled only, 0 all.
    fn status_code(&self) -> i64 {
        match self.status {
            None => 0,
            Some(UserStatus::Active) => 1,
            Some(UserStatus::Disabled) => 2,
        }
    }

    fn factor_code(&self) -> i64 {
        match self.second_factor {
            None => 0,
            Some(FactorStatus::None) => 1,
            Some(FactorStatus::Any) => 2,
            Some(FactorStatus::Passkey) => 3,
            Some(FactorStatus::Authenticator) => 4,
        }
    }
}

/// Users that an index knows to have something in common.
#[derive(Clone, Debug)]
pub(crate) enum Common {
    /// These three characters.
    Trigram(String),
    Disabled,
    SomeRole,
    /// A second factor, or the beginning of one.
    SomeFactor,
    SignedIn(TimeRange),
    Created(TimeRange),
}

/// At most `most` of the users with something in common, in the order of the index, so that no planner reads the table instead.
pub(crate) fn sharing(tx: &mut Tx<'_>, common: &Common, most: i64) -> Result<Vec<UserId>, Fault> {
    let id = |row: &Row<'_>| row.get(0);
    match common {
        Common::Trigram(trigram) => {
            let sql = "SELECT user_id FROM user_trigrams WHERE trigram = $1 ORDER BY user_id LIMIT $2";
            tx.rows(sql, args![trigram, most], id)
        }
        Common::Disabled => {
            tx.rows("SELECT id FROM users WHERE disabled_at IS NOT NULL ORDER BY id LIMIT $1", args![most], id)
        }
        Common::SomeRole => {
            tx.rows("SELECT id FROM users WHERE roles <> '' ORDER BY id LIMIT $1", args![most], id)
        }
        Common::SomeFactor => tx.rows(
            "SELECT user_id FROM (SELECT user_id FROM authenticators LIMIT $1) AS apps \
             UNION SELECT user_id FROM (SELECT user_id FROM passkeys LIMIT $1) AS keys",
            args![most],
            id,
        ),
        Common::SignedIn(range) => tx.rows(
            "SELECT id FROM users WHERE COALESCE(last_sign_in_at, 0) >= $1 AND COALESCE(last_sign_in_at, 0) < $2 \
             ORDER BY COALESCE(last_sign_in_at, 0) LIMIT $3",
            args![range.first(), range.end(), most],
            id,
        ),
        Common::Created(range) => {
            let between = Between::created(*range);
            let sql = "SELECT id FROM users WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3";
            tx.rows(sql, args![between.after, between.before, most], id)
        }
    }
}

/// The next `most` users of this order after `after`; with a trigram only those who have it, where the order is that of ids.
pub(crate) fn next(
    tx: &mut Tx<'_>,
    order: UserOrder,
    after: Option<&Place>,
    between: Between,
    trigram: Option<&str>,
    most: i64,
) -> Result<Vec<Place>, Fault> {
    let by_id = |row: &Row<'_>| Ok(Place::of_id(row.get(0)?));
    let Between { after: first, before: last } = between;
    match (order, trigram) {
        (UserOrder::Newest, trigram) => {
            let from = after.map_or(last, |after| after.id);
            match trigram {
                None => tx.rows(
                    "SELECT id FROM users WHERE id < $1 AND id > $2 ORDER BY id DESC LIMIT $3",
                    args![from, first, most],
                    by_id,
                ),
                Some(trigram) => tx.rows(
                    "SELECT user_id FROM user_trigrams WHERE trigram = $1 AND user_id < $2 AND user_id > $3 \
                     ORDER BY user_id DESC LIMIT $4",
                    args![trigram, from, first, most],
                    by_id,
                ),
            }
        }
        (UserOrder::Oldest, trigram) => {
            let from = after.map_or(first, |after| after.id);
            match trigram {
                None => tx.rows(
                    "SELECT id FROM users WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
                    args![from, last, most],
                    by_id,
                ),
                Some(trigram) => tx.rows(
                    "SELECT user_id FROM user_trigrams WHERE trigram = $1 AND user_id > $2 AND user_id < $3 \
                     ORDER BY user_id LIMIT $4",
                    args![trigram, from, last, most],
                    by_id,
                ),
            }
        }
        (UserOrder::Email | UserOrder::EmailDescending, _) => by_email(tx, order, after, most),
        (UserOrder::LatestSignIn | UserOrder::EarliestSignIn, _) => by_sign_in(tx, order, after, most),
    }
}

fn by_email(
    tx: &mut Tx<'_>,
    order: UserOrder,
    after: Option<&Place>,
    most: i64,
) -> Result<Vec<Place>, Fault> {
    let place = |row: &Row<'_>| Ok(Place { id: row.get(0)?, email_key: row.get(1)?, signed_in: 0 });
    let (sql, end) = if order == UserOrder::Email {
        ("SELECT id, email_key FROM users WHERE email_key > $1 ORDER BY email_key LIMIT $2", String::new())
    } else {
        (
            "SELECT id, email_key FROM users WHERE email_key < $1 ORDER BY email_key DESC LIMIT $2",
            char::MAX.to_string(),
        )
    };
    let from = after.map_or(end, |after| after.email_key.clone());
    tx.rows(sql, args![from, most], place)
}

/// In two statements: SQLite does not find the end of a pair in an index of an expression.
fn by_sign_in(
    tx: &mut Tx<'_>,
    order: UserOrder,
    after: Option<&Place>,
    most: i64,
) -> Result<Vec<Place>, Fault> {
    let place =
        |row: &Row<'_>| Ok(Place { id: row.get(0)?, email_key: String::new(), signed_in: row.get(1)? });
    let (same, others, end) = if order == UserOrder::LatestSignIn {
        (
            "SELECT id, COALESCE(last_sign_in_at, 0) FROM users WHERE COALESCE(last_sign_in_at, 0) = $1 AND id < $2 \
             ORDER BY id DESC LIMIT $3",
            "SELECT id, COALESCE(last_sign_in_at, 0) FROM users WHERE COALESCE(last_sign_in_at, 0) < $1 \
             ORDER BY COALESCE(last_sign_in_at, 0) DESC, id DESC LIMIT $2",
            i64::MAX,
        )
    } else {
        (
            "SELECT id, COALESCE(last_sign_in_at, 0) FROM users WHERE COALESCE(last_sign_in_at, 0) = $1 AND id > $2 \
             ORDER BY id LIMIT $3",
            "SELECT id, COALESCE(last_sign_in_at, 0) FROM users WHERE COALESCE(last_sign_in_at, 0) > $1 \
             ORDER BY COALESCE(last_sign_in_at, 0), id LIMIT $2",
            i64::MIN,
        )
    };
    let mut found = match after {
        None => Vec::new(),
        Some(after) => tx.rows(same, args![after.signed_in, after.id, most], place)?,
    };
    let room = most - i64::try_from(found.len()).unwrap_or(most);
    if room > 0 {
        let from = after.map_or(end, |after| after.signed_in);
        found.extend(tx.rows(others, args![from, room], place)?);
    }
    Ok(found)
}

/// Those of these users who are wanted, in no order.
pub(crate) fn matching(tx: &mut Tx<'_>, ids: &[UserId], wanted: &Wanted) -> Result<Vec<Place>, Fault> {
    let sql = concat!(
        "SELECT users.id, users.email_key, COALESCE(users.last_sign_in_at, 0) FROM users WHERE users.id IN (",
        group!(),
        ") AND CAST($51 AS BIGINT) <> CASE WHEN users.disabled_at IS NULL THEN 2 ELSE 1 END \
         AND (CAST($52 AS TEXT) = '' OR \
         replace(' ' || users.roles || ' ', ' ' || CAST($52 AS TEXT) || ' ', '') <> ' ' || users.roles || ' ') \
         AND users.created_at >= $53 AND users.created_at < $54 \
         AND COALESCE(users.last_sign_in_at, 0) >= $55 AND COALESCE(users.last_sign_in_at, 0) < $56 \
         AND (CAST($57 AS TEXT) = '' OR replace(",
        searched!(),
        ", CAST($57 AS TEXT), '') <> ",
        searched!(),
        ") AND CASE CAST($58 AS BIGINT) WHEN 0 THEN 1 WHEN 1 THEN CASE WHEN ",
        factors!("$59"),
        " = 0 THEN 1 ELSE 0 END WHEN 2 THEN ",
        factors!("$59"),
        " WHEN 3 THEN CAST($59 AS BIGINT) * (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = users.id) \
         ELSE (SELECT COUNT(*) FROM authenticators a WHERE a.user_id = users.id AND a.confirmed_at IS NOT NULL) END > 0"
    );
    let (status, factor, passkeys) =
        (wanted.status_code(), wanted.factor_code(), i64::from(wanted.with_passkeys));
    let role = wanted.role.as_ref().map_or("", RoleName::as_str);
    let needle = wanted.needle.as_ref().map_or("", Needle::as_str);
    let [created, created_end] = [wanted.created.first(), wanted.created.end()];
    let [signed_in, signed_in_end] = [wanted.signed_in.first(), wanted.signed_in.end()];
    let conditions =
        args![status, role, created, created_end, signed_in, signed_in_end, needle, factor, passkeys];
    let mut found = Vec::new();
    for ids in ids.chunks(GROUP) {
        let bound: Vec<Value<'_>> = filled(ids).chain(conditions.iter().copied()).collect();
        found.extend(tx.rows(sql, &bound, |row| {
            Ok(Place { id: row.get(0)?, email_key: row.get(1)?, signed_in: row.get(2)? })
        })?);
    }
    Ok(found)
}

/// These users, in no order. Those who are gone are left out.
pub(crate) fn read(tx: &mut Tx<'_>, ids: &[UserId], with_passkeys: bool) -> Result<Vec<ListedUser>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", users.last_sign_in_at, \
         CAST($51 AS BIGINT) * (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = users.id), \
         (SELECT COUNT(*) FROM authenticators a WHERE a.user_id = users.id AND a.confirmed_at IS NOT NULL) \
         FROM users WHERE users.id IN (",
        group!(),
        ")"
    );
    let passkeys = i64::from(with_passkeys);
    let mut found = Vec::new();
    for ids in ids.chunks(GROUP) {
        let bound: Vec<Value<'_>> = filled(ids).chain([passkeys.bind()]).collect();
        found.extend(tx.rows(sql, &bound, |row| {
            Ok(ListedUser {
                account: account(row)?,
                last_sign_in_at: row.get_opt(COLUMNS)?,
                has_passkey: row.get::<i64>(COLUMNS + 1)? > 0,
                has_authenticator: row.get::<i64>(COLUMNS + 2)? > 0,
            })
        })?);
    }
    Ok(found)
}

/// A group of ids, filled up with its last one.
fn filled(ids: &[UserId]) -> impl Iterator<Item = Value<'_>> {
    let filling = ids.last().into_iter().cycle().take(GROUP.saturating_sub(ids.len()));
    ids.iter().chain(filling).map(Bind::bind)
}

/// The user of this external id.
pub(crate) fn by_external_id(tx: &mut Tx<'_>, external_id: &str) -> Result<Option<UserId>, Fault> {
    tx.row("SELECT id FROM users WHERE external_id = $1", args![external_id], |row| row.get(0))
}

/// The last of the users that are looked at together, after `after`; `None` if the table ends before.
pub(crate) fn end_of_stretch(tx: &mut Tx<'_>, after: UserId) -> Result<Option<UserId>, Fault> {
    let sql = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
    tx.row(sql, args![after, LOOKED_AT_MAX - 1], |row| row.get(0))
}

/// How many users there are, counted to `most`.
pub(crate) fn count_all(tx: &mut Tx<'_>, most: i64) -> Result<i64, Fault> {
    tx.count("SELECT COUNT(*) FROM (SELECT 1 FROM users LIMIT $1) AS counted", args![most])
}

/// How many of the newest `among` users may sign in, counted to `most`.
pub(crate) fn count_active(tx: &mut Tx<'_>, among: i64, most: i64) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM (SELECT disabled_at FROM users ORDER BY id DESC LIMIT $1) AS newest \
               WHERE disabled_at IS NULL LIMIT $2) AS counted";
    tx.count(sql, args![among, most])
}
