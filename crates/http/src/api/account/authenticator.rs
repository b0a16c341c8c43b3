//! The authenticator app of an account (RFC 6238).

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, NewAuthenticator, TotpCode};

use super::ways_in::RecoveryCodes;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Bearer, Client, Fields, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::qr_code;

pub(super) fn routes() -> Routes {
    routes!(begin, confirm, remove)
}

/// A new secret, which counts once a code of it was given.
#[derive(Serialize, ToSchema)]
#[schema(as = NewAuthenticator, example = json!({"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "otpauth_uri": "otpauth://totp/Example:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Example&algorithm=SHA1&digits=6&period=30",
    "qr_svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"}))]
struct Begun {
    /// For people who type it: base 32.
    #[schema(pattern = "^[A-Z2-7]{32}$")]
    secret: String,
    /// What the QR code holds.
    otpauth_uri: String,
    /// The QR code, as an SVG image.
    qr_svg: String,
}

impl From<NewAuthenticator> for Begun {
    fn from(NewAuthenticator { secret, uri }: NewAuthenticator) -> Self {
        let qr_svg = qr_code::svg(uri.expose());
        Self { secret: secret.expose().to_owned(), otpauth_uri: uri.expose().to_owned(), qr_svg }
    }
}

errors!(BeginErrors: EVERY, API, BEARER, &[Code::ReauthenticationRequired, Code::AuthenticatorExists]);

/// Begins to set up an authenticator app. A second call replaces what was not confirmed.
#[utoipa::path(post, path = "/v1/me/authenticator", tag = "Ways in", operation_id = "begin_authenticator",
    security(("bearer" = [])),
    responses((status = 200, description = "The secret.", body = Begun), BeginErrors))]
async fn begin(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
) -> Result<Json<Begun>, Problem> {
    Ok(Json(accounts.begin_authenticator(&who, &client).await?.into()))
}

/// What the app shows now.
#[derive(ToSchema)]
#[schema(example = json!({"code": "492039"}))]
struct ConfirmAuthenticatorRequest {
    #[schema(value_type = String, pattern = "^[0-9]{6}$")]
    code: TotpCode,
}

impl ReadFields for ConfirmAuthenticatorRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { code: fields.required("/code", fields::totp_code)? })
    }
}

errors!(ConfirmErrors: EVERY, API, BODY, BEARER, &[Code::ReauthenticationRequired, Code::NotFound, Code::CodeInvalid]);

/// Sets the app up with its first code, and ends the other sessions. From now on the password asks for a code.
#[utoipa::path(post, path = "/v1/me/authenticator/confirm", tag = "Ways in", operation_id = "confirm_authenticator",
    security(("bearer" = [])),
    request_body(content = ConfirmAuthenticatorRequest, content_type = "application/json"),
    responses((status = 200, description = "It is set up.", body = RecoveryCodes), ConfirmErrors))]
async fn confirm(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Json(body): Json<ConfirmAuthenticatorRequest>,
) -> Result<Json<RecoveryCodes>, Problem> {
    Ok(Json(accounts.confirm_authenticator(&who, &body.code, &client).await?.into()))
}

errors!(RemoveErrors: EVERY, API, BEARER, &[Code::ReauthenticationRequired, Code::NotFound, Code::LastWayIn]);

/// Removes the app, and ends the other sessions. Without a passkey the recovery codes go, too.
#[utoipa::path(delete, path = "/v1/me/authenticator", tag = "Ways in", operation_id = "remove_authenticator",
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone."), RemoveErrors))]
async fn remove(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
) -> Result<StatusCode, Problem> {
    accounts.remove_authenticator(&who, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
