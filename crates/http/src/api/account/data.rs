//! The data that belongs to the account's owner.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vestibule::Accounts;

use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::input::object::MERGE_PATCH;
use crate::extract::{Bearer, Client, Json, MergePatch};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(update)
}

/// A JSON object of the application's own making.
#[derive(ToSchema)]
#[schema(value_type = Object, example = json!({"theme": "dark", "newsletter": {"weekly": true}}))]
pub(crate) struct Data(#[expect(dead_code, reason = "describes what the library keeps")] Map<String, Value>);

errors!(UpdateErrors: EVERY, API, BODY, BEARER);

/// Changes the data of the account: an object of at most 4 KiB for whatever the application lets people keep.
///
/// The body is a merge patch (RFC 7396): members that are `null` are removed, objects are merged, anything else is replaced.
/// Of two patches at once, one is merged into what the other has left. It may also come as `application/merge-patch+json`.
#[utoipa::path(patch, path = "/v1/me/data", tag = "Account", operation_id = "update_my_data", security(("bearer" = [])),
    request_body(description = "What changes.", content = Data, example = json!({"theme": "light", "newsletter": null})),
    responses((status = 200, description = "The data as it is now.", body = Data,
        headers(("Accept-Patch" = String, description = "The types of a body."))), UpdateErrors))]
async fn update(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    MergePatch(patch): MergePatch,
) -> Result<Response, Problem> {
    let account = accounts.update_data(&who, patch, &client).await?;
    Ok(([("accept-patch", MERGE_PATCH)], Json(account.data)).into_response())
}
