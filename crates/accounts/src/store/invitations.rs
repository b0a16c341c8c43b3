//! The table `invitations`: addresses that were invited, and until they expire those that came.

use super::Tx;
use super::sql::{Row, args};
use crate::{Email, Fault, Invitation, InvitationId, Roles, Timestamp, UserName};

/// Takes the place of an earlier invitation of the address. The caller holds the lock of the address.
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

pub(crate) fn by_id(tx: &mut Tx<'_>, id: InvitationId) -> Result<Option<Invitation>, Fault> {
    tx.row(
        "SELECT id, email, email_key, user_name, roles, locale, invited_by, created_at, expires_at, accepted_at \
         FROM invitations WHERE id = $1",
        args![id],
        invitation,
    )
}

/// `false`: it is gone, late, or was accepted before (T4).
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
