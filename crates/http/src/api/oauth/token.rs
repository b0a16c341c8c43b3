//! Tokens as `OAuth` 2 issues them (RFC 6749, OpenID Connect Core §3.1.3).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::PRAGMA;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};
use vestibule::{Accounts, ApplicationTokens, Secret, Tokens};

use super::client::ClientCredentials;
use super::client_grant::{
    AuthorizationCodeGrantForm, ClientCredentialsGrantForm, ClientGrant, RefreshGrantForm,
};
use super::own_grant::{CodeGrantForm, OwnGrant, PasswordGrantForm, RecoveryGrantForm, SECOND_FACTOR};
use super::refusal::{self, Refusal};
use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::routes::{Routes, routes};
use crate::describe::schemas::one_of;
use crate::extract::{Client, Pairs};

pub(super) fn routes() -> Routes {
    routes!(token)
}

/// The answer of RFC 6749 §5.1.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3JfMDEifQ.c2ln",
    "token_type": "Bearer", "expires_in": 600, "refresh_token": "vrt_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX"
}))]
struct TokenAnswer {
    access_token: String,
    #[schema(value_type = String, pattern = "^Bearer$")]
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    /// Works once. A client gets one with the scope `offline_access`.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    /// Who signed in (OpenID Connect Core §2): for a client, with the scope `openid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    /// What the access token of a client is for, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl From<Tokens> for TokenAnswer {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access_token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: tokens.expires_in.as_secs(),
            refresh_token: Some(tokens.refresh_token.expose().to_owned()),
            id_token: None,
            scope: None,
        }
    }
}

impl From<ApplicationTokens> for TokenAnswer {
    fn from(tokens: ApplicationTokens) -> Self {
        let text = |secret: Secret| secret.expose().to_owned();
        Self {
            access_token: text(tokens.access_token),
            token_type: "Bearer",
            expires_in: tokens.expires_in.as_secs(),
            refresh_token: tokens.refresh_token.map(text),
            id_token: tokens.id_token.map(text),
            scope: Some(tokens.scopes.to_string()),
        }
    }
}

impl IntoResponse for TokenAnswer {
    fn into_response(self) -> Response {
        let no_cache = [
            (PRAGMA, HeaderValue::from_static("no-cache")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (no_cache, axum::Json(self)).into_response()
    }
}

/// The request in the form.
enum Grant {
    Own(OwnGrant),
    Client(ClientCredentials, ClientGrant),
}

impl PartialSchema for Grant {
    fn schema() -> RefOr<Schema> {
        one_of(&[
            PasswordGrantForm::name(),
            AuthorizationCodeGrantForm::name(),
            RefreshGrantForm::name(),
            ClientCredentialsGrantForm::name(),
            CodeGrantForm::name(),
            RecoveryGrantForm::name(),
        ])
    }
}

impl ToSchema for Grant {
    fn name() -> Cow<'static, str> {
        "TokenForm".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([
            (PasswordGrantForm::name().into(), PasswordGrantForm::schema()),
            (AuthorizationCodeGrantForm::name().into(), AuthorizationCodeGrantForm::schema()),
            (RefreshGrantForm::name().into(), RefreshGrantForm::schema()),
            (ClientCredentialsGrantForm::name().into(), ClientCredentialsGrantForm::schema()),
            (CodeGrantForm::name().into(), CodeGrantForm::schema()),
            (RecoveryGrantForm::name().into(), RecoveryGrantForm::schema()),
        ]);
    }
}

impl Grant {
    /// `passwords`: whether a password may be exchanged here.
    fn read(headers: &HeaderMap, mut form: Pairs, passwords: bool) -> Result<Self, Refusal> {
        let named = form.filled("grant_type");
        match named.as_deref() {
            None if !passwords => Err(Refusal::new("invalid_request", "`grant_type` is missing")),
            None | Some("password") if passwords => Ok(Self::Own(OwnGrant::password(form)?)),
            Some(SECOND_FACTOR) if passwords => Ok(Self::Own(OwnGrant::second_factor(form)?)),
            Some("authorization_code") => {
                let client = required(ClientCredentials::read(headers, &mut form)?)?;
                Ok(Self::Client(client, ClientGrant::code(form)?))
            }
            Some("refresh_token") => match ClientCredentials::read(headers, &mut form)? {
                Some(client) => Ok(Self::Client(client, ClientGrant::refresh(form)?)),
                None => Ok(Self::Own(OwnGrant::refresh(form)?)),
            },
            Some("client_credentials") => {
                let client = required(ClientCredentials::read(headers, &mut form)?)?;
                Ok(Self::Client(client, ClientGrant::itself(form)?))
            }
            Some("password") => Err(switched_off("sign in with `POST /v1/login`")),
            Some(SECOND_FACTOR) => {
                Err(switched_off("give the second factor to `POST /v1/login/second-factor`"))
            }
            _ => Err(Refusal::new(
                "unsupported_grant_type",
                "use `authorization_code`, `refresh_token` or `client_credentials`",
            )),
        }
    }
}

fn required(client: Option<ClientCredentials>) -> Result<ClientCredentials, Refusal> {
    client.ok_or_else(|| Refusal::unknown_client(false))
}

fn switched_off(instead: &str) -> Refusal {
    Refusal::new("unsupported_grant_type", &format!("passwords are not exchanged here: {instead}"))
}

struct TokenErrors;

impl IntoResponses for TokenErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let bad = "The request, or what it offers, is not valid: `invalid_request`, `invalid_grant`, `invalid_scope`, \
                   `invalid_target`, `unauthorized_client` or `unsupported_grant_type`.";
        refusal::responses(
            ("invalid_grant", bad),
            &[
                ("invalid_client", Code::InvalidClient),
                ("second_factor_required", Code::Forbidden),
                ("temporarily_unavailable", Code::TooManyRequests),
                ("temporarily_unavailable", Code::TemporarilyOverloaded),
            ],
        )
    }
}

/// Exchanges a code, a refresh token, or the credentials of a client for tokens; where it is allowed, a password too.
///
/// A client authenticates with HTTP Basic, with `client_id` and `client_secret` in the form, or with a `client_assertion` that it
/// has signed; a public client sends its `client_id` alone. A refresh token that comes without a client is one of this service's own sign-in. A code works once:
/// the second use of one ends the session that the first has begun.
///
/// A refresh token works once. Of requests that bring the same one at once, one gets tokens, and the others 429 with
/// `Retry-After`. After that time the token may be brought again, in case the answer got lost: it buys other tokens as long
/// as those have not been used, which then do not work any more. In every other case a used token ends its session.
///
/// Passwords are exchanged in development mode, and with the setting `tokens.password_grant`: elsewhere `POST /v1/login`
/// signs in. Where the account needs a second factor, the right password is answered 403 `second_factor_required` with a
/// `challenge` for the grant `urn:vestibule:second-factor`.
#[utoipa::path(post, path = "/v1/token", tag = "Sign-in", operation_id = "token",
    request_body(content = Grant, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Tokens.", body = TokenAnswer,
        headers(("Pragma" = String, description = "`no-cache`"))),
        TokenErrors))]
async fn token(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    request: Request,
) -> Result<TokenAnswer, Refusal> {
    let headers = request.headers().clone();
    match Grant::read(&headers, refusal::form(request).await?, site.password_grant)? {
        Grant::Own(grant) => Ok(grant.exchange(&accounts, &client).await?.into()),
        Grant::Client(credentials, grant) => {
            let by = credentials.authenticate(&accounts).await?;
            Ok(grant.exchange(&accounts, &by, &client).await?.into())
        }
    }
}
