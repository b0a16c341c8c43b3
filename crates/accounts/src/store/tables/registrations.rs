//! The table `registrations`: sign-ups that wait, decoys, and those that recently became users.

use super::users::list::LOOKED_AT_MAX;
use crate::domain::email::Email;
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::user_data::UserData;
use crate::domain::registration::{OpenRegistration, Registration};
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, email, user_name, password_hash, locale, created_at, expires_at, decoy_at, activated_at, email_key, \
             crowded_at, display_name, data, imported_at, terms_accepted_at ",
            "FROM registrations ",
            $rest
        )
    };
}

/// A spent guess, and what to compare it with.
pub(crate) struct Spent {
    pub(crate) registration: RegistrationId,
    /// The mail that carries the code; `None` if none has been sent yet.
    pub(crate) code_mail: Option<MailId>,
    /// Guesses spent on this code, including this one.
    pub(crate) attempts: i64,
    pub(crate) decoy: bool,
}

pub(crate) fn insert(tx: &mut Tx<'_>, new: &Registration) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO registrations (id, email, email_key, user_name, password_hash, locale, created_at, expires_at, \
         decoy_at, crowded_at, code_attempts, display_name, data, imported_at, terms_accepted_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
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
            new.crowded_at,
            0_i64,
            new.display_name.as_ref().map(DisplayName::as_str),
            new.data.to_stored(),
            new.imported_at,
            new.terms_accepted_at
        ],
    )?;
    Ok(())
}

/// Sign-ups kept per address: as many as a day has mails, and some to spare.
const KEPT: i64 = 16;

/// The sign-ups of an address that have not expired, newest first, including those that became users.
pub(crate) fn of_email(tx: &mut Tx<'_>, email: &Email, now: Timestamp) -> Result<Vec<Registration>, Fault> {
    let sql = select!("WHERE email_key = $1 AND expires_at > $2 ORDER BY id DESC LIMIT $3");
    tx.rows(sql, args![email.key(), now, KEPT], registration)
}

/// From now on the link of this sign-up lets the owner of the mailbox choose the password.
pub(crate) fn crowd(tx: &mut Tx<'_>, id: RegistrationId, now: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE registrations SET crowded_at = $2 WHERE id = $1 AND crowded_at IS NULL";
    tx.execute(sql, args![id, now])?;
    Ok(())
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: RegistrationId) -> Result<Option<Registration>, Fault> {
    tx.row(select!("WHERE id = $1"), args![id], registration)
}

/// The first mail of an imported sign-up is about to be sent: it now ends at `end`. `false`: it does so, or was mailed, before.
pub(crate) fn begin(tx: &mut Tx<'_>, id: RegistrationId, end: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE registrations SET expires_at = $2 \
               WHERE id = $1 AND imported_at IS NOT NULL AND mailed_at IS NULL AND expires_at > $2";
    Ok(tx.execute(sql, args![id, end])? == 1)
}

