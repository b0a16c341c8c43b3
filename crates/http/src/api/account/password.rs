//! Passwords: forgotten, reset, changed, checked.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Email, Password, PasswordError, Strength};

use crate::api::common::{ACCEPTED, Accepted, AddressRequest};
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::fields::possible_at;
use crate::extract::{Bearer, Client, Fields, GivenPassword, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(forgot, reset, change, check)
}

errors!(ForgotErrors: EVERY, API, BODY);

/// Mails a link that sets a new password, if there is such an account. Always 202, so that the answer does not tell.
#[utoipa::path(post, path = "/v1/password/forgot", tag = "Account", operation_id = "forgot_password",
    request_body(content = AddressRequest, content_type = "application/json"),
    responses((status = 202, description = "The same for every address.", body = Accepted), ForgotErrors))]
async fn forgot(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<AddressRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    accounts.forgot_password(&body.email, &client).await?;
    Ok((StatusCode::ACCEPTED, Json(ACCEPTED)))
}

/// The token of the mailed link, and what shall be the password.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "new_password": "copper-lamp-river-77"
}))]
pub(crate) struct ResetRequest {
    /// What follows `token=` in the link.
    pub(crate) token: String,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    pub(crate) new_password: Password,
}

impl ReadFields for ResetRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.required("/token", fields::any_text);
        let new_password = fields.required("/new_password", fields::new_password("/new_password"));
        Some(Self { token: token?, new_password: new_password? })
    }
}

errors!(ResetErrors: EVERY, API, BODY, HASH, &[Code::PasswordRemoved, Code::LinkExpired, Code::LinkUsed]);

/// Sets a new password with the mailed token and ends all sessions. It does not sign in.
#[utoipa::path(post, path = "/v1/password/reset", tag = "Account", operation_id = "reset_password",
    request_body(content = ResetRequest, content_type = "application/json"),
    responses((status = 204, description = "The password is set."), ResetErrors))]
async fn reset(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<ResetRequest>,
) -> Result<StatusCode, Problem> {
    accounts.reset_password(&body.token, &body.new_password, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The present password and the next.
#[derive(ToSchema)]
#[schema(example = json!({"current_password": "violet-otter-maps-42", "new_password": "copper-lamp-river-77"}))]
pub(crate) struct ChangePasswordRequest {
    /// An account without a password leaves it out.
    #[schema(value_type = String, format = Password, required = false)]
    pub(crate) current_password: Option<GivenPassword>,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    pub(crate) new_password: Password,
}

impl ReadFields for ChangePasswordRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let current_password = fields.optional("/current_password", fields::given_password);
        let new_password = fields.required("/new_password", fields::new_password("/new_password"));
        Some(Self { current_password: current_password?, new_password: new_password? })
    }
}

errors!(ChangeErrors: EVERY, API, BODY, BEARER, HASH, &[Code::ReauthenticationRequired, Code::TooManyRequests]);

/// Changes the password and ends the other sessions.
///
/// A wrong present password is 422 with `password_wrong`, and counts like a failed sign-in.
#[utoipa::path(post, path = "/v1/me/password", tag = "Account", operation_id = "change_password",
    security(("bearer" = [])),
    request_body(content = ChangePasswordRequest, content_type = "application/json"),
    responses((status = 204, description = "The password is changed."), ChangeErrors))]
async fn change(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Json(body): Json<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    let at = "/current_password";
    let current = possible_at(body.current_password, at)?;
    let changed = accounts.change_password(&who, current.as_ref(), &body.new_password, &client).await;
    changed.map_err(|error| Problem::of_change(error, at))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A password that somebody thinks of, and whose it would be.
#[derive(ToSchema)]
#[schema(example = json!({"password": "ada@example.org", "email": "ada@example.org"}))]
struct CheckRequest {
    /// Any text: what cannot be a password is answered like what should not be one.
    #[schema(value_type = String, format = Password)]
    password: Result<Password, PasswordError>,
    /// The address of the account, which its password may not repeat.
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254, required = false)]
    email: Option<Email>,
}

impl ReadFields for CheckRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let password = fields.required("/password", |text| Ok(Password::new(text)));
        let email = fields.optional("/email", fields::email);
        Some(Self { password: password?, email: email? })
    }
}

/// What a strength meter shows.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"ok": false, "score": 0, "reasons": [{"code": "password_contextual",
    "detail": "the password is the name of this service, your user name or your email address"}]}))]
struct Checked {
    /// Whether it may be chosen.
    ok: bool,
    /// How hard it is to guess, as zxcvbn says: 0 (a thousand guesses, or on a list) to 4 (more than 10 billion). Below 2
    /// it may not be chosen; from 2 on `reasons` may still have one, such as its length.
    #[schema(minimum = 0, maximum = 4)]
    score: u8,
    /// Every reason why it may not be chosen.
    reasons: Vec<Reason>,
}

/// Why a password may not be chosen.
#[derive(Serialize, ToSchema)]
struct Reason {
    /// One of the codes of `/docs/errors` that begin with `password_`.
    #[schema(value_type = String, pattern = "^password_")]
    code: Code,
    /// The same for people.
    detail: String,
}

impl From<Strength> for Checked {
    fn from(strength: Strength) -> Self {
        let refused = strength.reasons.iter().map(|error| FieldError::password("/password", error));
        let reasons: Vec<Reason> =
            refused.map(|FieldError { code, detail, .. }| Reason { code, detail: detail.into() }).collect();
        Self { ok: reasons.is_empty(), score: strength.score, reasons }
    }
}

errors!(CheckErrors: EVERY, API, BODY, HASH, &[Code::TooManyRequests]);

/// Judges a password for a strength meter. It is neither stored nor logged. Each client may ask 120 times a minute.
#[utoipa::path(post, path = "/v1/password/check", tag = "Account", operation_id = "check_password",
    request_body(content = CheckRequest, content_type = "application/json"),
    responses((status = 200, description = "The judgement.", body = Checked), CheckErrors))]
async fn check(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<CheckRequest>,
) -> Result<Json<Checked>, Problem> {
    let CheckRequest { password, email } = body;
    let strength = match password {
        Ok(password) => accounts.check_password(&password, email.as_ref(), &client).await?,
        Err(impossible) => Strength { score: 0, reasons: vec![impossible] },
    };
    Ok(Json(strength.into()))
}
