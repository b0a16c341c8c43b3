//! Sign-in with a passkey (Web Authentication Level 3).

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vestibule::{Accounts, PasskeyAssertion, PasskeyCeremony, Timestamp};

use super::login::{Session, signed_in};
use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::errors::{API, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::factor::needed_assertion;
use crate::extract::{Client, Fields, Json, ReadFields, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(begin, sign_in)
}

/// A ceremony that was begun: what a browser is to do with a passkey.
#[derive(Serialize, ToSchema)]
#[schema(as = Ceremony, example = json!({
    "ceremony": "vpk_AZXb2m0qd4yVJ0x3m1q7SAAAAZXb2m0qPCk1rJmV3t0oZ4v3s9q2bQ",
    "public_key": {"challenge": "yTn5m1q7SPCk1rJmV3t0oZ4v3s9q2bYAZXb2m0qd4yU", "timeout": 300_000,
        "rpId": "accounts.example.org", "allowCredentials": [], "userVerification": "required"},
    "expires_at": "2026-03-01T09:35:00.000Z"
}))]
pub(crate) struct Begun {
    /// Opaque: comes back with the credential.
    #[schema(pattern = "^vpk_[A-Za-z0-9_-]{54}$")]
    ceremony: String,
    /// For `PublicKeyCredential.parseRequestOptionsFromJSON`, or `parseCreationOptionsFromJSON` where a passkey is to be made.
    #[schema(value_type = Object)]
    public_key: Value,
    /// When the ceremony is over.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<PasskeyCeremony> for Begun {
    fn from(PasskeyCeremony { ceremony, public_key, expires_at }: PasskeyCeremony) -> Self {
        Self { ceremony: ceremony.expose().to_owned(), public_key, expires_at }
    }
}

/// Nothing, or the challenge that the passkey is to answer as a second factor.
#[derive(ToSchema)]
#[schema(example = json!({}))]
struct BeginRequest {
    /// Of the problem `second_factor_required`.
    #[schema(required = false, nullable = false, pattern = "^vsf_[A-Za-z0-9_-]{43}$")]
    challenge: Option<String>,
}

impl ReadFields for BeginRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { challenge: fields.optional("/challenge", fields::any_text)? })
    }
}

errors!(BeginErrors: EVERY, API, BODY, &[Code::NotFound, Code::ChallengeExpired]);

/// Begins a sign-in with a passkey. Without a challenge the answer is the same for everybody: it names nobody.
#[utoipa::path(post, path = "/v1/login/passkey/options", tag = "Sign-in", operation_id = "begin_passkey_sign_in",
    request_body(content = BeginRequest, content_type = "application/json"),
    responses((status = 200, description = "The ceremony.", body = Begun), BeginErrors))]
async fn begin(
    State(accounts): State<Accounts>,
    Json(body): Json<BeginRequest>,
) -> Result<Json<Begun>, Problem> {
    Ok(Json(accounts.begin_passkey_sign_in(body.challenge.as_deref()).await?.into()))
}

/// A ceremony and what the browser gave for it.
#[derive(ToSchema)]
#[schema(as = PasskeyRequest, example = json!({
    "ceremony": "vpk_AZXb2m0qd4yVJ0x3m1q7SAAAAZXb2m0qPCk1rJmV3t0oZ4v3s9q2bQ",
    "credential": {"id": "q7SPCk1rJmV3t0oZ4v3s9g", "rawId": "q7SPCk1rJmV3t0oZ4v3s9g", "type": "public-key",
        "response": {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "authenticatorData": "AAAA",
            "signature": "MEUCIQ", "userHandle": "AAAA"}}
}))]
#[expect(dead_code, reason = "describes what `Used` reads")]
pub(crate) struct PasskeyRequest {
    ceremony: String,
    /// What `PublicKeyCredential.toJSON()` gave.
    #[schema(value_type = Object)]
    credential: Value,
}

struct Used(PasskeyAssertion);

impl ReadFields for Used {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        needed_assertion(fields).map(Self)
    }
}

errors!(SignInErrors: EVERY, API, BODY, &[Code::PasskeyUnknown, Code::PasskeyInvalid, Code::AccountDisabled,
    Code::TooManyRequests]);

/// Signs in with a passkey alone. Its authenticator has verified the user, so no second factor is asked for.
#[utoipa::path(post, path = "/v1/login/passkey", tag = "Sign-in", operation_id = "sign_in_with_passkey",
    request_body(content = PasskeyRequest, content_type = "application/json"),
    responses((status = 200, description = "Signed in.", body = Session), SignInErrors))]
async fn sign_in(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    Json(Used(given)): Json<Used>,
) -> Result<(HeaderMap, Json<Session>), Problem> {
    Ok(signed_in(&site, accounts.sign_in_with_passkey(&given, &client).await?))
}
