//! The second half of a sign-in.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use vestibule::{Accounts, SecondFactor};

use super::login::{Session, signed_in};
use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::errors::{API, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::describe::schemas::one_of;
use crate::extract::factor::second_factor;
use crate::extract::{Client, Fields, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(answer)
}

/// The challenge of a sign-in, and what the authenticator app shows now.
#[derive(ToSchema)]
#[schema(example = json!({"challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "code": "492039"}))]
#[expect(dead_code, reason = "describes what `Answer` reads")]
struct CodeAnswerRequest {
    /// Of the problem `second_factor_required`.
    challenge: String,
    #[schema(pattern = "^[0-9]{6}$")]
    code: String,
}

/// The challenge of a sign-in, and one of the recovery codes.
#[derive(ToSchema)]
#[schema(example = json!({"challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "recovery_code": "7k2m-9xqa-03hd-v5rt"}))]
#[expect(dead_code, reason = "describes what `Answer` reads")]
struct RecoveryAnswerRequest {
    /// Of the problem `second_factor_required`.
    challenge: String,
    #[schema(pattern = "^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$")]
    recovery_code: String,
}

/// The challenge of a sign-in, and a passkey that was used in a ceremony of this challenge.
#[derive(ToSchema)]
#[schema(example = json!({"challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY",
    "ceremony": "vpk_AZXb2m0qd4yVJ0x3m1q7SAAAAZXb2m0qPCk1rJmV3t0oZ4v3s9q2bQ",
    "credential": {"id": "q7SPCk1rJmV3t0oZ4v3s9g", "rawId": "q7SPCk1rJmV3t0oZ4v3s9g", "type": "public-key",
        "response": {"clientDataJSON": "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "authenticatorData": "AAAA",
            "signature": "MEUCIQ", "userHandle": "AAAA"}}}))]
#[expect(dead_code, reason = "describes what `Answer` reads")]
struct PasskeyAnswerRequest {
    /// Of the problem `second_factor_required`.
    challenge: String,
    /// Of `POST /v1/login/passkey/options` with this challenge.
    ceremony: String,
    /// What `PublicKeyCredential.toJSON()` gave.
    #[schema(value_type = Object)]
    credential: Value,
}

impl PartialSchema for Answer {
    fn schema() -> RefOr<Schema> {
        one_of(&[CodeAnswerRequest::name(), RecoveryAnswerRequest::name(), PasskeyAnswerRequest::name()])
    }
}

impl ToSchema for Answer {
    fn name() -> Cow<'static, str> {
        "SecondFactorRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((CodeAnswerRequest::name().into(), CodeAnswerRequest::schema()));
        schemas.push((RecoveryAnswerRequest::name().into(), RecoveryAnswerRequest::schema()));
        schemas.push((PasskeyAnswerRequest::name().into(), PasskeyAnswerRequest::schema()));
    }
}

struct Answer {
    challenge: String,
    given: SecondFactor,
}

impl ReadFields for Answer {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let challenge = fields.required("/challenge", fields::any_text);
        let given = second_factor(fields)?;
        if given.is_none() {
            fields.refuse(FieldError::new("/code", Code::Required));
        }
        Some(Self { challenge: challenge?, given: given? })
    }
}

errors!(AnswerErrors: EVERY, API, BODY, &[Code::SecondFactorInvalid, Code::ChallengeExpired, Code::TooManyRequests]);

/// Signs in with the challenge of a right password and a second factor.
///
/// Wrong answers are counted for the account and the kind of factor, whatever the challenge. The challenge works once; until then
/// it takes further answers, for five minutes.
#[utoipa::path(post, path = "/v1/login/second-factor", tag = "Sign-in", operation_id = "answer_second_factor",
    request_body(content = Answer, content_type = "application/json"),
    responses((status = 200, description = "Signed in.", body = Session), AnswerErrors))]
async fn answer(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    Json(body): Json<Answer>,
) -> Result<(HeaderMap, Json<Session>), Problem> {
    let tokens = accounts.second_factor(&body.challenge, &body.given, &client).await?;
    Ok(signed_in(&site, tokens))
}
