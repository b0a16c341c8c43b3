//! What the application keeps about a user.

use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use vestibule::{Account, Accounts, Expected, UserData, UserId, UserRef};

use crate::api::account::data::Data;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{AnyObject, AppDataKeeper, Client, IfMatch, Json, SegmentBeforeLast, etag};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(show, replace)
}

/// Of the user nothing else is shown: an application may not know more.
fn shown(account: Account) -> Response {
    ([(ETAG, etag(&account))], Json(account.app_data)).into_response()
}

errors!(ShowErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::SecondFactorEnrolmentRequired, Code::NotFound]);

/// Shows what the application keeps about a user. For administrators, and for a client with a token for itself that has the
/// scope `users:app-data`.
#[utoipa::path(get, path = "/v1/admin/users/{id}/app-data", tag = "Administration", operation_id = "admin_show_app_data",
    security(("bearer" = []), ("client_token" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    responses((status = 200, description = "The object.", body = Data,
        headers(("ETag" = String, description = "Names this state of the user, for `If-Match`."))), ShowErrors))]
async fn show(
    State(accounts): State<Accounts>,
    Client(client): Client,
    keeper: AppDataKeeper,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
) -> Result<Response, Problem> {
    Ok(shown(accounts.find_app_data(keeper.actor(&client), &UserRef::Id(id)).await?))
}

errors!(ReplaceErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::NotFound, Code::PreconditionFailed]);

/// Replaces what the application keeps about a user: an object of at most 4 KiB, which its user cannot change. For
/// administrators, and for a client with a token for itself that has the scope `users:app-data`.
#[utoipa::path(put, path = "/v1/admin/users/{id}/app-data", tag = "Administration", operation_id = "admin_set_app_data",
    security(("bearer" = []), ("client_token" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the user, or this object, was shown with.",
            pattern = "^(\\*|\"[0-9A-Za-z_-]+\")$")),
    request_body(content = Data, content_type = "application/json", description = "All of it from now on.",
        example = json!({"plan": "pro", "seats": 3})),
    responses((status = 200, description = "The object as it is now.", body = Data,
        headers(("ETag" = String, description = "Names this state of the user, for `If-Match`."))), ReplaceErrors))]
async fn replace(
    State(accounts): State<Accounts>,
    Client(client): Client,
    keeper: AppDataKeeper,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
    IfMatch(expected): IfMatch,
    AnyObject(object): AnyObject,
) -> Result<Response, Problem> {
    let (actor, expected) = (keeper.actor(&client), expected.unwrap_or(Expected::Any));
    let app_data = UserData::new(object)?;
    Ok(shown(accounts.set_app_data(actor, &UserRef::Id(id), &expected, app_data, None).await?))
}
