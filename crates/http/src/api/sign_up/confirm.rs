//! Confirmation by code or link, and resending the mail.

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::ToSchema;
use vestibule::{Accounts, Code as MailedCode, Terms, UserName};

use crate::api::common::{ACCEPTED, Accepted, AddressRequest};
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::terms::terms;
use crate::extract::{Basic, Client, Fields, GivenPassword, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(confirm_by_code, confirm_by_link, resend)
}

/// The code of the mail.
#[derive(ToSchema)]
#[schema(example = json!({"code": "0421"}))]
struct CodeRequest {
    /// The digits as a text, leading zeros included.
    #[schema(value_type = String, pattern = "^[0-9]{4,8}$", min_length = 4, max_length = 8)]
    code: MailedCode,
    /// Another name than the one of the sign-up, where that was taken meanwhile.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    user_name: Option<UserName>,
}

impl ReadFields for CodeRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let code = fields.required("/code", fields::code);
        let user_name = fields.optional("/user_name", fields::user_name);
        Some(Self { code: code?, user_name: user_name? })
    }
}

errors!(CodeErrors: EVERY, API, BODY, HASH, &[
    Code::AuthenticationRequired, Code::InvalidCredentials, Code::UserNameTaken, Code::CodeExpired,
    Code::CodeInvalid, Code::TooManyRequests,
]);

/// Activates the account with the code of the mail. The code works once, for one minute, for three guesses.
#[utoipa::path(post, path = "/v1/confirm/code", tag = "Sign-up", operation_id = "confirm_by_code",
    request_body(content = CodeRequest, content_type = "application/json"), security(("basic" = [])),
    responses((status = 200, description = "The account is active.", body = User), CodeErrors))]
async fn confirm_by_code(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Basic { email, password }: Basic,
    Json(body): Json<CodeRequest>,
) -> Result<Json<User>, Problem> {
    let confirmed = accounts.confirm_by_code(&email, &password, &body.code, body.user_name, &client).await;
    let account = confirmed.map_err(|error| Problem::from(error).asking_for_basic())?;
    Ok(Json(account.into()))
}

/// The token of the mailed link.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "password": "violet-otter-maps-42"
}))]
struct LinkRequest {
    /// What follows `token=` in the link.
    token: String,
    /// The password of the sign-up. Required unless the server is set to trust the link alone.
    #[schema(value_type = String, format = Password, required = false)]
    password: Option<GivenPassword>,
    /// Another name than the one of the sign-up, where that was taken meanwhile.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    user_name: Option<UserName>,
    /// Whether they accept the operator's terms: counts only where the password is chosen here, and must then be `true` where
    /// `signup.consent` is `checkbox`.
    #[schema(value_type = bool, required = false)]
    terms_accepted: Terms,
}

impl ReadFields for LinkRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.required("/token", fields::any_text);
        let password = fields.optional("/password", fields::given_password);
        let user_name = fields.optional("/user_name", fields::user_name);
        let terms_accepted = terms(fields);
        if fields.policy().confirm.require_password && matches!(password, Some(None)) {
            fields.refuse(FieldError::new("/password", Code::Required));
        }
        Some(Self {
            token: token?,
            password: password?,
            user_name: user_name?,
            terms_accepted: terms_accepted?,
        })
    }
}

errors!(LinkErrors: EVERY, API, BODY, HASH, &[
    Code::InvalidCredentials, Code::UserNameTaken, Code::LinkExpired, Code::LinkUsed, Code::TooManyRequests,
]);

/// Activates the account with the token of the mailed link, and the password of the sign-up.
///
/// Where more people have signed up with an address than may wait, the mail says that the password is chosen here: then it
/// becomes that of the account, and 422 says why it may not.
#[utoipa::path(post, path = "/v1/confirm", tag = "Sign-up", operation_id = "confirm_by_link",
    request_body(content = LinkRequest, content_type = "application/json"),
    responses((status = 200, description = "The account is active.", body = User), LinkErrors))]
async fn confirm_by_link(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<LinkRequest>,
) -> Result<Json<User>, Problem> {
    let password = body.password.map(GivenPassword::possible).transpose()?;
    let LinkRequest { token, user_name, terms_accepted, .. } = body;
    let account =
        accounts.confirm_by_link(&token, password.as_ref(), user_name, terms_accepted, &client).await?;
    Ok(Json(account.into()))
}

errors!(ResendErrors: EVERY, API, BODY, &[Code::TooManyRequests]);

/// Asks for another mail. Always 202; at most one mail per minute, and more rarely after several.
#[utoipa::path(post, path = "/v1/confirm/resend", tag = "Sign-up", operation_id = "resend",
    request_body(content = AddressRequest, content_type = "application/json"),
    responses((status = 202, description = "The same for every address.", body = Accepted), ResendErrors))]
async fn resend(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<AddressRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    accounts.resend(&body.email, &client).await?;
    Ok((StatusCode::ACCEPTED, Json(ACCEPTED)))
}
