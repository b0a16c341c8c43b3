//! What a client may know of the user whose token it has (OpenID Connect Core §5.3).

use axum::extract::State;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use vestibule::{Accounts, UserId};

use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{AccessToken, Json};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(user_info, user_info_by_post)
}

/// The claims that the scopes of the token allow.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "sub": "usr_06nq8sd5c9u7d1p4v0g2k8m3e4", "email": "ada@example.org", "email_verified": true,
    "preferred_username": "ada", "locale": "en"
}))]
struct UserInfo {
    /// The `id` of the account; the `sub` of the ID token.
    #[schema(value_type = String, pattern = "^usr_[0-9a-v]{26}$")]
    sub: UserId,
    /// With the scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "email")]
    email: Option<String>,
    /// Beside `email`: every address here is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    /// What the user is called, where it is known: with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The user name, where there is one: with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<String>,
    /// The language of mails, where it is known: with the scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    /// More claims, where the registration of the client names some and they have a value.
    #[serde(flatten)]
    claims: Map<String, Value>,
}

impl From<vestibule::UserInfo> for UserInfo {
    fn from(info: vestibule::UserInfo) -> Self {
        Self {
            sub: info.sub,
            email_verified: info.email.is_some().then_some(true),
            email: info.email,
            name: info.name,
            preferred_username: info.preferred_username,
            locale: info.locale,
            claims: info.claims,
        }
    }
}

errors!(UserInfoErrors: EVERY, API, BEARER);

/// Who the user is: for the access token of a client that was issued with the scope `openid`.
#[utoipa::path(get, path = "/v1/userinfo", tag = "Sign-in", operation_id = "user_info", security(("client_token" = [])),
    responses((status = 200, description = "The user.", body = UserInfo), UserInfoErrors))]
async fn user_info(
    State(accounts): State<Accounts>,
    AccessToken(token): AccessToken,
) -> Result<Json<UserInfo>, Problem> {
    Ok(Json(accounts.user_info(&token).await?.into()))
}

/// The same: OpenID Connect asks for both methods. A body is not read.
#[utoipa::path(post, path = "/v1/userinfo", tag = "Sign-in", operation_id = "user_info_by_post", security(("client_token" = [])),
    responses((status = 200, description = "The user.", body = UserInfo), UserInfoErrors))]
async fn user_info_by_post(
    State(accounts): State<Accounts>,
    AccessToken(token): AccessToken,
) -> Result<Json<UserInfo>, Problem> {
    Ok(Json(accounts.user_info(&token).await?.into()))
}
