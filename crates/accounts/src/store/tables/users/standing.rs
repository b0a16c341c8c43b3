//! What decides whether proofs are enough for a session.

use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::policy::factors::RequireFactor;
use crate::store::Tx;
use crate::store::sql::args;

/// A user as the door sees it.
pub(crate) struct Standing {
    pub(crate) credential_version: i64,
    pub(crate) disabled: bool,
    /// The names of its roles.
    pub(crate) roles: Vec<String>,
    /// From when on a session needs a second factor, where the policy demands one.
    pub(crate) factor_due_at: Option<Timestamp>,
    pub(crate) has_password: bool,
    /// An authenticator app whose first code was given.
    pub(crate) has_authenticator: bool,
    pub(crate) passkeys: i64,
    pub(crate) recovery_codes: i64,
}

impl Standing {
    /// Whether there is a second factor, recovery codes aside: they are of no use without one.
    pub(crate) fn has_factor(&self) -> bool {
        self.has_authenticator || self.passkeys > 0
    }
}

/// Passkeys count where there are any here.
pub(crate) fn of(tx: &mut Tx<'_>, user: UserId, with_passkeys: bool) -> Result<Option<Standing>, Fault> {
    tx.row(
        "SELECT credential_version, disabled_at, roles, factor_due_at, \
         CAST(CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT), \
         (SELECT COUNT(*) FROM authenticators a WHERE a.user_id = users.id AND a.confirmed_at IS NOT NULL), \
         (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = users.id), \
         (SELECT COUNT(*) FROM recovery_codes r WHERE r.user_id = users.id AND r.used_at IS NULL) \
         FROM users WHERE id = $1",
        args![user],
        |row| {
            Ok(Standing {
                credential_version: row.get(0)?,
                disabled: row.get_opt::<Timestamp>(1)?.is_some(),
                roles: row.get::<String>(2)?.split_whitespace().map(str::to_owned).collect(),
                factor_due_at: row.get_opt(3)?,
                has_password: row.get::<i64>(4)? != 0,
                has_authenticator: row.get::<i64>(5)? != 0,
                passkeys: if with_passkeys { row.get(6)? } else { 0 },
                recovery_codes: row.get(7)?,
            })
        },
    )
}

/// Of the users who may sign in, the newest `most`: how many have a second factor.
pub(crate) fn count_with_factor(tx: &mut Tx<'_>, with_passkeys: bool, most: i64) -> Result<i64, Fault> {
    let sql = concat!(
        "SELECT COUNT(*) FROM (SELECT ",
        factors!("$1"),
        " AS factors FROM users WHERE disabled_at IS NULL ORDER BY id DESC LIMIT $2) AS looked_at WHERE factors > 0"
    );
    tx.count(sql, args![i64::from(with_passkeys), most])
}

/// How many administrators who may sign in have no second factor, counted to `most`.
pub(crate) fn count_admins_without_factor(
    tx: &mut Tx<'_>,
    with_passkeys: bool,
    most: i64,
) -> Result<i64, Fault> {
    let sql = concat!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE roles <> '' AND ' ' || roles || ' ' LIKE '% admin %' \
         AND disabled_at IS NULL AND ",
        factors!("$1"),
        " = 0 LIMIT $2) AS counted"
    );
    tx.count(sql, args![i64::from(with_passkeys), most])
}

/// Which users are to be found whose due time is not as the policy wants it.
pub(crate) struct OutOfStep {
    pub(crate) demanded: RequireFactor,
    pub(crate) with_passkeys: bool,
    /// Where nothing is demanded any more, only times before this one are found.
    pub(crate) due_before: Timestamp,
    pub(crate) limit: i64,
}

/// Users after `after`, up to `end` or the last one: those of whom a second factor is demanded and who have neither one nor a
/// due time, unless they are disabled; and those of whom none is demanded, with a time that has long passed.
pub(crate) fn out_of_step(
    tx: &mut Tx<'_>,
    after: UserId,
    end: Option<UserId>,
    which: &OutOfStep,
) -> Result<Vec<UserId>, Fault> {
    let demanded = match which.demanded {
        RequireFactor::Off => 0_i64,
        RequireFactor::Admins => 1,
        RequireFactor::All => 2,
    };
    let last = end.unwrap_or(UserId::from_bytes([0xff; 16]));
    let passkeys = i64::from(which.with_passkeys);
    let sql = concat!(
        "SELECT id FROM users WHERE id > $1 AND id <= $2 AND CASE WHEN CAST($3 AS BIGINT) = 2 \
         OR (CAST($3 AS BIGINT) = 1 AND ' ' || roles || ' ' LIKE '% admin %') \
         THEN factor_due_at IS NULL AND disabled_at IS NULL AND ",
        factors!("$4"),
        " = 0 ELSE factor_due_at < $5 END ORDER BY id LIMIT $6"
    );
    tx.rows(sql, args![after, last, demanded, passkeys, which.due_before, which.limit], |row| row.get(0))
}
