//! Routes for operators and other services: whether the server is alive and ready, and which keys verify its tokens.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Health, Timestamp};

use crate::app::Site;
use crate::describe::errors::{EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::Json;
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(livez, readyz, jwks)
}

/// The process answers.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "alive"}))]
struct Alive {
    #[schema(value_type = String, pattern = "^alive$")]
    status: &'static str,
}

errors!(LivezErrors: EVERY);

/// Whether the process answers. It never asks the database, so a database outage restarts nothing.
#[utoipa::path(get, path = "/livez", tag = "Operations", operation_id = "livez",
    responses((status = 200, description = "It does.", body = Alive), LivezErrors))]
async fn livez() -> Json<Alive> {
    Json(Alive { status: "alive" })
}

/// A sign-up would work now. Mail that fails does not change that: it waits and is tried again.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "ready", "mail": "ok", "mails_waiting": 0, "mails_failed": 0}))]
struct Ready {
    #[schema(value_type = String, pattern = "^ready$")]
    status: &'static str,
    /// `ok` or `failing`. The log and `vestibule mail` say why.
    #[schema(value_type = String, pattern = "^(ok|failing)$")]
    mail: &'static str,
    /// Messages in the outbox, counted to 1000.
    mails_waiting: i64,
    /// When the oldest of those was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    oldest_mail_at: Option<Timestamp>,
    /// Messages that were given up, counted to 1000.
    mails_failed: i64,
}

impl From<Health> for Ready {
    fn from(health: Health) -> Self {
        Self {
            status: "ready",
            // The cause may name servers and addresses: it stays in the log (G4).
            mail: if health.last_mail_error.is_some() { "failing" } else { "ok" },
            mails_waiting: health.mails_waiting,
            oldest_mail_at: health.oldest_mail_at,
            mails_failed: health.mails_failed,
        }
    }
}

errors!(ReadyzErrors: EVERY, HASH);

/// Whether a sign-up would work now, and the state of the mail. An answer may be a second old.
#[utoipa::path(get, path = "/readyz", tag = "Operations", operation_id = "readyz",
    responses((status = 200, description = "It would.", body = Ready), ReadyzErrors))]
async fn readyz(
    State(site): State<Arc<Site>>,
    State(accounts): State<Accounts>,
) -> Result<Json<Ready>, Problem> {
    site.readiness.of(&accounts).await.map(|health| Json(health.into()))
}

/// A JWK Set (RFC 7517 §5).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the library writes")]
struct KeySet {
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

errors!(JwksErrors: EVERY);

/// The public keys that verify access tokens.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "Operations", operation_id = "jwks",
    responses((status = 200, description = "The keys; they may be kept as long as `Cache-Control` says.", body = KeySet,
        example = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})), JwksErrors))]
async fn jwks(State(accounts): State<Accounts>) -> impl IntoResponse {
    // A new key signs once copies of this age have expired: both times come from the policy.
    let age = accounts.policy().tokens.jwks_max_age.as_secs();
    let headers =
        [(CONTENT_TYPE, "application/json".to_owned()), (CACHE_CONTROL, format!("public, max-age={age}"))];
    (headers, accounts.jwks())
}
