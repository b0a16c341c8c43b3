//! The sessions of a user, as the user sees them.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Session, SessionId, Timestamp};

use crate::api::device;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Bearer, Client, Json, LastSegment};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(list, end)
}

/// A sign-in that lasts.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "ses_06nq8sd5c9u7d1p4v0g2k8m3e4", "device": "Firefox on Linux", "ip": "203.0.113.9",
    "created_at": "2026-03-01T09:30:00.000Z", "last_seen_at": "2026-03-02T18:05:00.000Z",
    "expires_at": "2026-03-31T09:30:00.000Z", "amr": ["pwd", "otp", "mfa"], "current": true
}))]
pub(super) struct ActiveSession {
    /// The `sid` of its access tokens.
    #[schema(value_type = String, pattern = "^ses_[0-9a-v]{26}$")]
    id: SessionId,
    /// What signed in, in words; read from its `User-Agent`, which anybody can choose.
    device: String,
    /// The address it signed in from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    ip: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When tokens were last given out.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    /// When it ends in any case.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// How it was authenticated (RFC 8176): `pwd`, `otp`, `hwk`, `swk`, `mfa`.
    #[schema(value_type = Vec<String>)]
    amr: Vec<&'static str>,
    /// Whether it is the session of this request.
    current: bool,
}

impl ActiveSession {
    pub(super) fn of(session: Session, who: &vestibule::SignedIn) -> Self {
        let Session { id, user_agent, ip, created_at, last_seen_at, expires_at, amr } = session;
        let device = device::in_words(user_agent.as_deref().unwrap_or_default());
        let (amr, current) = (amr.names(), id == who.session_id);
        Self { id, device, ip, created_at, last_seen_at, expires_at, amr, current }
    }
}

/// The sessions that are alive, newest first.
#[derive(Serialize, ToSchema)]
struct SessionList {
    items: Vec<ActiveSession>,
}

errors!(ListErrors: EVERY, API, BEARER);

/// Lists where the user is signed in: the newest 200 sessions.
#[utoipa::path(get, path = "/v1/me/sessions", tag = "Account", operation_id = "list_sessions",
    security(("bearer" = [])),
    responses((status = 200, description = "The sessions.", body = SessionList), ListErrors))]
async fn list(State(accounts): State<Accounts>, Bearer(who): Bearer) -> Result<Json<SessionList>, Problem> {
    let sessions = accounts.list_sessions(&who).await?;
    let items = sessions.into_iter().map(|session| ActiveSession::of(session, &who)).collect();
    Ok(Json(SessionList { items }))
}

errors!(EndErrors: EVERY, API, BEARER, &[Code::NotFound]);

/// Ends a session of the user. Its tokens are refused from then on. Other users' sessions are 404, as if they were not.
#[utoipa::path(delete, path = "/v1/me/sessions/{id}", tag = "Account", operation_id = "end_session",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The `id` in the list.", pattern = "^ses_[0-9a-v]{26}$",
        example = "ses_06nq8sd5c9u7d1p4v0g2k8m3e4")),
    responses((status = 204, description = "It has ended."), EndErrors))]
async fn end(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    LastSegment(id): LastSegment<SessionId>,
) -> Result<StatusCode, Problem> {
    let ended = accounts.end_session(&who, id, &client).await?;
    if ended { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(Code::NotFound)) }
}
