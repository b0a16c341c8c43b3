//! The table `registrations`: sign-ups that wait, decoys, and those that became users lately.

use super::Tx;
use super::sql::{Row, args};
use crate::domain::registration::Registration;
use crate::{Email, Fault, MailId, OpenRegistration, RegistrationId, Timestamp, UserName};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, email, user_name, password_hash, locale, created_at, expires_at, decoy_at, activated_at, email_key ",
            "FROM registrations ",
            $rest
        )
    };
}

/// A guess that was spent, and what it is to be compared with.
pub(crate) struct Spent {
    pub(crate) registration: RegistrationId,
    /// The mail that carried the code; none was handed over yet where it is `None`.
    pub(crate) code_mail: Option<MailId>,
    /// Guesses spent on this code, this one included.
    pub(crate) attempts: i64,
    pub(crate) decoy: bool,
}

pub(crate) fn insert(tx: &mut Tx<'_>, new: &Registration) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO registrations (id, email, email_key, user_name, password_hash, locale, created_at, expires_at, \
         decoy_at, code_attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        args![
            new.id,
            new.email.as_str(),
            new.email.key(),
            new.user_name.as_ref().map(UserName::as_str),
            new.password_hash,
            new.locale,
            new.created_at,
            new.expires_at,
            new.decoy_at,
            0_i64
        ],
    )?;
    Ok(())
}

/// The newest sign-ups of an address that have not expired, those that became users included.
pub(crate) fn of_email(
    tx: &mut Tx<'_>,
    email: &Email,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Registration>, Fault> {
    let sql = select!("WHERE email_key = $1 AND expires_at > $2 ORDER BY id DESC LIMIT $3");
    tx.rows(sql, args![email.key(), now, limit], registration)
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: RegistrationId) -> Result<Option<Registration>, Fault> {
    tx.row(select!("WHERE id = $1"), args![id], registration)
}

/// Deletes the open sign-ups of an address that are not among its newest `keep`. One that became a user keeps its place,
/// so that nobody learns of it (S3).
pub(crate) fn displace(tx: &mut Tx<'_>, email: &Email, keep: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM registrations WHERE email_key = $1 AND activated_at IS NULL AND id NOT IN \
         (SELECT id FROM registrations WHERE email_key = $1 ORDER BY id DESC LIMIT $2)",
        args![email.key(), keep],
    )
}

/// Spends one guess, if the code has one left and still works. Before the first mail was handed over there is no code,
/// but a guess is spent all the same: a decoy must look like a sign-up whose mail is on its way (S3, C3).
pub(crate) fn spend_guess(
    tx: &mut Tx<'_>,
    id: RegistrationId,
    guesses: i64,
    now: Timestamp,
) -> Result<Option<Spent>, Fault> {
    tx.row(
        "UPDATE registrations SET code_attempts = code_attempts + 1 \
         WHERE id = $1 AND activated_at IS NULL AND expires_at > $2 AND code_attempts < $3 \
         AND (mailed_at IS NULL OR code_expires_at > $2) RETURNING id, code_mail, code_attempts, decoy_at",
        args![id, now, guesses],
        |row| {
            Ok(Spent {
                registration: row.get(0)?,
                code_mail: row.get_opt(1)?,
                attempts: row.get(2)?,
                decoy: row.get_opt::<Timestamp>(3)?.is_some(),
            })
        },
    )
}

/// What the hand-over of a mail changes.
pub(crate) struct HandedOver {
    pub(crate) id: RegistrationId,
    pub(crate) mailed_at: Timestamp,
    /// The mail and the end of its code, where it carries one.
    pub(crate) code: Option<(MailId, Timestamp)>,
}

