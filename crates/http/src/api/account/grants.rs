//! The clients that a user has let in: "connected applications".

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, ApplicationId, Timestamp};

use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Bearer, Client, Json, LastSegment};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(list, revoke)
}

/// What the user has allowed a client.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "client_id": "shop", "name": "The shop", "scopes": ["email", "openid"], "claims": ["plan"],
    "created_at": "2026-03-01T09:30:00.000Z", "last_used_at": "2026-03-02T18:05:00.000Z"
}))]
struct Grant {
    client_id: String,
    /// What people call it.
    name: String,
    /// What it may ask for, sorted.
    scopes: Vec<String>,
    /// The names of what it is told of the user beyond that: the claims of its registration.
    claims: Vec<String>,
    /// When it was allowed for the first time.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last got tokens.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
}

impl From<vestibule::Grant> for Grant {
    fn from(grant: vestibule::Grant) -> Self {
        let vestibule::Grant { application, name, scopes, claims, created_at, last_used_at } = grant;
        let scopes = scopes.names().map(str::to_owned).collect();
        let claims = claims.all().map(|claim| claim.name().to_owned()).collect();
        Self { client_id: application.to_string(), name, scopes, claims, created_at, last_used_at }
    }
}

/// The clients that were let in, those used last first.
#[derive(Serialize, ToSchema)]
struct GrantList {
    items: Vec<Grant>,
}

errors!(ListErrors: EVERY, API, BEARER);

/// Lists the applications that the user has let in: at most 200.
#[utoipa::path(get, path = "/v1/me/grants", tag = "Account", operation_id = "list_grants",
    security(("bearer" = [])),
    responses((status = 200, description = "The applications.", body = GrantList), ListErrors))]
async fn list(State(accounts): State<Accounts>, Bearer(who): Bearer) -> Result<Json<GrantList>, Problem> {
    let items = accounts.list_grants(&who).await?.into_iter().map(Grant::from).collect();
    Ok(Json(GrantList { items }))
}

errors!(RevokeErrors: EVERY, API, BEARER, &[Code::NotFound]);

/// Takes back what the user has allowed a client. Its tokens for this user are refused from then on, and the user is asked
/// anew if it comes again.
#[utoipa::path(delete, path = "/v1/me/grants/{client_id}", tag = "Account", operation_id = "revoke_grant",
    security(("bearer" = [])),
    params(("client_id" = String, Path, description = "The `client_id` in the list.",
        pattern = "^[a-z0-9][a-z0-9._-]{1,63}$", example = "shop")),
    responses((status = 204, description = "It is taken back."), RevokeErrors))]
async fn revoke(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    LastSegment(id): LastSegment<ApplicationId>,
) -> Result<StatusCode, Problem> {
    let revoked = accounts.revoke_grant(&who, id.as_str(), &client).await?;
    if revoked { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::new(Code::NotFound)) }
}
