//! Users who have lost their second factors.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, Reason, UserId, UserRef};

use crate::api::account::ways_in::Ways;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{
    Administrator, Client, Fields, Json, ReadFields, SegmentBeforeLast, ThirdFromLast, fields,
};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(show, reset)
}

errors!(ShowErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::SecondFactorEnrolmentRequired, Code::NotFound]);

/// What a user signs in with.
#[utoipa::path(get, path = "/v1/admin/users/{id}/ways-in", tag = "Administration", operation_id = "admin_show_ways_in",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    responses((status = 200, description = "The ways in.", body = Ways), ShowErrors))]
async fn show(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
) -> Result<Json<Ways>, Problem> {
    let ways = accounts.ways_in_of(Actor::User(&who, &client), &UserRef::Id(id)).await?;
    Ok(Json(ways.into()))
}

/// Why it is done, for the audit trail.
#[derive(ToSchema)]
#[schema(example = json!({"reason": "lost the phone, came by in person"}))]
struct ResetWaysInRequest {
    /// One line that says how the user was recognised.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    reason: Reason,
}

impl ReadFields for ResetWaysInRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let reason = fields.required("/reason", fields::reason)?;
        if reason.as_str().trim().is_empty() {
            fields.refuse(FieldError::new("/reason", Code::Required));
            return None;
        }
        Some(Self { reason })
    }
}

errors!(ResetErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::SecondFactorEnrolmentRequired, Code::NotFound, Code::LastAdmin]);

/// Removes every second factor of a user, ends all sessions, tells the owner, and mails a link to set up another one. Needs a
/// proof of the administrator that is only minutes old.
#[utoipa::path(post, path = "/v1/admin/users/{id}/ways-in/reset", tag = "Administration",
    operation_id = "admin_reset_ways_in", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    request_body(content = ResetWaysInRequest, content_type = "application/json"),
    responses((status = 204, description = "They are gone."), ResetErrors))]
async fn reset(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    ThirdFromLast(id): ThirdFromLast<UserId>,
    Json(body): Json<ResetWaysInRequest>,
) -> Result<StatusCode, Problem> {
    accounts.reset_ways_in(Actor::User(&who, &client), &UserRef::Id(id), &body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}
