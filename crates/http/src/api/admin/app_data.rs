//! What the application keeps about a user.

use axum::extract::State;
use axum::response::Response;
use vestibule::{Accounts, Actor, Expected, UserData, UserId, UserRef};

use super::user::shown;
use crate::api::account::data::Data;
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, AnyObject, Client, IfMatch, SegmentBeforeLast};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(replace)
}

errors!(ReplaceErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::NotFound, Code::PreconditionFailed]);

/// Replaces what the application keeps about a user: an object of at most 4 KiB, which its user cannot change.
#[utoipa::path(put, path = "/v1/admin/users/{id}/app-data", tag = "Administration", operation_id = "admin_set_app_data",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the user was shown with.",
            pattern = "^(\\*|\"[0-9A-Za-z_-]+\")$")),
    request_body(content = Data, content_type = "application/json", description = "All of it from now on.",
        example = json!({"plan": "pro", "seats": 3})),
    responses((status = 200, description = "The user as it is now.", body = User,
        headers(("ETag" = String, description = "Names this state, for `If-Match`."))), ReplaceErrors))]
async fn replace(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
    IfMatch(expected): IfMatch,
    AnyObject(object): AnyObject,
) -> Result<Response, Problem> {
    let (actor, expected) = (Actor::User(&who, &client), expected.unwrap_or(Expected::Any));
    let app_data = UserData::new(object)?;
    Ok(shown(accounts.set_app_data(actor, &UserRef::Id(id), &expected, app_data, None).await?))
}
