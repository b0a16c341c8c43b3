//! Numbers for an overview, for administrators.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, DayStats, StatsPeriod, Timestamp};

use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Fields, Json, Query, ReadFields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(stats)
}

/// Numbers for an overview.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "counted_up_to": 10000, "registrations": {"open": 17},
    "users": {"active": 812, "disabled": 3, "new_signed_in": 341, "with_second_factor": 203, "admins_without_second_factor": 1},
    "sessions": {"live": 204, "counted_up_to": 1000},
    "mail": {"waiting": 1, "failed": 0, "oldest_at": "2026-03-01T09:30:00.000Z", "last_error": "451 4.7.1 try again later"},
    "days": [{"date": "2026-03-01", "sign_ups": 21, "activations": 19, "sign_ins": 140, "failed_sign_ins": 12}],
    "days_before": [{"date": "2026-01-30", "sign_ups": 18, "activations": 15, "sign_ins": 122, "failed_sign_ins": 9}]
}))]
struct Stats {
    /// Nothing but sessions is counted further: this number stands for that many or more.
    counted_up_to: i64,
    users: UserStats,
    registrations: RegistrationStats,
    sessions: SessionStats,
    mail: MailStats,
    /// The days of the period in UTC, oldest first; the last is today. As far back as the audit trail is kept.
    days: Vec<Day>,
    /// The days before those, oldest first: as many as the period has whole ones, which they are compared with. Empty where the
    /// audit trail is not kept that long.
    days_before: Vec<Day>,
}

/// Users by what they may do.
#[derive(Serialize, ToSchema)]
struct UserStats {
    active: i64,
    disabled: i64,
    /// Made on the days of `days`, in whatever way, and signed in at least once since.
    new_signed_in: i64,
    /// Of the active users counted, the newest where there are more: those who have an authenticator app, or a passkey where
    /// passkeys are enabled.
    with_second_factor: i64,
    /// Administrators who may sign in and have neither.
    admins_without_second_factor: i64,
}

/// Sign-ups that wait for their confirmation, decoys included.
#[derive(Serialize, ToSchema)]
struct RegistrationStats {
    open: i64,
}

/// Sessions that are alive.
#[derive(Serialize, ToSchema)]
struct SessionStats {
    live: i64,
    /// Sessions are not counted further: this number stands for that many or more.
    counted_up_to: i64,
}

/// The state of the outbox.
#[derive(Serialize, ToSchema)]
struct MailStats {
    waiting: i64,
    /// Given up.
    failed: i64,
    /// When the oldest of those that wait was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    oldest_at: Option<Timestamp>,
    /// Why one of those that wait could not be handed over so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// What happened on one day.
#[derive(Serialize, ToSchema)]
struct Day {
    #[schema(value_type = String, format = Date)]
    date: String,
    sign_ups: i64,
    activations: i64,
    sign_ins: i64,
    failed_sign_ins: i64,
}

impl From<DayStats> for Day {
    fn from(stats: DayStats) -> Self {
        let DayStats { day, sign_ups, activations, sign_ins, failed_sign_ins } = stats;
        // The date of an RFC 3339 time.
        let date = day.to_string().chars().take(10).collect();
        Self { date, sign_ups, activations, sign_ins, failed_sign_ins }
    }
}

impl From<vestibule::Stats> for Stats {
    fn from(stats: vestibule::Stats) -> Self {
        Self {
            counted_up_to: stats.counted_up_to,
            users: UserStats {
                active: stats.users_active,
                disabled: stats.users_disabled,
                new_signed_in: stats.new_users_signed_in,
                with_second_factor: stats.users_with_second_factor,
                admins_without_second_factor: stats.admins_without_second_factor,
            },
            registrations: RegistrationStats { open: stats.registrations_open },
            sessions: SessionStats { live: stats.sessions_live, counted_up_to: stats.sessions_counted_up_to },
            mail: MailStats {
                waiting: stats.mails_waiting,
                failed: stats.mails_failed,
                oldest_at: stats.oldest_mail_at,
                last_error: stats.waiting_error,
            },
            days: stats.days.into_iter().map(Day::from).collect(),
            days_before: stats.days_before.into_iter().map(Day::from).collect(),
        }
    }
}

/// Which days are counted.
pub(crate) struct PeriodQuery(pub(crate) StatsPeriod);

impl ReadFields for PeriodQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self(fields.optional("/days", period)?.unwrap_or_default()))
    }
}

fn period(text: &str) -> Result<StatsPeriod, FieldError> {
    let period = StatsPeriod::ALL.into_iter().find(|period| period.days().to_string() == text);
    period.ok_or_else(|| FieldError::new("/days", Code::PeriodInvalid))
}

errors!(StatsErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::ValidationFailed]);

/// Counts users, sign-ups, sessions and mail, and what happened on each of the last days. Needs the role `admin`.
#[utoipa::path(get, path = "/v1/admin/stats", tag = "Administration", operation_id = "stats",
    security(("bearer" = [])),
    params(("days" = Option<u32>, Query, minimum = 7, maximum = 90, description = "7, 30 or 90 days; 30 by default.")),
    responses((status = 200, description = "The numbers.", body = Stats), StatsErrors))]
async fn stats(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Query(PeriodQuery(period)): Query<PeriodQuery>,
) -> Result<Json<Stats>, Problem> {
    Ok(Json(accounts.stats(Actor::User(&who, &client), period).await?.into()))
}
