//! The table `users`.

use super::sessions::{self, SessionState};
use crate::domain::access::roles::Roles;
use crate::domain::email::Email;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::external_id::ExternalId;
use crate::domain::profile::user_data::UserData;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_list::search_text::SearchText;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// The columns of [`Credentials`], in the order that [`credentials`] reads them.
macro_rules! columns {
    () => {
        "users.id, users.email, users.user_name, users.email_confirmed_at, users.created_at, users.disabled_at, users.locale, users.roles, \
         users.email_key, users.password_hash, users.credential_version, users.factor_due_at, \
         users.display_name, users.data, users.app_data, users.external_id, users.terms_accepted_at"
    };
}

/// How many they are: the place of the first column after them.
const COLUMNS: usize = 17;

macro_rules! select {
    ($($rest:expr),* $(,)?) => {
        concat!("SELECT ", columns!(), " FROM users ", $($rest),*)
    };
}

/// How many second factors a user has: passkeys count where the parameter is 1, and not where it is 0. Counted one user at a
/// time, so that no database reads the whole tables for it.
macro_rules! factors {
    ($with_passkeys:literal) => {
        concat!(
            "((SELECT COUNT(*) FROM authenticators a WHERE a.user_id = users.id AND a.confirmed_at IS NOT NULL) + CAST(",
            $with_passkeys,
            " AS BIGINT) * (SELECT COUNT(*) FROM passkeys p WHERE p.user_id = users.id))"
        )
    };
}

pub(crate) mod data;
pub(crate) mod find;
pub(crate) mod list;
pub(crate) mod names;
pub(crate) mod search;
pub(crate) mod standing;
#[cfg(feature = "import")]
pub(crate) mod transfer;

/// A user together with their credentials.
#[derive(Clone)]
pub(crate) struct Credentials {
    pub(crate) account: Account,
    /// `None`: this user signs in in other ways.
    pub(crate) password_hash: Option<String>,
    /// Grows with every change of the password, the address or the factors.
    pub(crate) credential_version: i64,
    /// From when on a session needs a second factor, where the policy demands one.
    pub(crate) factor_due_at: Option<Timestamp>,
}

/// The outcome of inserting a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    Yes,
    EmailTaken,
    UserNameTaken,
}

/// A hash as it is stored, and its class where it takes longer than ours.
#[derive(Clone, Copy)]
pub(crate) struct Hash<'a> {
    pub(crate) text: &'a str,
    pub(crate) class: Option<&'a str>,
}

/// Inserts a user with everything that is known about them. `false`: the address, the name or the external id is taken, and
/// nothing is written.
pub(crate) fn insert_with(tx: &mut Tx<'_>, user: &Account, hash: Option<Hash<'_>>) -> Result<bool, Fault> {
    let name = user.user_name.as_ref();
    let text = SearchText::of(&user.email, name, user.display_name.as_ref());
    let rows = tx.execute(
        "INSERT INTO users (id, email, email_key, user_name, user_name_key, user_name_skeleton, password_hash, \
         hash_class, roles, locale, email_confirmed_at, created_at, disabled_at, display_name, data, app_data, \
         external_id, terms_accepted_at, search_text) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
         ON CONFLICT DO NOTHING",
        args![
            user.id,
            user.email.as_str(),
            user.email.key(),
            name.map(UserName::as_str),
            name.map(UserName::key),
            name.map(UserName::skeleton),
            hash.map(|hash| hash.text),
            hash.and_then(|hash| hash.class),
            user.roles.join(" "),
            user.locale,
            user.email_confirmed_at,
            user.created_at,
            user.disabled_at,
            user.display_name.as_ref().map(DisplayName::as_str),
            user.data.to_stored(),
            user.app_data.to_stored(),
            user.external_id.as_ref().map(ExternalId::as_str),
            user.terms_accepted_at,
            text.as_str()
        ],
    )?;
    if rows == 1 {
        search::add(tx, user.id, &text)?;
    }
    Ok(rows == 1)
}

