//! How the server is, in words: a section of the overview.

use std::time::Duration;

use minijinja::{Value, context};
use vestibule::{Condition, Timestamp};

use crate::pages::admin::section::Admin;
use crate::pages::frame::i18n::Language;
use crate::problem::Problem;

/// Longer than mail waits while all is well.
const LATE: Duration = Duration::from_mins(15);
/// The bound of counting messages.
const MAILS_MOST: i64 = 1_000;

/// The values of the section.
pub(super) async fn section(admin: &Admin) -> Result<Value, Problem> {
    let accounts = &admin.visit().accounts;
    let condition = accounts.condition(admin.actor()).await?;
    Ok(shown(&condition, admin.visit().language(), accounts.now()))
}

fn shown(condition: &Condition, language: Language, now: Timestamp) -> Value {
    let is_late = condition.oldest_mail_at.is_some_and(|at| at + LATE < now);
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    context! {
        database => condition.database.product.as_str(),
        database_time => milliseconds(language, condition.database.round_trip),
        schema => condition.schema,
        mail_sent_at => time(condition.mail_sent_at),
        mail_failing_since => time(condition.mail_failing.as_ref().map(|(since, _)| *since)),
        mail_error => condition.mail_failing.as_ref().map(|(_, error)| error).or(condition.waiting_error.as_ref()),
        mail_is_bad => is_late || condition.mail_failing.is_some(),
        mails_waiting => (condition.mails_waiting > 0).then(|| language.counted(condition.mails_waiting, MAILS_MOST)),
        oldest_mail_at => time(condition.oldest_mail_at),
        version => env!("CARGO_PKG_VERSION"),
        backed_up_at => time(condition.backed_up_at),
        hashes_waiting => language.number(i64::try_from(condition.hashes_waiting).unwrap_or(i64::MAX)),
        hash_time => milliseconds(language, condition.hash_time),
        key_signs_since => time(condition.key_signs_since),
    }
}

/// Whole milliseconds, rounded up.
fn milliseconds(language: Language, time: Duration) -> String {
    language.number(i64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(i64::MAX))
}
