//! Sign-in and sign-out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use vestibule::{Accounts, Login, Tokens};

use crate::api::user::User;
use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::describe::schemas::one_of;
use crate::extract::{Bearer, Client, Fields, GivenPassword, Json, Query, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(sign_in, sign_out)
}

/// Who signs in: an email address or a user name, and the password.
struct LoginRequest {
    login: Login,
    password: GivenPassword,
}

impl ReadFields for LoginRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.optional("/email", fields::email);
        let user_name = fields.optional("/user_name", fields::user_name);
        let password = fields.required("/password", fields::given_password);
        let login = match (email, user_name) {
            (Some(Some(email)), Some(None)) => Some(Login::Email(email)),
            (Some(None), Some(Some(name))) => Some(Login::UserName(name)),
            (Some(None), Some(None)) => {
                fields.refuse(FieldError::new("/email", Code::Required));
                None
            }
            (Some(Some(_)), Some(Some(_))) => {
                fields.refuse(FieldError::new("/user_name", Code::Exclusive));
                None
            }
            (None, _) | (_, None) => None,
        };
        Some(Self { login: login?, password: password? })
    }
}

/// Somebody who signs in with an email address.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.org", "password": "violet-otter-maps-42"}))]
#[expect(dead_code, reason = "describes what `LoginRequest` reads")]
struct EmailLoginRequest {
    #[schema(format = "email", min_length = 5, max_length = 254)]
    email: String,
    #[schema(format = Password)]
    password: String,
}

/// Somebody who signs in with a user name.
#[derive(ToSchema)]
#[schema(example = json!({"user_name": "ada", "password": "violet-otter-maps-42"}))]
#[expect(dead_code, reason = "describes what `LoginRequest` reads")]
struct UserNameLoginRequest {
    #[schema(min_length = 2, max_length = 32)]
    user_name: String,
    #[schema(format = Password)]
    password: String,
}

impl PartialSchema for LoginRequest {
    fn schema() -> RefOr<Schema> {
        one_of(&[EmailLoginRequest::name(), UserNameLoginRequest::name()])
    }
}

impl ToSchema for LoginRequest {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((EmailLoginRequest::name().into(), EmailLoginRequest::schema()));
        schemas.push((UserNameLoginRequest::name().into(), UserNameLoginRequest::schema()));
    }
}

/// The tokens of a new session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session, example = json!({
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2ln", "token_type": "Bearer",
    "expires_in": 600, "refresh_token": "vrt_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX",
    "user": {"id": "usr_06nq8sd5c9u7d1p4v0g2k8m3e4", "email": "ada@example.org",
        "email_confirmed_at": "2026-03-01T09:30:00.000Z", "created_at": "2026-03-01T09:30:00.000Z", "roles": []}
}))]
pub(super) struct Session {
    /// A JWT (RFC 9068) for `Authorization: Bearer`.
    access_token: String,
    #[schema(value_type = String, pattern = "^Bearer$")]
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    /// Buys the next pair of tokens at `POST /v1/token`, once.
    refresh_token: String,
    user: User,
}

impl From<Tokens> for Session {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: tokens.expires_in.as_secs(),
            refresh_token: tokens.refresh_token.expose().to_owned(),
            user: tokens.account.into(),
        }
    }
}

errors!(LoginErrors: EVERY, API, BODY, HASH, &[
    Code::InvalidCredentials, Code::SecondFactorRequired, Code::EmailNotConfirmed, Code::AccountDisabled,
    Code::SecondFactorEnrolmentRequired, Code::TooManyRequests,
]);

/// Signs in. Whether the name or the password is wrong is not told.
///
/// Where the account has an authenticator app, or must have a second factor, the right password is answered with 401
/// `second_factor_required` and a `challenge` for `POST /v1/login/second-factor`.
#[utoipa::path(post, path = "/v1/login", tag = "Sign-in", operation_id = "sign_in",
    request_body(content = LoginRequest, content_type = "application/json"),
    responses((status = 200, description = "Signed in.", body = Session), LoginErrors))]
async fn sign_in(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    Json(body): Json<LoginRequest>,
) -> Result<(HeaderMap, Json<Session>), Problem> {
    let tokens = accounts.sign_in(&body.login, &body.password.possible()?, &client).await?;
    Ok(signed_in(&site, tokens))
}

/// The answer to a sign-in: its tokens, and what makes the device known.
pub(super) fn signed_in(site: &Site, tokens: Tokens) -> (HeaderMap, Json<Session>) {
    let known = site.cookies.set_device(tokens.device_token.as_ref()).map(|line| (SET_COOKIE, line));
    (known.into_iter().collect(), Json(tokens.into()))
}

struct LogoutQuery {
    all: bool,
}

impl ReadFields for LogoutQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { all: fields.optional("/all", fields::boolean("/all"))?.unwrap_or(false) })
    }
}

errors!(LogoutErrors: EVERY, API, BEARER, &[Code::ValidationFailed]);

/// Ends the session, or all sessions of the user. Their access tokens are refused from then on.
#[utoipa::path(post, path = "/v1/logout", tag = "Sign-in", operation_id = "sign_out", security(("bearer" = [])),
    params(("all" = Option<bool>, Query, description = "End every session of the user.")),
    responses((status = 204, description = "Signed out."), LogoutErrors))]
async fn sign_out(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Query(query): Query<LogoutQuery>,
) -> Result<StatusCode, Problem> {
    accounts.sign_out(&who, query.all, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
