//! The applications that a user has let in, for administrators.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, ApplicationId, UserId, UserRef};

use crate::api::account::me::ConnectedApplication;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Json, LastSegment, SegmentBeforeLast, ThirdFromLast};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(list, revoke)
}

/// The applications that a user has let in, those used last first.
#[derive(Serialize, ToSchema)]
struct GrantsOfUser {
    items: Vec<ConnectedApplication>,
}

errors!(GrantErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::SecondFactorEnrolmentRequired, Code::NotFound]);

/// Lists the applications that a user has let in, at most 200.
#[utoipa::path(get, path = "/v1/admin/users/{id}/grants", tag = "Administration", operation_id = "admin_list_grants",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    responses((status = 200, description = "The applications.", body = GrantsOfUser), GrantErrors))]
async fn list(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
) -> Result<Json<GrantsOfUser>, Problem> {
    let grants = accounts.grants_of(Actor::User(&who, &client), &UserRef::Id(id)).await?;
    Ok(Json(GrantsOfUser { items: grants.into_iter().map(ConnectedApplication::from).collect() }))
}

/// Takes back for a user what an application was allowed, and ends its sessions of this user, who may allow it again.
#[utoipa::path(delete, path = "/v1/admin/users/{id}/grants/{client_id}", tag = "Administration",
    operation_id = "admin_revoke_grant", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$"),
        ("client_id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")),
    responses((status = 204, description = "It is disconnected."), GrantErrors))]
async fn revoke(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    ThirdFromLast(id): ThirdFromLast<UserId>,
    LastSegment(application): LastSegment<ApplicationId>,
) -> Result<StatusCode, Problem> {
    let actor = Actor::User(&who, &client);
    let is_revoked = accounts.revoke_grant_of(actor, &UserRef::Id(id), application.as_str()).await?;
    if is_revoked { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(Code::NotFound)) }
}
