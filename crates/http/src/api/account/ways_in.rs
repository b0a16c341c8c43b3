//! What an account signs in with.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, PasskeyId, RecoveryCode, Timestamp, WaysIn};

use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Bearer, Client, Json};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(show, remove_password, renew_recovery_codes)
}

/// A passkey of the account.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"id": "pky_06nq8sd5c9u7d1p4v0g2k8m3e4", "name": "Bitwarden", "created_at": "2026-03-01T09:30:00.000Z",
    "last_used_at": "2026-03-02T09:30:00.000Z", "backed_up": true, "transports": ["hybrid", "internal"]}))]
pub(super) struct Passkey {
    #[schema(value_type = String, pattern = "^pky_[0-9a-v]{26}$")]
    id: PasskeyId,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Absent until it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    last_used_at: Option<Timestamp>,
    /// Whether copies of it exist, as with a password manager.
    backed_up: bool,
    /// How browsers reach it.
    transports: Vec<String>,
}

impl From<vestibule::Passkey> for Passkey {
    fn from(passkey: vestibule::Passkey) -> Self {
        let vestibule::Passkey { id, name, created_at, last_used_at, backed_up, transports, .. } = passkey;
        Self { id, name, created_at, last_used_at, backed_up, transports }
    }
}

/// An authenticator app that is set up.
#[derive(Serialize, ToSchema)]
struct Authenticator {
    #[schema(value_type = String, format = DateTime)]
    confirmed_at: Timestamp,
}

/// What an account signs in with.
#[derive(Serialize, ToSchema)]
#[schema(as = WaysIn, example = json!({"password": true, "passkeys": [], "authenticator": {"confirmed_at": "2026-03-01T09:30:00.000Z"},
    "recovery_codes_left": 10}))]
pub(crate) struct Ways {
    /// Whether it has a password.
    password: bool,
    /// Oldest first.
    passkeys: Vec<Passkey>,
    /// Absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    authenticator: Option<Authenticator>,
    #[schema(minimum = 0)]
    recovery_codes_left: u32,
    /// From when on the account needs a second factor; absent where it has one, or none is demanded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    second_factor_required_by: Option<Timestamp>,
}

impl From<WaysIn> for Ways {
    fn from(ways: WaysIn) -> Self {
        Self {
            password: ways.password,
            passkeys: ways.passkeys.into_iter().map(Passkey::from).collect(),
            authenticator: ways.authenticator_confirmed_at.map(|confirmed_at| Authenticator { confirmed_at }),
            recovery_codes_left: ways.recovery_codes_left,
            second_factor_required_by: ways.second_factor_required_by,
        }
    }
}

errors!(ShowErrors: EVERY, API, BEARER);

/// What the account signs in with.
#[utoipa::path(get, path = "/v1/me/ways-in", tag = "Ways in", operation_id = "show_ways_in", security(("bearer" = [])),
    responses((status = 200, description = "The ways in.", body = Ways), ShowErrors))]
async fn show(State(accounts): State<Accounts>, Bearer(who): Bearer) -> Result<Json<Ways>, Problem> {
    let ways = accounts.ways_in(&who).await?.ok_or(Problem::new(Code::InvalidToken))?;
    Ok(Json(ways.into()))
}

errors!(RemovePasswordErrors: EVERY, API, BEARER, &[Code::ReauthenticationRequired, Code::LastWayIn, Code::NotFound]);

/// Removes the password of an account that has a passkey, and ends the other sessions. `POST /v1/me/password` sets one again.
#[utoipa::path(delete, path = "/v1/me/password", tag = "Ways in", operation_id = "remove_password",
    security(("bearer" = [])),
    responses((status = 204, description = "The account has no password."), RemovePasswordErrors))]
async fn remove_password(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
) -> Result<StatusCode, Problem> {
    accounts.remove_password(&who, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ten recovery codes, which are shown once. Each works once, in place of a second factor.
#[derive(Serialize, ToSchema)]
#[schema(as = NewRecoveryCodes, example = json!({"recovery_codes": ["7k2m-9xqa-03hd-v5rt", "b1c4-tz8e-wq6n-2ysm", "p0d9-hm3k-7vxa-q41j", "s8ce-0bnt-r6wg-5zy2",
    "3fqx-m7d1-k9tb-e0hv", "w2sa-6gpn-4cjz-8rm5", "x9v0-t3kd-b7qe-1nhs", "y5mg-c8rw-2ja4-f6px", "4zt1-q0bh-9sek-d3nv", "g6j8-r2yx-m5wc-7pa0"]}))]
pub(super) struct RecoveryCodes {
    #[schema(min_items = 10, max_items = 10)]
    recovery_codes: Vec<String>,
}

impl From<Vec<RecoveryCode>> for RecoveryCodes {
    fn from(codes: Vec<RecoveryCode>) -> Self {
        Self { recovery_codes: codes.iter().map(|code| code.expose().to_owned()).collect() }
    }
}

errors!(RenewErrors: EVERY, API, BEARER, &[Code::ReauthenticationRequired, Code::NotFound]);

/// Makes ten new recovery codes; those of before stop working, and the other sessions end. 404 without a second factor.
#[utoipa::path(post, path = "/v1/me/recovery-codes", tag = "Ways in", operation_id = "make_recovery_codes",
    security(("bearer" = [])),
    responses((status = 200, description = "The codes.", body = RecoveryCodes), RenewErrors))]
async fn renew_recovery_codes(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
) -> Result<Json<RecoveryCodes>, Problem> {
    Ok(Json(accounts.make_recovery_codes(&who, &client).await?.into()))
}