/// Inserts a user with a hash of ours unless the address or the name is taken; then nothing is written.
pub(crate) fn insert(tx: &mut Tx<'_>, user: &Account, password_hash: &str) -> Result<Inserted, Fault> {
    if insert_with(tx, user, Some(Hash { text: password_hash, class: None }))? {
        return Ok(Inserted::Yes);
    }
    Ok(if email_exists(tx, &user.email)? { Inserted::EmailTaken } else { Inserted::UserNameTaken })
}

pub(crate) fn email_exists(tx: &mut Tx<'_>, email: &Email) -> Result<bool, Fault> {
    Ok(tx.count("SELECT COUNT(*) FROM users WHERE email_key = $1", args![email.key()])? > 0)
}

/// Whether the name, or one that looks like it, is taken.
pub(crate) fn name_exists(tx: &mut Tx<'_>, name: &UserName) -> Result<bool, Fault> {
    let sql = "SELECT COUNT(*) FROM users WHERE user_name_key = $1 OR user_name_skeleton = $2";
    Ok(tx.count(sql, args![name.key(), name.skeleton()])? > 0)
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: UserId) -> Result<Option<Credentials>, Fault> {
    tx.row(select!("WHERE users.id = $1"), args![id], credentials)
}

pub(crate) fn by_email(tx: &mut Tx<'_>, email: &Email) -> Result<Option<Credentials>, Fault> {
    tx.row(select!("WHERE users.email_key = $1"), args![email.key()], credentials)
}

pub(crate) fn by_name(tx: &mut Tx<'_>, name: &UserName) -> Result<Option<Credentials>, Fault> {
    tx.row(select!("WHERE users.user_name_key = $1"), args![name.key()], credentials)
}

/// What a token check asks for.
pub(crate) struct OfSession {
    pub(crate) account: Account,
    pub(crate) factor_due_at: Option<Timestamp>,
    pub(crate) state: SessionState,
}

/// The user and the state of a session, unless the key that signed its token is retired.
pub(crate) fn of_session(
    tx: &mut Tx<'_>,
    session: SessionId,
    key: &str,
    now: Timestamp,
) -> Result<Option<OfSession>, Fault> {
    tx.row(
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            sessions::state_columns!(),
            " FROM users JOIN sessions ON sessions.user_id = users.id WHERE sessions.id = $1 \
             AND EXISTS (SELECT 1 FROM signing_keys k WHERE k.id = $2 AND (k.retired_at IS NULL OR k.retired_at > $3))"
        ),
        args![session, key, now],
        |row| {
            Ok(OfSession {
                account: account(row)?,
                factor_due_at: row.get_opt(11)?,
                state: sessions::state(row, COLUMNS)?,
            })
        },
    )
}

/// The user who signs in with these credentials. `None`: the password or the address was changed, or the user disabled
/// or deleted, since they were read.
pub(crate) fn record_sign_in(
    tx: &mut Tx<'_>,
    id: UserId,
    credential_version: i64,
    now: Timestamp,
) -> Result<Option<Credentials>, Fault> {
    tx.row(
        concat!(
            "UPDATE users SET last_sign_in_at = $3 WHERE id = $1 AND credential_version = $2 AND disabled_at IS NULL \
             RETURNING ",
            columns!()
        ),
        args![id, credential_version, now],
        credentials,
    )
}

/// Replaces the hash by one of the same password, unless the password was changed meanwhile.
pub(crate) fn rehash(tx: &mut Tx<'_>, id: UserId, old: &str, new: &str) -> Result<(), Fault> {
    let sql = "UPDATE users SET password_hash = $3, hash_class = NULL WHERE id = $1 AND password_hash = $2";
    tx.execute(sql, args![id, old, new])?;
    Ok(())
}

/// `false`: the user was disabled before, or is gone.
pub(crate) fn disable(tx: &mut Tx<'_>, id: UserId, now: Timestamp) -> Result<bool, Fault> {
    let sql = "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
    Ok(tx.execute(sql, args![id, now])? == 1)
}

