//! Pages of the list of users. Each looks at a bounded stretch of the table, however few of its rows match.

use super::{account, count_disabled};
use crate::domain::ids::UserId;
use crate::domain::user::{Account, FactorStatus, UserStatus};
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// Rows looked at per page: some 20 ms of work.
pub(crate) const LOOKED_AT_MAX: i64 = 10_000;

/// The matching rows of a stretch.
pub(crate) struct Stretch<P> {
    pub(crate) found: Vec<Account>,
    /// The last row looked at, if the list may continue after it.
    pub(crate) end: Option<P>,
}

/// Which users are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) status: Option<UserStatus>,
    pub(crate) second_factor: Option<FactorStatus>,
    /// Whether passkeys count as second factors.
    pub(crate) with_passkeys: bool,
}

impl Wanted {
    /// As the statements take it: 1 is active only, 2 disabled only, 0 all; 1 is without a second factor only, 2 with one
    /// only, 0 all; and 1 if passkeys count.
    fn codes(self) -> (i64, i64, i64) {
        let status = match self.status {
            None => 0,
            Some(UserStatus::Active) => 1,
            Some(UserStatus::Disabled) => 2,
        };
        let factor = match self.second_factor {
            None => 0,
            Some(FactorStatus::None) => 1,
            Some(FactorStatus::Any) => 2,
        };
        (status, factor, i64::from(self.with_passkeys))
    }
}

/// A range of keys: from `from` (included) to `to` (not included), after `after`.
#[derive(Clone, Copy)]
pub(crate) struct KeyRange<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) after: &'a str,
    pub(crate) wanted: Wanted,
}

/// The condition of a status.
macro_rules! of_status {
    ($status:literal) => {
        concat!("CAST(", $status, " AS BIGINT) <> CASE WHEN users.disabled_at IS NULL THEN 2 ELSE 1 END ")
    };
}

/// The condition of a second factor: nothing is counted where all are wanted.
macro_rules! of_factor {
    ($factor:literal, $with_passkeys:literal) => {
        concat!(
            "CAST(",
            $factor,
            " AS BIGINT) <> CASE WHEN CAST(",
            $factor,
            " AS BIGINT) = 0 THEN 3 WHEN ",
            factors!($with_passkeys),
            " = 0 THEN 2 ELSE 1 END "
        )
    };
}

/// Users in the order of their ids, from after `after`.
pub(crate) fn by_id(
    tx: &mut Tx<'_>,
    after: UserId,
    wanted: Wanted,
    limit: i64,
) -> Result<Stretch<UserId>, Fault> {
    let all = |found| Ok(Stretch { found, end: None });
    match (wanted.status, wanted.second_factor) {
        (None, None) => {
            let sql = select!("WHERE users.id > $1 ORDER BY users.id LIMIT $2");
            all(tx.rows(sql, args![after, limit], account)?)
        }
        (Some(UserStatus::Disabled), None) => {
            let sql =
                select!("WHERE users.id > $1 AND users.disabled_at IS NOT NULL ORDER BY users.id LIMIT $2");
            all(tx.rows(sql, args![after, limit], account)?)
        }
        (Some(UserStatus::Active), _) | (_, Some(_)) => {
            let end = end_of_stretch(tx, after)?;
            let last = end.unwrap_or(UserId::from_bytes([0xff; 16]));
            let sql = select!(
                "WHERE users.id > $1 AND users.id <= $2 AND ",
                of_status!("$3"),
                "AND ",
                of_factor!("$4", "$5"),
                "ORDER BY users.id LIMIT $6"
            );
            let (status, factor, passkeys) = wanted.codes();
            let found = tx.rows(sql, args![after, last, status, factor, passkeys, limit], account)?;
            Ok(Stretch { found, end })
        }
    }
}

/// The last of the users that are looked at together, after `after`; `None` if the table ends before.
pub(crate) fn end_of_stretch(tx: &mut Tx<'_>, after: UserId) -> Result<Option<UserId>, Fault> {
    let sql = "SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
    tx.row(sql, args![after, LOOKED_AT_MAX - 1], |row| row.get(0))
}

