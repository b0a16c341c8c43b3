//! Totals, and daily numbers.

use std::ops::Range;
use std::time::Duration;

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::access::roles::ADMIN;
use crate::domain::audit::AuditKind;
use crate::domain::ids::{AuditId, UserId};
use crate::domain::stats::{DayStats, StatsPeriod};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::store::Tx;
use crate::store::tables::users::{self, standing};
use crate::store::tables::{audit, outbox, registrations, sessions};

/// Counting stops here, so that the answer is quick however many there are.
const COUNTED_MOST: i64 = 10_000;
/// Counting sessions stops earlier: no index tells which are active, so each is looked at.
const SESSIONS_MOST: i64 = 1_000;
/// New users looked at per read: no index tells who has signed in.
const BATCH: i64 = 5_000;
const DAY_MILLIS: i64 = 86_400_000;
/// This long after midnight, the previous day is final: transactions that began before it have ended.
const SETTLED: Duration = Duration::from_mins(10);

/// Numbers for an overview. A number equal to its bound means that many or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// The bound of counting, except for sessions.
    pub counted_up_to: i64,
    /// Users who may sign in.
    pub users_active: i64,
    /// Users who may not.
    pub users_disabled: i64,
    /// Of the active users counted, the newest where there are more: those who have a second factor.
    pub users_with_second_factor: i64,
    /// Administrators who may sign in and have no second factor.
    pub admins_without_second_factor: i64,
    /// Users created on these days, in whatever way, who have signed in at least once.
    pub new_users_signed_in: i64,
    /// Open sign-ups.
    pub registrations_open: i64,
    /// Active sessions.
    pub sessions_live: i64,
    /// The bound of counting sessions.
    pub sessions_counted_up_to: i64,
    /// Waiting messages.
    pub mails_waiting: i64,
    /// Dead letters.
    pub mails_failed: i64,
    /// When the oldest waiting message was queued.
    pub oldest_mail_at: Option<Timestamp>,
    /// Why one of the waiting messages could not be sent so far.
    pub waiting_error: Option<String>,
    /// The days of the period, oldest first, including today. They are read from the audit trail.
    pub days: Vec<DayStats>,
    /// The days before those, oldest first: as many as the period has whole ones, which they are compared with. None where the
    /// audit trail is not kept that long.
    pub days_before: Vec<DayStats>,
}

impl Accounts {
    /// Numbers for an overview.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::Fault`].
    pub async fn stats(&self, actor: Actor<'_>, period: StatsPeriod) -> Result<Stats, AdminError> {
        actor.must_be_admin()?;
        let now = self.0.now();
        let idle = now - self.0.policy().tokens.session_idle;
        let first = day_of(now) - period.days() + 1;
        let before = first - period.days() + 1;
        let is_kept = edge(before) >= now - self.0.policy().audit_retention;
        let days_before = if is_kept { self.days(before..first, now).await? } else { Vec::new() };
        let days = self.days(first..day_of(now) + 1, now).await?;
        let new_users_signed_in = self.new_users_signed_in(first).await?;
        let (users_with_second_factor, admins_without_second_factor) = self.second_factors().await?;
        let read = move |tx: &mut Tx<'_>| -> Result<Stats, Fault> {
            let most = COUNTED_MOST;
            let (mails_waiting, oldest_mail_at) = outbox::count_waiting(tx, most)?;
            Ok(Stats {
                counted_up_to: most,
                users_active: users::count_active(tx, most)?,
                users_disabled: users::count_disabled(tx, most)?,
                users_with_second_factor,
                admins_without_second_factor,
                new_users_signed_in,
                registrations_open: registrations::count_open(tx, now, most)?,
                sessions_live: sessions::count_live(tx, now, idle, SESSIONS_MOST)?,
                sessions_counted_up_to: SESSIONS_MOST,
                mails_waiting,
                oldest_mail_at,
                mails_failed: outbox::count_failed(tx, most)?,
                waiting_error: outbox::waiting_error(tx, most)?,
                days: days.clone(),
                days_before: days_before.clone(),
            })
        };
        self.0.store.survey(read).await.map_err(AdminError::Fault)
    }

    /// How many administrators who may sign in have no second factor, although the policy demands one of them, counted to
    /// 10,000. For an operator, who is told at the start.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn admins_lacking_second_factor(&self) -> Result<i64, Fault> {
        if !self.0.policy().second_factor.requires(&[ADMIN.to_owned()]) {
            return Ok(0);
        }
        let with_passkeys = self.0.relying_party.is_some();
        let read =
            move |tx: &mut Tx<'_>| standing::count_admins_without_factor(tx, with_passkeys, COUNTED_MOST);
        self.0.store.survey(read).await
    }

    /// Each day is a read of its own, so that a long trail delays nobody.
    async fn days(&self, numbers: Range<i64>, now: Timestamp) -> Result<Vec<DayStats>, AdminError> {
        let past = &self.0.past_days;
        let mut days = Vec::new();
        for number in numbers {
            let day = match past.get(number) {
                Some(day) => day,
                None => self.0.store.survey(move |tx| day(tx, number)).await.map_err(AdminError::Fault)?,
            };
            if edge(number + 1) + SETTLED <= now {
                past.keep(number, day);
            }
            days.push(day);
            tokio::task::yield_now().await;
        }
        Ok(days)
    }

    /// The users with a second factor, and the administrators without one: a read of its own, since each user is looked at.
    async fn second_factors(&self) -> Result<(i64, i64), AdminError> {
        let with_passkeys = self.0.relying_party.is_some();
        let read = move |tx: &mut Tx<'_>| -> Result<_, Fault> {
            let with = standing::count_with_factor(tx, with_passkeys, COUNTED_MOST)?;
            Ok((with, standing::count_admins_without_factor(tx, with_passkeys, COUNTED_MOST)?))
        };
        self.0.store.survey(read).await.map_err(AdminError::Fault)
    }

    /// The users created since this day who have signed in. Ids begin with the time, so a range of ids is a range of
    /// time.
    async fn new_users_signed_in(&self, first_day: i64) -> Result<i64, AdminError> {
        let mut from = Some(UserId::first_at(edge(first_day)));
        let mut signed_in = 0;
        while let Some(first) = from.filter(|_| signed_in < COUNTED_MOST) {
            let read = move |tx: &mut Tx<'_>| users::count_signed_in(tx, first, BATCH);
            let (more, next) = self.0.store.survey(read).await.map_err(AdminError::Fault)?;
            (signed_in, from) = (signed_in + more, next);
            tokio::task::yield_now().await;
        }
        Ok(signed_in.min(COUNTED_MOST))
    }
}

/// The number of a day.
fn day_of(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(DAY_MILLIS)
}

fn day(tx: &mut Tx<'_>, number: i64) -> Result<DayStats, Fault> {
    let kinds = [AuditKind::SignedUp, AuditKind::Activated, AuditKind::SignedIn, AuditKind::SignInFailed];
    let ids = [edge(number), edge(number + 1)].map(AuditId::first_at);
    let [sign_ups, activations, sign_ins, failed_sign_ins] = audit::count(tx, kinds, ids, COUNTED_MOST)?;
    Ok(DayStats { day: edge(number), sign_ups, activations, sign_ins, failed_sign_ins })
}

/// The beginning of a day.
fn edge(number: i64) -> Timestamp {
    Timestamp::from_millis(number * DAY_MILLIS)
}