/// From now on the code of this mail is the one that counts, with fresh guesses.
pub(crate) fn handed_over(tx: &mut Tx<'_>, mail: &HandedOver) -> Result<(), Fault> {
    tx.execute(
        "UPDATE registrations SET mailed_at = $2, code_mail = $3, code_expires_at = $4, code_attempts = $5 WHERE id = $1",
        args![mail.id, mail.mailed_at, mail.code.map(|(id, _)| id), mail.code.map(|(_, end)| end), 0_i64],
    )?;
    Ok(())
}

/// `false`: it is gone, late, a decoy, or was activated before.
pub(crate) fn activate(tx: &mut Tx<'_>, id: RegistrationId, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE registrations SET activated_at = $2 \
         WHERE id = $1 AND activated_at IS NULL AND decoy_at IS NULL AND expires_at > $2",
        args![id, now],
    )?;
    Ok(rows == 1)
}

/// `false`: it is not activated, or the browser that signed up was signed in before.
pub(crate) fn claim(tx: &mut Tx<'_>, id: RegistrationId, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE registrations SET claimed_at = $2 \
         WHERE id = $1 AND activated_at IS NOT NULL AND claimed_at IS NULL AND expires_at > $2",
        args![id, now],
    )?;
    Ok(rows == 1)
}

/// Makes the open sign-ups of an address that has just become a user's decoys: none can become another, and whoever
/// signed up cannot tell (S3).
pub(crate) fn make_decoys(tx: &mut Tx<'_>, email: &Email, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "UPDATE registrations SET decoy_at = $2 \
         WHERE email_key = $1 AND activated_at IS NULL AND decoy_at IS NULL",
        args![email.key(), now],
    )?;
    Ok(())
}

/// Deletes the sign-up that became the user of an address, who is deleted. Decoys stay: that their account is gone is
/// not for those who made them to know (S3).
pub(crate) fn delete_activated(tx: &mut Tx<'_>, email: &Email) -> Result<(), Fault> {
    let sql = "DELETE FROM registrations WHERE email_key = $1 AND activated_at IS NOT NULL";
    tx.execute(sql, args![email.key()])?;
    Ok(())
}

/// Sign-ups that wait, newest first, from before `before`.
pub(crate) fn open_before(
    tx: &mut Tx<'_>,
    before: RegistrationId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<OpenRegistration>, Fault> {
    tx.rows(
        "SELECT id, email, email_key, user_name, locale, created_at, expires_at, mailed_at, decoy_at \
         FROM registrations WHERE id < $1 AND expires_at > $2 AND activated_at IS NULL ORDER BY id DESC LIMIT $3",
        args![before, now, limit],
        |row| {
            Ok(OpenRegistration {
                id: row.get(0)?,
                email: Email::from_stored(row.get(1)?, row.get(2)?),
                user_name: row.get_opt(3)?.map(UserName::from_stored),
                locale: row.get_opt(4)?,
                created_at: row.get(5)?,
                expires_at: row.get(6)?,
                mailed_at: row.get_opt(7)?,
                decoy: row.get_opt::<Timestamp>(8)?.is_some(),
            })
        },
    )
}

/// How many sign-ups wait, counted to `most`.
pub(crate) fn count_open(tx: &mut Tx<'_>, now: Timestamp, most: i64) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM \
               (SELECT 1 FROM registrations WHERE expires_at > $1 AND activated_at IS NULL LIMIT $2) AS counted";
    tx.count(sql, args![now, most])
}

pub(crate) fn sweep(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM registrations WHERE id IN (SELECT id FROM registrations WHERE expires_at <= $1 LIMIT $2)",
        args![now, limit],
    )
}

fn registration(row: &Row<'_>) -> Result<Registration, Fault> {
    Ok(Registration {
        id: row.get(0)?,
        email: Email::from_stored(row.get(1)?, row.get(9)?),
        user_name: row.get_opt(2)?.map(UserName::from_stored),
        password_hash: row.get(3)?,
        locale: row.get_opt(4)?,
        created_at: row.get(5)?,
        expires_at: row.get(6)?,
        decoy_at: row.get_opt(7)?,
        activated_at: row.get_opt(8)?,
    })
}