/// Users whose email key is in the range, in the order of the keys.
pub(crate) fn by_email(tx: &mut Tx<'_>, range: KeyRange<'_>, limit: i64) -> Result<Stretch<String>, Fault> {
    let wanted = range.wanted;
    if wants_few(tx, wanted.status)? {
        let sql = select!(
            "WHERE users.id IN (SELECT id FROM users WHERE disabled_at IS NOT NULL) \
             AND users.email_key || '' >= $1 AND users.email_key || '' < $2 AND users.email_key || '' > $3 AND ",
            of_factor!("$4", "$5"),
            "ORDER BY users.email_key || '' LIMIT $6"
        );
        let (_, factor, passkeys) = wanted.codes();
        let found =
            tx.rows(sql, args![range.from, range.to, range.after, factor, passkeys, limit], account)?;
        return Ok(Stretch { found, end: None });
    }
    let sql = "SELECT email_key FROM users WHERE email_key >= $1 AND email_key < $2 AND email_key > $3 \
               ORDER BY email_key LIMIT 1 OFFSET $4";
    let end: Option<String> =
        tx.row(sql, args![range.from, range.to, range.after, LOOKED_AT_MAX - 1], |row| row.get(0))?;
    let last = end.as_deref().unwrap_or(range.to);
    let sql = select!(
        "WHERE users.email_key >= $1 AND users.email_key < $2 AND users.email_key > $3 AND users.email_key <= $4 AND ",
        of_status!("$5"),
        "AND ",
        of_factor!("$6", "$7"),
        "ORDER BY users.email_key LIMIT $8"
    );
    let (status, factor, passkeys) = wanted.codes();
    let (from, to, after) = (range.from, range.to, range.after);
    let found = tx.rows(sql, args![from, to, after, last, status, factor, passkeys, limit], account)?;
    Ok(Stretch { found, end })
}

/// Users whose user-name key is in the range and whose email key is not, in the order of the names.
pub(crate) fn by_name(tx: &mut Tx<'_>, range: KeyRange<'_>, limit: i64) -> Result<Stretch<String>, Fault> {
    let wanted = range.wanted;
    if wants_few(tx, wanted.status)? {
        let sql = select!(
            "WHERE users.id IN (SELECT id FROM users WHERE disabled_at IS NOT NULL) \
             AND users.user_name_key || '' >= $1 AND users.user_name_key || '' < $2 AND users.user_name_key || '' > $3 \
             AND NOT (users.email_key || '' >= $1 AND users.email_key || '' < $2) AND ",
            of_factor!("$4", "$5"),
            "ORDER BY users.user_name_key || '' LIMIT $6"
        );
        let (_, factor, passkeys) = wanted.codes();
        let found =
            tx.rows(sql, args![range.from, range.to, range.after, factor, passkeys, limit], account)?;
        return Ok(Stretch { found, end: None });
    }
    let sql = "SELECT user_name_key FROM users WHERE user_name_key >= $1 AND user_name_key < $2 \
               AND user_name_key > $3 ORDER BY user_name_key LIMIT 1 OFFSET $4";
    let end: Option<String> =
        tx.row(sql, args![range.from, range.to, range.after, LOOKED_AT_MAX - 1], |row| row.get(0))?;
    let last = end.as_deref().unwrap_or(range.to);
    let sql = select!(
        "WHERE users.user_name_key >= $1 AND users.user_name_key < $2 AND users.user_name_key > $3 \
         AND users.user_name_key <= $4 AND NOT (users.email_key >= $1 AND users.email_key < $2) AND ",
        of_status!("$5"),
        "AND ",
        of_factor!("$6", "$7"),
        "ORDER BY users.user_name_key LIMIT $8"
    );
    let (status, factor, passkeys) = wanted.codes();
    let (from, to, after) = (range.from, range.to, range.after);
    let found = tx.rows(sql, args![from, to, after, last, status, factor, passkeys, limit], account)?;
    Ok(Stretch { found, end })
}

