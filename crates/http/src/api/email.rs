//! Another address for an account: asked for, confirmed, undone.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;
use vestibule::{Accounts, Email};

use super::User;
use super::common::{ACCEPTED, Accepted, TokenRequest};
use crate::catalogue::Code;
use crate::extract::{Client, Fields, GivenPassword, Json, ReadFields, SignedIn, fields};
use crate::openapi::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::problem::Problem;
use crate::routes::{Routes, routes};

pub(super) fn routes() -> Routes {
    routes!(change, confirm, undo)
}

/// The address to use from now on, and the password.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.com", "password": "violet-otter-maps-42"}))]
pub(crate) struct ChangeEmailRequest {
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254)]
    pub(crate) email: Email,
    #[schema(value_type = String, format = Password)]
    pub(crate) password: GivenPassword,
}

impl ReadFields for ChangeEmailRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("/email", fields::email);
        let password = fields.required("/password", fields::given_password);
        Some(Self { email: email?, password: password? })
    }
}

errors!(ChangeErrors: EVERY, API, BODY, BEARER, HASH, &[Code::TooManyRequests]);

/// Asks to use another address: a link goes there, a notice with an undo link to the present one.
///
/// The answer does not tell whether the address is taken. A wrong password is 422 with `password_wrong`, and counts like
/// a failed sign-in.
#[utoipa::path(post, path = "/v1/me/email", tag = "Account", operation_id = "change_email",
    security(("bearer" = [])),
    request_body(content = ChangeEmailRequest, content_type = "application/json"),
    responses((status = 202, description = "The same for every address.", body = Accepted), ChangeErrors))]
async fn change(
    State(accounts): State<Accounts>,
    Client(client): Client,
    SignedIn(who): SignedIn,
    Json(body): Json<ChangeEmailRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let at = "/password";
    let asked = accounts.change_email(&who, &body.email, &body.password.possible_at(at)?, &client).await;
    asked.map_err(|error| Problem::of_change(error, at))?;
    Ok((StatusCode::ACCEPTED, Json(ACCEPTED)))
}

errors!(LinkErrors: EVERY, API, BODY, &[Code::EmailTaken, Code::LinkExpired, Code::LinkUsed]);

/// Uses the new address from now on, with the token of the mail that went there. Ends the other sessions.
#[utoipa::path(post, path = "/v1/email/confirm", tag = "Account", operation_id = "confirm_email",
    request_body(content = TokenRequest, content_type = "application/json"),
    responses((status = 200, description = "The account with its new address.", body = User), LinkErrors))]
async fn confirm(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<TokenRequest>,
) -> Result<Json<User>, Problem> {
    Ok(Json(accounts.confirm_email(&body.token, &client).await?.into()))
}

/// Goes back to the address before, with the token of the mail that went there. Ends all sessions.
#[utoipa::path(post, path = "/v1/email/undo", tag = "Account", operation_id = "undo_email",
    request_body(content = TokenRequest, content_type = "application/json"),
    responses((status = 200, description = "The account with its old address.", body = User), LinkErrors))]
async fn undo(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<TokenRequest>,
) -> Result<Json<User>, Problem> {
    Ok(Json(accounts.undo_email(&body.token, &client).await?.into()))
}