pub(crate) fn enable(tx: &mut Tx<'_>, id: UserId) -> Result<bool, Fault> {
    Ok(tx.execute("UPDATE users SET disabled_at = NULL WHERE id = $1", args![id])? == 1)
}

/// `false`: another request deleted it first.
pub(crate) fn delete(tx: &mut Tx<'_>, id: UserId) -> Result<bool, Fault> {
    let sql = "DELETE FROM users WHERE id = $1 RETURNING search_text";
    let Some(text) = tx.row(sql, args![id], |row| row.get_opt(0))? else { return Ok(false) };
    if let Some(text) = text {
        search::forget(tx, id, &SearchText::from_stored(text))?;
    }
    Ok(true)
}

/// Locks the administrators against removal until this transaction ends.
pub(crate) fn lock_admins(tx: &mut Tx<'_>) -> Result<(), Fault> {
    tx.lock_rows(
        "UPDATE users SET roles = roles WHERE roles <> '' AND ' ' || roles || ' ' LIKE '% admin %'",
        &[],
    )
}

/// Locks the user against changes until this transaction ends.
pub(crate) fn lock(tx: &mut Tx<'_>, id: UserId) -> Result<(), Fault> {
    tx.lock_rows("UPDATE users SET roles = roles WHERE id = $1", args![id])
}

/// Whether there is an active administrator.
pub(crate) fn has_admin(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    Ok(other_admins(tx, UserId::from_bytes([0; 16]))? > 0)
}

/// Active users other than `id` that have the role `admin`.
pub(crate) fn other_admins(tx: &mut Tx<'_>, id: UserId) -> Result<i64, Fault> {
    tx.count(
        "SELECT COUNT(*) FROM users WHERE roles <> '' AND ' ' || roles || ' ' LIKE '% admin %' \
         AND disabled_at IS NULL AND id <> $1",
        args![id],
    )
}

fn account(row: &Row<'_>) -> Result<Account, Fault> {
    let roles: String = row.get(7)?;
    Ok(Account {
        id: row.get(0)?,
        email: Email::from_stored(row.get(1)?, row.get(8)?),
        user_name: row.get_opt(2)?.map(UserName::from_stored),
        display_name: row.get_opt(12)?.map(DisplayName::from_stored),
        email_confirmed_at: row.get(3)?,
        created_at: row.get(4)?,
        disabled_at: row.get_opt(5)?,
        locale: row.get_opt(6)?,
        roles: roles.split_whitespace().map(str::to_owned).collect(),
        data: UserData::from_stored(row.get_opt(13)?),
        app_data: UserData::from_stored(row.get_opt(14)?),
        external_id: row.get_opt(15)?.map(ExternalId::from_stored),
        terms_accepted_at: row.get_opt(16)?,
    })
}

fn credentials(row: &Row<'_>) -> Result<Credentials, Fault> {
    Ok(Credentials {
        account: account(row)?,
        password_hash: row.get_opt(9)?,
        credential_version: row.get(10)?,
        factor_due_at: row.get_opt(11)?,
    })
}

/// Grows with every change of the password, the address or the factors.
pub(crate) fn credential_version(tx: &mut Tx<'_>, id: UserId) -> Result<i64, Fault> {
    tx.count("SELECT credential_version FROM users WHERE id = $1", args![id])
}

/// What was proven before counts for nothing any more: the factors were changed. `None`: the user is gone.
pub(crate) fn change_credentials(tx: &mut Tx<'_>, id: UserId) -> Result<Option<i64>, Fault> {
    let sql = "UPDATE users SET credential_version = credential_version + 1 WHERE id = $1 RETURNING credential_version";
    tx.row(sql, args![id], |row| row.get(0))
}

/// From this time on a session of the user needs a second factor, where the policy demands one. `false`: there is a time already,
/// or the user is disabled or gone.
pub(crate) fn set_factor_due(tx: &mut Tx<'_>, id: UserId, at: Timestamp) -> Result<bool, Fault> {
    let sql =
        "UPDATE users SET factor_due_at = $2 WHERE id = $1 AND factor_due_at IS NULL AND disabled_at IS NULL";
    Ok(tx.execute(sql, args![id, at])? == 1)
}