/// Whether only disabled users are wanted, and all of them are fewer than a page looks at: then they are read instead
/// of the range, where they may be a million rows apart. An expression instead of a column makes the databases use that
/// plan.
fn wants_few(tx: &mut Tx<'_>, status: Option<UserStatus>) -> Result<bool, Fault> {
    Ok(status == Some(UserStatus::Disabled) && count_disabled(tx, LOOKED_AT_MAX)? < LOOKED_AT_MAX)
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;
    use crate::policy::DatabasePolicy;
    use crate::store::sqlite::steps;
    use crate::store::tables::users::standing::count_with_factor;
    use crate::store::{Store, migrations};

    const USERS: i64 = 30_000;
    /// Steps of SQLite's virtual machine, for a row that is looked at, and for one that is read.
    const STEPS: i64 = 40;
    /// And for a row whose second factors are counted.
    const STEPS_WITH_FACTORS: i64 = 80;

    /// Users whose addresses and names begin alike, one in `disabled_one_in` of them disabled.
    async fn store(disabled_one_in: i64) -> Store {
        let store =
            Store::open(&Secret::from("sqlite::memory:"), &DatabasePolicy::default(), true).await.unwrap();
        for script in &migrations::SCRIPTS {
            let text = migrations::text(&store, script.up);
            store.write(move |tx| tx.script(&text)).await.unwrap();
        }
        let fill = move |tx: &mut Tx<'_>| {
            tx.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
                 INSERT INTO users (id, email, email_key, user_name, user_name_key, user_name_skeleton, password_hash, \
                 roles, email_confirmed_at, created_at, disabled_at) \
                 SELECT CAST(printf('%016d', i) AS BLOB), key || '@example.org', key || '@example.org', key, key, key, '', '', 0, 0, \
                 CASE WHEN i % $2 = 0 THEN 1 END FROM (SELECT i, printf('user%06d', i) AS key FROM n)",
                args![USERS, disabled_one_in],
            )
        };
        assert_eq!(store.write(fill).await.unwrap(), u64::try_from(USERS).unwrap());
        store
    }

    /// The result of listing users, and the steps it took.
    async fn find(store: &Store, wanted: Wanted, by_name: bool) -> (usize, Option<String>, i64) {
        let read = move |tx: &mut Tx<'_>| {
            steps::take();
            let range = KeyRange { from: "user", to: "uses", after: "", wanted };
            let list = if by_name { by_name_of(tx, range) } else { by_email(tx, range, 51) }?;
            Ok::<_, Fault>((list.found.len(), list.end, steps::take()))
        };
        store.read(read).await.unwrap()
    }

    fn by_name_of(tx: &mut Tx<'_>, range: KeyRange<'_>) -> Result<Stretch<String>, Fault> {
        by_name(tx, range, 51)
    }

    // A page costs what its stretch costs, however few rows match and however many there are.
    #[tokio::test]
    async fn a_page_looks_at_a_bounded_number_of_rows() {
        use UserStatus::{Active, Disabled};
        let (few, many, all) = (store(USERS).await, store(2).await, store(1).await);
        let only = |status| Wanted { status, second_factor: None, with_passkeys: true };
        for (store, status, by_name, found, goes_on) in [
            (&few, Some(Disabled), false, 1, false),
            (&few, Some(Active), false, 51, true),
            (&many, Some(Disabled), false, 51, true),
            (&all, Some(Active), false, 0, true),
            // A user whose address is in the range as well was listed before.
            (&few, None, true, 0, true),
            (&few, Some(Disabled), true, 0, false),
            (&all, Some(Disabled), true, 0, true),
        ] {
            let (number, end, steps) = find(store, only(status), by_name).await;
            assert_eq!((number, end.is_some()), (found, goes_on), "{status:?} {by_name}");
            assert!(steps <= STEPS * LOOKED_AT_MAX, "{status:?} {by_name}: {steps} steps");
        }
        let active = move |tx: &mut Tx<'_>| {
            steps::take();
            let list = by_id(tx, UserId::from_bytes([0; 16]), only(Some(Active)), 51)?;
            Ok::<_, Fault>((list.found.len(), list.end.is_some(), steps::take()))
        };
        let (found, goes_on, steps) = all.read(active).await.unwrap();
        assert_eq!((found, goes_on), (0, true));
        assert!(steps <= STEPS * LOOKED_AT_MAX, "{steps} steps");
    }

    // Nobody here has a second factor, so that whoever asks for users with one looks at whole stretches.
    #[tokio::test]
    async fn a_page_by_second_factor_looks_at_a_bounded_number_of_rows() {
        let store = store(USERS).await;
        let with = Wanted { status: None, second_factor: Some(FactorStatus::Any), with_passkeys: true };
        for by_name in [false, true] {
            let (found, end, steps) = find(&store, with, by_name).await;
            assert_eq!((found, end.is_some()), (0, true), "{by_name}");
            assert!(steps <= STEPS_WITH_FACTORS * LOOKED_AT_MAX, "{by_name}: {steps} steps");
        }
        let read = move |tx: &mut Tx<'_>| {
            steps::take();
            let list = by_id(tx, UserId::from_bytes([0; 16]), with, 51)?;
            Ok::<_, Fault>((list.found.len(), list.end.is_some(), steps::take()))
        };
        let (found, goes_on, steps) = store.read(read).await.unwrap();
        assert_eq!((found, goes_on), (0, true));
        assert!(steps <= STEPS_WITH_FACTORS * LOOKED_AT_MAX, "{steps} steps");
        let count = |tx: &mut Tx<'_>| {
            steps::take();
            Ok::<_, Fault>((count_with_factor(tx, true, LOOKED_AT_MAX)?, steps::take()))
        };
        let (counted, steps) = store.read(count).await.unwrap();
        assert_eq!(counted, 0);
        assert!(steps <= STEPS_WITH_FACTORS * LOOKED_AT_MAX, "{steps} steps");
        let without = Wanted { second_factor: Some(FactorStatus::None), ..with };
        assert_eq!(find(&store, without, false).await.0, 51);
    }
}
