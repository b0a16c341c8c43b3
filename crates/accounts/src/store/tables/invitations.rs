//! The table `invitations`: open invitations, and accepted ones until they expire.

use crate::domain::access::roles::Roles;
use crate::domain::email::Email;
use crate::domain::ids::InvitationId;
use crate::domain::invitation::Invitation;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// Replaces an earlier invitation of the address. The caller has the lock of the address.
pub(crate) fn replace(tx: &mut Tx<'_>, new: &Invitation) -> Result<(), Fault> {
    delete_of(tx, &new.email)?;
    tx.execute(
        "INSERT INTO invitations (id, email, email_key, user_name, roles, locale, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        args![
            new.id,
            new.email.as_str(),
            new.email.key(),
            new.user_name.as_ref().map(UserName::as_str),
            new.roles.names().join(" "),
            new.locale,
            new.invited_by,
            new.created_at,
            new.expires_at
        ],
    )?;
    Ok(())
}

/// The columns of an [`Invitation`], in the order that [`invitation`] reads them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, email, email_key, user_name, roles, locale, invited_by, created_at, expires_at, accepted_at \
             FROM invitations ",
            $rest
        )
    };
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: InvitationId) -> Result<Option<Invitation>, Fault> {
    tx.row(select!("WHERE id = $1"), args![id], invitation)
}

/// The invitation of an address that can still be accepted.
pub(crate) fn open_of(tx: &mut Tx<'_>, email: &Email, now: Timestamp) -> Result<Option<Invitation>, Fault> {
    let sql = select!("WHERE email_key = $1 AND accepted_at IS NULL AND expires_at > $2");
    tx.row(sql, args![email.key(), now], invitation)
}

/// `false`: it is gone, expired, or was accepted before (T4).
pub(crate) fn accept(tx: &mut Tx<'_>, id: InvitationId, now: Timestamp) -> Result<bool, Fault> {
    let sql =
        "UPDATE invitations SET accepted_at = $2 WHERE id = $1 AND accepted_at IS NULL AND expires_at > $2";
    Ok(tx.execute(sql, args![id, now])? == 1)
}

pub(crate) fn delete_of(tx: &mut Tx<'_>, email: &Email) -> Result<(), Fault> {
    tx.execute("DELETE FROM invitations WHERE email_key = $1", args![email.key()])?;
    Ok(())
}

pub(crate) fn sweep(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at <= $1 LIMIT $2)",
        args![now, limit],
    )
}

fn invitation(row: &Row<'_>) -> Result<Invitation, Fault> {
    Ok(Invitation {
        id: row.get(0)?,
        email: Email::from_stored(row.get(1)?, row.get(2)?),
        user_name: row.get_opt(3)?.map(UserName::from_stored),
        roles: Roles::from_stored(&row.get::<String>(4)?),
        locale: row.get_opt(5)?,
        invited_by: row.get_opt(6)?,
        created_at: row.get(7)?,
        expires_at: row.get(8)?,
        accepted_at: row.get_opt(9)?,
    })
}