pub(crate) fn forget_factor_due(tx: &mut Tx<'_>, id: UserId) -> Result<(), Fault> {
    tx.execute("UPDATE users SET factor_due_at = NULL WHERE id = $1", args![id])?;
    Ok(())
}

/// The name of the user for authenticators, made now if there is none yet.
pub(crate) fn webauthn_handle(
    tx: &mut Tx<'_>,
    id: UserId,
    new: &[u8; 64],
) -> Result<Option<[u8; 64]>, Fault> {
    let sql = "UPDATE users SET webauthn_handle = COALESCE(webauthn_handle, $2) WHERE id = $1 RETURNING webauthn_handle";
    tx.row(sql, args![id, new], |row| row.get(0))
}

pub(crate) fn known_handle(tx: &mut Tx<'_>, id: UserId) -> Result<Option<[u8; 64]>, Fault> {
    let sql = "SELECT webauthn_handle FROM users WHERE id = $1";
    Ok(tx.row(sql, args![id], |row| row.get_opt(0))?.flatten())
}

/// From now on the user has no password. `false`: there was none, or the user is gone.
pub(crate) fn remove_password(tx: &mut Tx<'_>, id: UserId) -> Result<bool, Fault> {
    let sql = "UPDATE users SET password_hash = NULL, hash_class = NULL, credential_version = credential_version + 1 \
               WHERE id = $1 AND password_hash IS NOT NULL";
    Ok(tx.execute(sql, args![id])? == 1)
}

/// `false`: the user is gone, or the credentials are not those of the `expected` version any more.
pub(crate) fn set_password(
    tx: &mut Tx<'_>,
    id: UserId,
    hash: &str,
    expected: Option<i64>,
) -> Result<bool, Fault> {
    let rows = tx.execute(
        "UPDATE users SET password_hash = $2, hash_class = NULL, credential_version = credential_version + 1 \
         WHERE id = $1 AND credential_version = COALESCE($3, credential_version)",
        args![id, hash, expected],
    )?;
    Ok(rows == 1)
}

pub(crate) fn set_locale(tx: &mut Tx<'_>, id: UserId, locale: &str) -> Result<(), Fault> {
    tx.execute("UPDATE users SET locale = $2 WHERE id = $1", args![id, locale])?;
    Ok(())
}

/// How many users may sign in, counted to `most`.
pub(crate) fn count_active(tx: &mut Tx<'_>, most: i64) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE disabled_at IS NULL LIMIT $1) AS counted";
    tx.count(sql, args![most])
}

/// How many users may not sign in, counted to `most`.
pub(crate) fn count_disabled(tx: &mut Tx<'_>, most: i64) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE disabled_at IS NOT NULL LIMIT $1) AS counted";
    tx.count(sql, args![most])
}

/// Of `many` users from `from` on, in the order of creation: how many have signed in, and where the rest begins.
pub(crate) fn count_signed_in(
    tx: &mut Tx<'_>,
    from: UserId,
    many: i64,
) -> Result<(i64, Option<UserId>), Fault> {
    let sql = "SELECT COUNT(last_sign_in_at), (SELECT id FROM users WHERE id >= $1 ORDER BY id LIMIT 1 OFFSET $2) \
               FROM (SELECT last_sign_in_at FROM users WHERE id >= $1 ORDER BY id LIMIT $2) AS looked_at";
    Ok(tx.row(sql, args![from, many], |row| Ok((row.get(0)?, row.get_opt(1)?)))?.unwrap_or_default())
}

pub(crate) fn set_roles(tx: &mut Tx<'_>, id: UserId, roles: &Roles) -> Result<(), Fault> {
    tx.execute("UPDATE users SET roles = $2 WHERE id = $1", args![id, roles.names().join(" ")])?;
    Ok(())
}
