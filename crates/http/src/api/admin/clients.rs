//! Registering clients: the applications that send people here to sign in.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, ApplicationId, RegisteredApplication};

use super::client::{ClientShown, NewClient, NewClientSchema, Registration};
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Json, LastSegment, SegmentBeforeLast};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(list, create, show, update, remove, rotate_secret, drop_old_secret)
}

/// The clients: those of the settings file, then those of the database by id.
#[derive(Serialize, ToSchema)]
struct ClientList {
    items: Vec<ClientShown>,
}

errors!(ListErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::SecondFactorEnrolmentRequired]);

/// Lists the clients. There are at most 600, so the list has one page.
#[utoipa::path(get, path = "/v1/admin/clients", tag = "Administration", operation_id = "list_clients",
    security(("bearer" = [])), responses((status = 200, description = "All of them.", body = ClientList), ListErrors))]
async fn list(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
) -> Result<Json<ClientList>, Problem> {
    let found = accounts.list_applications(Actor::User(&who, &client)).await?;
    Ok(Json(ClientList { items: found.into_iter().map(ClientShown::from).collect() }))
}

errors!(CreateErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::SecondFactorEnrolmentRequired, Code::ClientTaken, Code::ClientsTooMany]);

/// Registers a client. The answer shows the secret of a confidential one without keys, which nothing shows again. Needs a sign-in of the
/// administrator that is only minutes old, like every change here.
#[utoipa::path(post, path = "/v1/admin/clients", tag = "Administration", operation_id = "create_client",
    security(("bearer" = [])), request_body(content = NewClientSchema, content_type = "application/json"),
    responses((status = 201, description = "It is registered.", body = ClientShown,
        headers(("Location" = String, description = "Where it is shown."))), CreateErrors))]
async fn create(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Json(body): Json<NewClient>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<ClientShown>), Problem> {
    let actor = Actor::User(&who, &client);
    let new = body.application();
    let id = new.id.clone();
    let secret = accounts.create_application(actor, new).await?;
    let shown = ClientShown::with_secret(accounts.find_application(actor, &id).await?, secret.as_ref());
    let location = format!("{}/v1/admin/clients/{id}", accounts.public_url());
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(shown)))
}

errors!(ShowErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::SecondFactorEnrolmentRequired, Code::NotFound]);

/// Shows a client.
#[utoipa::path(get, path = "/v1/admin/clients/{id}", tag = "Administration", operation_id = "show_client",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")),
    responses((status = 200, description = "The client.", body = ClientShown), ShowErrors))]
async fn show(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    LastSegment(id): LastSegment<ApplicationId>,
) -> Result<Json<ClientShown>, Problem> {
    Ok(Json(accounts.find_application(Actor::User(&who, &client), &id).await?.into()))
}

errors!(UpdateErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::SecondFactorEnrolmentRequired, Code::NotFound, Code::ClientInSettings]);

/// Replaces the registration of a client, except for its id and kind. It counts for the next request of the client.
#[utoipa::path(put, path = "/v1/admin/clients/{id}", tag = "Administration", operation_id = "update_client",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")),
    request_body(content = Registration, content_type = "application/json"),
    responses((status = 200, description = "The client as it is now.", body = ClientShown), UpdateErrors))]
async fn update(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    LastSegment(id): LastSegment<ApplicationId>,
    Json(body): Json<Registration>,
) -> Result<Json<ClientShown>, Problem> {
    let actor = Actor::User(&who, &client);
    let RegisteredApplication { application, .. } = accounts.find_application(actor, &id).await?;
    accounts.update_application(actor, body.of(application.id, application.kind)).await?;
    Ok(Json(accounts.find_application(actor, &id).await?.into()))
}

errors!(RemoveErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::SecondFactorEnrolmentRequired, Code::NotFound, Code::ClientInSettings]);

/// Removes a client. Its sessions end, and what users allowed it is forgotten.
#[utoipa::path(delete, path = "/v1/admin/clients/{id}", tag = "Administration", operation_id = "remove_client",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")),
    responses((status = 204, description = "It is gone."), RemoveErrors))]
async fn remove(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    LastSegment(id): LastSegment<ApplicationId>,
) -> Result<StatusCode, Problem> {
    accounts.remove_application(Actor::User(&who, &client), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

errors!(SecretErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired,
    Code::SecondFactorEnrolmentRequired, Code::NotFound, Code::ClientInSettings, Code::ClientIsPublic]);

/// Gives a client a new secret, which nothing shows again. The newest of those before goes on working until it is dropped, or
/// until there is another one.
#[utoipa::path(post, path = "/v1/admin/clients/{id}/secret", tag = "Administration",
    operation_id = "rotate_client_secret", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")),
    responses((status = 200, description = "The client with its new secret.", body = ClientShown), SecretErrors))]
async fn rotate_secret(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<ApplicationId>,
) -> Result<Json<ClientShown>, Problem> {
    let actor = Actor::User(&who, &client);
    let secret = accounts.rotate_application_secret(actor, &id).await?;
    Ok(Json(ClientShown::with_secret(accounts.find_application(actor, &id).await?, Some(&secret))))
}

/// Stops accepting every secret of a client but the newest.
#[utoipa::path(delete, path = "/v1/admin/clients/{id}/old-secret", tag = "Administration",
    operation_id = "drop_old_client_secret", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")),
    responses((status = 204, description = "Only the newest works."), SecretErrors))]
async fn drop_old_secret(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<ApplicationId>,
) -> Result<StatusCode, Problem> {
    accounts.drop_old_application_secret(Actor::User(&who, &client), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
