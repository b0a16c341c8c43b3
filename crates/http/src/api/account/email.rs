//! A new address for an account: requested, confirmed, undone.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;
use vestibule::{Accounts, Email, EmailProof};

use super::password::ResetRequest;
use crate::api::common::{ACCEPTED, Accepted};
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::fields::possible_at;
use crate::extract::{Bearer, Client, Fields, GivenPassword, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(change, confirm, undo)
}

/// The address to use from now on, and the password.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.com", "password": "violet-otter-maps-42"}))]
pub(crate) struct ChangeEmailRequest {
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254)]
    pub(crate) email: Email,
    /// An account without a password leaves it out.
    #[schema(value_type = String, format = Password, required = false)]
    pub(crate) password: Option<GivenPassword>,
}

impl ReadFields for ChangeEmailRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("/email", fields::email);
        let password = fields.optional("/password", fields::given_password);
        Some(Self { email: email?, password: password? })
    }
}

errors!(ChangeErrors: EVERY, API, BODY, BEARER, HASH, &[Code::ReauthenticationRequired, Code::TooManyRequests]);

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
    Bearer(who): Bearer,
    Json(body): Json<ChangeEmailRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let at = "/password";
    let password = possible_at(body.password, at)?;
    let asked = accounts.change_email(&who, &body.email, password.as_ref(), &client).await;
    asked.map_err(|error| Problem::of_change(error, at))?;
    Ok((StatusCode::ACCEPTED, Json(ACCEPTED)))
}

/// The token of the mail that went to the new address, and the password.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "password": "violet-otter-maps-42"
}))]
pub(crate) struct ConfirmEmailRequest {
    /// What follows `token=` in the link.
    pub(crate) token: String,
    /// Of the account. It may be left out where the access token is one of the session that asked for the change.
    #[schema(value_type = String, format = Password, required = false)]
    pub(crate) password: Option<GivenPassword>,
}

impl ReadFields for ConfirmEmailRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.required("/token", fields::any_text);
        let password = fields.optional("/password", fields::given_password);
        Some(Self { token: token?, password: password? })
    }
}

errors!(ConfirmErrors: EVERY, API, BODY, HASH, &[
    Code::InvalidCredentials, Code::InvalidToken, Code::EmailTaken, Code::LinkExpired, Code::LinkUsed,
    Code::TooManyRequests,
]);

/// Uses the new address from now on. Ends the other sessions.
///
/// It takes two proofs: the token of the mail that went to the new address, and the password or the session that asked for
/// the change. A stranger who got the mail because the address was mistyped has neither of the latter.
#[utoipa::path(post, path = "/v1/email/confirm", tag = "Account", operation_id = "confirm_email",
    security((), ("bearer" = [])),
    request_body(content = ConfirmEmailRequest, content_type = "application/json"),
    responses((status = 200, description = "The account with its new address.", body = User), ConfirmErrors))]
async fn confirm(
    State(accounts): State<Accounts>,
    Client(client): Client,
    who: Option<Bearer>,
    Json(body): Json<ConfirmEmailRequest>,
) -> Result<Json<User>, Problem> {
    let password = body.password.map(GivenPassword::possible).transpose()?;
    let proof = match (&password, &who) {
        (Some(password), _) => EmailProof::Password(password),
        (None, Some(Bearer(who))) => EmailProof::Session(who),
        (None, None) => return Err(FieldError::new("/password", Code::Required).into()),
    };
    Ok(Json(accounts.confirm_email(&body.token, proof, &client).await?.into()))
}

errors!(UndoErrors: EVERY, API, BODY, HASH, &[Code::EmailTaken, Code::LinkExpired, Code::LinkUsed]);

/// Goes back to the address before, with the token of the mail that went there, and sets a new password.
///
/// Whoever made the change may know the old password, so it may not be the new one. Ends all sessions and signs nobody in.
#[utoipa::path(post, path = "/v1/email/undo", tag = "Account", operation_id = "undo_email",
    request_body(content = ResetRequest, content_type = "application/json"),
    responses((status = 200, description = "The account with its old address.", body = User), UndoErrors))]
async fn undo(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<ResetRequest>,
) -> Result<Json<User>, Problem> {
    Ok(Json(accounts.undo_email(&body.token, &body.new_password, &client).await?.into()))
}
