//! What users are searched by: `users.search_text`, and its trigrams in `user_trigrams`.
//!
//! Whoever changes what a user is called brings both in step, in the same transaction. A user without `search_text` is not
//! indexed yet: the list then looks at users one by one.

use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::user_list::search_text::SearchText;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Bind as _, Value, args};

/// Trigrams per statement.
const GROUP: usize = 16;

/// Indexes a new user.
pub(super) fn add(tx: &mut Tx<'_>, id: UserId, text: &SearchText) -> Result<(), Fault> {
    insert(tx, id, &Vec::from_iter(text.trigrams()))
}

/// Forgets a user who was deleted.
pub(super) fn forget(tx: &mut Tx<'_>, id: UserId, text: &SearchText) -> Result<(), Fault> {
    remove(tx, id, &Vec::from_iter(text.trigrams()))
}

/// Brings the index in step with what the user is called now.
pub(super) fn index(tx: &mut Tx<'_>, id: UserId) -> Result<(), Fault> {
    let sql = "SELECT email, email_key, user_name, display_name, search_text FROM users WHERE id = $1";
    let found = tx.row(sql, args![id], |row| {
        let email = Email::from_stored(row.get(0)?, row.get(1)?);
        let user_name = row.get_opt(2)?.map(UserName::from_stored);
        let display_name = row.get_opt(3)?.map(DisplayName::from_stored);
        let text = SearchText::of(&email, user_name.as_ref(), display_name.as_ref());
        Ok((text, row.get_opt(4)?.map(SearchText::from_stored)))
    })?;
    let Some((text, before)) = found.filter(|(text, before)| before.as_ref() != Some(text)) else {
        return Ok(());
    };
    tx.execute("UPDATE users SET search_text = $2 WHERE id = $1", args![id, text.as_str()])?;
    let before = before.map(|before| before.trigrams()).unwrap_or_default();
    let after = text.trigrams();
    remove(tx, id, &before.difference(&after).cloned().collect::<Vec<_>>())?;
    insert(tx, id, &after.difference(&before).cloned().collect::<Vec<_>>())
}

/// Indexes up to `most` of the users that are not yet: they were there before the index, or came from another database.
pub(crate) fn index_more(tx: &mut Tx<'_>, most: i64) -> Result<u64, Fault> {
    let sql = "SELECT id FROM users WHERE search_text IS NULL ORDER BY id LIMIT $1";
    let ids: Vec<UserId> = tx.rows(sql, args![most], |row| row.get(0))?;
    for id in &ids {
        // Nobody else changes the user until this transaction ends.
        tx.lock_rows("UPDATE users SET roles = roles WHERE id = $1", args![*id])?;
        index(tx, *id)?;
    }
    Ok(ids.len() as u64)
}

/// Whether every user is indexed.
pub(crate) fn is_complete(tx: &mut Tx<'_>) -> Result<bool, Fault> {
    let sql =
        "SELECT COUNT(*) FROM (SELECT 1 FROM users WHERE search_text IS NULL ORDER BY id LIMIT 1) AS counted";
    Ok(tx.count(sql, &[])? == 0)
}

/// How many users have the trigram, counted to `most`.
pub(crate) fn count(tx: &mut Tx<'_>, trigram: &str, most: i64) -> Result<i64, Fault> {
    // In the order of the index, so that no planner reads the table instead.
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM user_trigrams WHERE trigram = $1 ORDER BY user_id LIMIT $2) AS counted";
    tx.count(sql, args![trigram, most])
}

/// The user who has the trigram with so many newer ones before: of two trigrams, the rarer one goes further back.
pub(crate) fn newest_but(tx: &mut Tx<'_>, trigram: &str, before: i64) -> Result<Option<UserId>, Fault> {
    let sql = "SELECT user_id FROM user_trigrams WHERE trigram = $1 ORDER BY user_id DESC LIMIT 1 OFFSET $2";
    tx.row(sql, args![trigram, before], |row| row.get(0))
}

fn insert(tx: &mut Tx<'_>, id: UserId, trigrams: &[String]) -> Result<(), Fault> {
    let sql = "INSERT INTO user_trigrams (trigram, user_id) VALUES ($2, $1), ($3, $1), ($4, $1), ($5, $1), ($6, $1), \
               ($7, $1), ($8, $1), ($9, $1), ($10, $1), ($11, $1), ($12, $1), ($13, $1), ($14, $1), ($15, $1), \
               ($16, $1), ($17, $1) ON CONFLICT DO NOTHING";
    by_groups(tx, sql, id, trigrams)
}

fn remove(tx: &mut Tx<'_>, id: UserId, trigrams: &[String]) -> Result<(), Fault> {
    let sql = "DELETE FROM user_trigrams WHERE user_id = $1 AND trigram IN \
               ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    by_groups(tx, sql, id, trigrams)
}

/// The last group is filled up with its last trigram, which changes nothing.
fn by_groups(tx: &mut Tx<'_>, sql: &'static str, id: UserId, trigrams: &[String]) -> Result<(), Fault> {
    for group in trigrams.chunks(GROUP) {
        let filling = group.last().into_iter().cycle().take(GROUP - group.len());
        let bound: Vec<Value<'_>> = std::iter::once(id.bind())
            .chain(group.iter().chain(filling).map(|trigram| trigram.as_str().bind()))
            .collect();
        tx.execute(sql, &bound)?;
    }
    Ok(())
}
