//! What a user is called, which is also what users are searched by.

use super::search;
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::args;

/// The caller has the lock of the address and has seen that it is free. `false`: it was the user's already.
pub(crate) fn set_email(tx: &mut Tx<'_>, id: UserId, email: &Email, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE users SET email = $2, email_key = $3 WHERE id = $1 AND email <> $2",
        args![id, email.as_str(), email.key()],
    )?;
    tx.execute(
        "UPDATE users SET email_confirmed_at = $2, credential_version = credential_version + 1 WHERE id = $1",
        args![id, now],
    )?;
    search::index(tx, id)?;
    Ok(rows == 1)
}

/// `false`: the name, or one that looks like it, is taken.
pub(crate) fn set_name(tx: &mut Tx<'_>, id: UserId, name: &UserName) -> Result<bool, Fault> {
    let sql = "SELECT COUNT(*) FROM users WHERE (user_name_key = $1 OR user_name_skeleton = $2) AND id <> $3";
    if tx.count(sql, args![name.key(), name.skeleton(), id])? > 0 {
        return Ok(false);
    }
    tx.execute(
        "UPDATE users SET user_name = $2, user_name_key = $3, user_name_skeleton = $4 WHERE id = $1",
        args![id, name.as_str(), name.key(), name.skeleton()],
    )?;
    search::index(tx, id)?;
    Ok(true)
}

pub(crate) fn set_display_name(tx: &mut Tx<'_>, id: UserId, name: Option<&DisplayName>) -> Result<(), Fault> {
    let sql = "UPDATE users SET display_name = $2 WHERE id = $1";
    tx.execute(sql, args![id, name.map(DisplayName::as_str)])?;
    search::index(tx, id)
}
