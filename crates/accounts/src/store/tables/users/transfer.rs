//! Users that come from elsewhere, and all of them on their way out.

use super::{Credentials, Hash, account, credentials};
use crate::domain::ids::UserId;
use crate::domain::profile::external_id::ExternalId;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

pub(crate) fn by_external_id(tx: &mut Tx<'_>, id: &ExternalId) -> Result<Option<Credentials>, Fault> {
    tx.row(select!("WHERE users.external_id = $1"), args![id.as_str()], credentials)
}

pub(crate) fn set_external_id(tx: &mut Tx<'_>, id: UserId, external_id: &ExternalId) -> Result<(), Fault> {
    tx.execute("UPDATE users SET external_id = $2 WHERE id = $1", args![id, external_id.as_str()])?;
    Ok(())
}

/// Notes when the terms were accepted, unless they were accepted here.
pub(crate) fn accept_terms(tx: &mut Tx<'_>, id: UserId, at: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "UPDATE users SET terms_accepted_at = COALESCE(terms_accepted_at, $2) WHERE id = $1",
        args![id, at],
    )?;
    Ok(())
}

/// Replaces a hash of another program, or gives one to a user who has none and never signed in here. `false`: there is one of
/// ours, or the same, or the user removed theirs.
pub(crate) fn set_hash(tx: &mut Tx<'_>, id: UserId, hash: Hash<'_>) -> Result<bool, Fault> {
    let sql = "UPDATE users SET password_hash = $2, hash_class = $3 \
               WHERE id = $1 AND (hash_class IS NOT NULL OR (password_hash IS NULL AND last_sign_in_at IS NULL)) \
               AND COALESCE(password_hash, '') <> $2";
    Ok(tx.execute(sql, args![id, hash.text, hash.class])? == 1)
}

/// The first class of hashes of other programs after `after`, with one of its hashes.
pub(crate) fn next_hash_class(tx: &mut Tx<'_>, after: &str) -> Result<Option<(String, String)>, Fault> {
    let sql = "SELECT hash_class, password_hash FROM users WHERE hash_class IS NOT NULL AND hash_class > $1 \
               AND password_hash IS NOT NULL ORDER BY hash_class LIMIT 1";
    tx.row(sql, args![after], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(crate) fn count(tx: &mut Tx<'_>) -> Result<i64, Fault> {
    tx.count("SELECT COUNT(*) FROM users", args![])
}

/// A stretch of all users, oldest first, with their hashes.
pub(crate) fn page(
    tx: &mut Tx<'_>,
    after: UserId,
    limit: i64,
) -> Result<Vec<(Account, Option<String>)>, Fault> {
    let with_hash = |row: &Row<'_>| Ok((account(row)?, row.get_opt(9)?));
    tx.rows(select!("WHERE users.id > $1 ORDER BY users.id LIMIT $2"), args![after, limit], with_hash)
}