/// Spends one guess, if the code has one left and still works. Before the first mail is sent no code can be right, but
/// a guess is spent all the same: a decoy must look like a sign-up whose mail is on its way (S3, C3).
pub(crate) fn spend_guess(
    tx: &mut Tx<'_>,
    id: RegistrationId,
    guesses: i64,
    now: Timestamp,
) -> Result<Option<Spent>, Fault> {
    tx.row(
        "UPDATE registrations SET code_attempts = code_attempts + 1 \
         WHERE id = $1 AND activated_at IS NULL AND expires_at > $2 AND code_attempts < $3 \
         AND (code_expires_at > $2 OR (code_expires_at IS NULL AND mailed_at IS NULL)) \
         RETURNING id, CASE WHEN code_expires_at > $2 THEN code_mail END, code_attempts, decoy_at",
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

/// What changes when a mail is sent.
pub(crate) struct SentMail {
    pub(crate) id: RegistrationId,
    pub(crate) mailed_at: Timestamp,
    /// The mail and the end of its code, if it carries one.
    pub(crate) code: Option<(MailId, Timestamp)>,
}

/// A mail is about to be sent: from now on its code is the one that counts, until `until`. A new code has fresh
/// guesses; the same code has three, however often it is mailed (C3). Returns until when the code counts if the mail is
/// not accepted after all: as before if it was sent before, else not at all.
pub(crate) fn code_leaves(
    tx: &mut Tx<'_>,
    id: RegistrationId,
    mail: MailId,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT code_mail, code_expires_at, mailed_at FROM registrations WHERE id = $1";
    let before = tx.row(sql, args![id], |row| {
        let (last, expires_at): (Option<MailId>, Option<Timestamp>) = (row.get_opt(0)?, row.get_opt(1)?);
        let mailed = row.get_opt::<Timestamp>(2)?.is_some();
        Ok(if last == Some(mail) { expires_at } else { mailed.then_some(now) })
    })?;
    tx.execute(
        "UPDATE registrations SET code_attempts = CASE WHEN code_mail = $2 THEN code_attempts ELSE 0 END, \
         code_mail = $2, code_expires_at = $3 WHERE id = $1",
        args![id, mail, until],
    )?;
    Ok(before.flatten())
}

/// Sets another end for the code of this mail, if it is still the one that counts.
pub(crate) fn code_lives(
    tx: &mut Tx<'_>,
    id: RegistrationId,
    mail: MailId,
    until: Option<Timestamp>,
) -> Result<(), Fault> {
    let sql = "UPDATE registrations SET code_expires_at = $3 WHERE id = $1 AND code_mail = $2";
    tx.execute(sql, args![id, mail, until])?;
    Ok(())
}

/// The relay has accepted a mail: its code is the one that counts, with fresh guesses if it is a new one.
pub(crate) fn handed_over(tx: &mut Tx<'_>, mail: &SentMail) -> Result<(), Fault> {
    tx.execute(
        "UPDATE registrations SET code_attempts = CASE WHEN code_mail = $3 THEN code_attempts ELSE 0 END, \
         mailed_at = $2, code_mail = $3, code_expires_at = $4 WHERE id = $1",
        args![mail.id, mail.mailed_at, mail.code.map(|(id, _)| id), mail.code.map(|(_, end)| end)],
    )?;
    Ok(())
}

/// Marks it activated. `false`: it is gone, expired, a decoy, or was activated before.
pub(crate) fn activate(tx: &mut Tx<'_>, id: RegistrationId, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE registrations SET activated_at = $2 \
         WHERE id = $1 AND activated_at IS NULL AND decoy_at IS NULL AND expires_at > $2",
        args![id, now],
    )?;
    Ok(rows == 1)
}

/// Signs in the browser that signed up, once. `false`: it is not activated, or that browser was signed in before.
pub(crate) fn claim(tx: &mut Tx<'_>, id: RegistrationId, now: Timestamp) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE registrations SET claimed_at = $2 \
         WHERE id = $1 AND activated_at IS NOT NULL AND claimed_at IS NULL AND expires_at > $2",
        args![id, now],
    )?;
    Ok(rows == 1)
}

/// Makes decoys of an address's open sign-ups once it is a user's: none of them can become another user, and those who
/// signed up cannot tell (S3).
pub(crate) fn make_decoys(tx: &mut Tx<'_>, email: &Email, now: Timestamp) -> Result<(), Fault> {
    tx.execute(
        "UPDATE registrations SET decoy_at = $2 \
         WHERE email_key = $1 AND activated_at IS NULL AND decoy_at IS NULL",
        args![email.key(), now],
    )?;
    Ok(())
}

/// Deletes the sign-up that became the user of an address, who is being deleted. Decoys stay: whoever made them must
/// not learn that the account is gone (S3).
pub(crate) fn delete_activated(tx: &mut Tx<'_>, email: &Email) -> Result<(), Fault> {
    let sql = "DELETE FROM registrations WHERE email_key = $1 AND activated_at IS NOT NULL";
    tx.execute(sql, args![email.key()])?;
    Ok(())
}

/// Open sign-ups, newest first, from before `before`.
pub(crate) fn open_before(
    tx: &mut Tx<'_>,
    before: RegistrationId,
    now: Timestamp,
    limit: i64,
) -> Result<(Vec<OpenRegistration>, Option<RegistrationId>), Fault> {
    let sql = "SELECT id FROM registrations WHERE id < $1 ORDER BY id DESC LIMIT 1 OFFSET $2";
    let end: Option<RegistrationId> = tx.row(sql, args![before, LOOKED_AT_MAX - 1], |row| row.get(0))?;
    let last = end.unwrap_or(RegistrationId::from_bytes([0; 16]));
    let found = tx.rows(
        "SELECT id, email, email_key, user_name, locale, created_at, expires_at, mailed_at, decoy_at \
         FROM registrations WHERE id < $1 AND id >= $2 AND expires_at > $3 AND activated_at IS NULL ORDER BY id DESC LIMIT $4",
        args![before, last, now, limit],
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
    )?;
    Ok((found, end))
}

/// How many sign-ups are open, counted up to `most`.
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
        crowded_at: row.get_opt(10)?,
        display_name: row.get_opt(11)?.map(DisplayName::from_stored),
        data: UserData::from_stored(row.get_opt(12)?),
        imported_at: row.get_opt(13)?,
        terms_accepted_at: row.get_opt(14)?,
    })
}
