//! The passkeys of an account.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use utoipa::ToSchema;
use vestibule::{Accounts, PasskeyId, PasskeyName, PasskeyRegistration};

use super::ways_in::Passkey;
use crate::api::sign_in::passkey::Begun;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::factor::needed_registration;
use crate::extract::{Bearer, Client, Fields, Json, LastSegment, ReadFields, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(begin, add, rename, remove)
}

errors!(BeginErrors: EVERY, API, BEARER, &[Code::ReauthenticationRequired, Code::NotFound, Code::PasskeysTooMany]);

/// Begins to add a passkey. 404 where there are no passkeys.
#[utoipa::path(post, path = "/v1/me/passkeys/options", tag = "Ways in", operation_id = "begin_passkey",
    security(("bearer" = [])),
    responses((status = 200, description = "What the browser is to make.", body = Begun), BeginErrors))]
async fn begin(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
) -> Result<Json<Begun>, Problem> {
    Ok(Json(accounts.begin_passkey(&who, &client).await?.into()))
}

/// A ceremony, what the browser made in it, and what to call it.
#[derive(ToSchema)]
#[schema(example = json!({
    "ceremony": "vpk_AZXb2m0qd4yVJ0x3m1q7SAAAAZXb2m0qPCk1rJmV3t0oZ4v3s9q2bQ", "name": "My phone",
    "credential": {"id": "q7SPCk1rJmV3t0oZ4v3s9g", "rawId": "q7SPCk1rJmV3t0oZ4v3s9g", "type": "public-key",
        "response": {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "attestationObject": "o2NmbXRkbm9uZQ",
            "transports": ["internal"]}}
}))]
#[expect(dead_code, reason = "describes what `Made` reads")]
struct AddPasskeyRequest {
    ceremony: String,
    /// What `PublicKeyCredential.toJSON()` gave.
    #[schema(value_type = Object)]
    credential: Value,
    /// 1 to 64 characters; without it the passkey is called after its model.
    #[schema(required = false, nullable = false, min_length = 1, max_length = 64)]
    name: Option<String>,
}

struct Made {
    registration: PasskeyRegistration,
    name: Option<PasskeyName>,
}

impl ReadFields for Made {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let registration = needed_registration(fields);
        let name = fields.optional("/name", fields::passkey_name);
        Some(Self { registration: registration?, name: name? })
    }
}

errors!(AddErrors: EVERY, API, BODY, BEARER, &[Code::ReauthenticationRequired, Code::NotFound, Code::PasskeysTooMany,
    Code::PasskeyExists, Code::PasskeyRefused]);

/// Adds a passkey that was made in a ceremony of this session, and ends the other sessions. An account has at most 20.
#[utoipa::path(post, path = "/v1/me/passkeys", tag = "Ways in", operation_id = "add_passkey", security(("bearer" = [])),
    request_body(content = AddPasskeyRequest, content_type = "application/json"),
    responses((status = 201, description = "The passkey.", body = Passkey), AddErrors))]
async fn add(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Json(body): Json<Made>,
) -> Result<(StatusCode, Json<Passkey>), Problem> {
    let added = accounts.add_passkey(&who, &body.registration, body.name, &client).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

/// What to call the passkey.
#[derive(ToSchema)]
#[schema(example = json!({"name": "My phone"}))]
struct RenamePasskeyRequest {
    /// 1 to 64 characters.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    name: PasskeyName,
}

impl ReadFields for RenamePasskeyRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { name: fields.required("/name", fields::passkey_name)? })
    }
}

errors!(RenameErrors: EVERY, API, BODY, BEARER, &[Code::ReauthenticationRequired, Code::NotFound]);

/// Gives a passkey another name.
#[utoipa::path(patch, path = "/v1/me/passkeys/{id}", tag = "Ways in", operation_id = "rename_passkey",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^pky_[0-9a-v]{26}$")),
    request_body(content = RenamePasskeyRequest, content_type = "application/json"),
    responses((status = 200, description = "The passkey.", body = Passkey), RenameErrors))]
async fn rename(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    LastSegment(id): LastSegment<PasskeyId>,
    Json(body): Json<RenamePasskeyRequest>,
) -> Result<Json<Passkey>, Problem> {
    Ok(Json(accounts.rename_passkey(&who, id, &body.name, &client).await?.into()))
}

errors!(RemoveErrors: EVERY, API, BEARER, &[Code::ReauthenticationRequired, Code::NotFound, Code::LastWayIn]);

/// Removes a passkey, and ends the other sessions.
#[utoipa::path(delete, path = "/v1/me/passkeys/{id}", tag = "Ways in", operation_id = "remove_passkey",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^pky_[0-9a-v]{26}$")),
    responses((status = 204, description = "It is gone."), RemoveErrors))]
async fn remove(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    LastSegment(id): LastSegment<PasskeyId>,
) -> Result<StatusCode, Problem> {
    accounts.remove_passkey(&who, id, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
