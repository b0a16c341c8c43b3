//! A session proves again who it is (step-up, RFC 9470).

use std::borrow::Cow;

use axum::extract::State;
use axum::http::StatusCode;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use vestibule::{Accounts, SecondFactor, SecondFactorError};

use crate::api::sign_in::passkey::{Begun, PasskeyRequest};
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::describe::schemas::one_of;
use crate::extract::factor::second_factor;
use crate::extract::{Bearer, Client, Fields, GivenPassword, Json, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(begin, verify)
}

errors!(BeginErrors: EVERY, API, BEARER, &[Code::NotFound]);

/// Begins a proof with a passkey of the account.
#[utoipa::path(post, path = "/v1/me/verify/options", tag = "Ways in", operation_id = "begin_verification",
    security(("bearer" = [])),
    responses((status = 200, description = "The ceremony.", body = Begun), BeginErrors))]
async fn begin(State(accounts): State<Accounts>, Bearer(who): Bearer) -> Result<Json<Begun>, Problem> {
    Ok(Json(accounts.begin_passkey_step_up(&who).await?.into()))
}

/// The password. It is enough for what asks for any proof; never where the account has a second factor.
#[derive(ToSchema)]
#[schema(example = json!({"password": "violet-otter-maps-42"}))]
#[expect(dead_code, reason = "describes what `Proof` reads")]
struct PasswordProofRequest {
    #[schema(format = Password)]
    password: String,
}

/// What the authenticator app shows now.
#[derive(ToSchema)]
#[schema(example = json!({"code": "492039"}))]
#[expect(dead_code, reason = "describes what `Proof` reads")]
struct CodeProofRequest {
    #[schema(pattern = "^[0-9]{6}$")]
    code: String,
}

/// A recovery code. It is spent by this.
#[derive(ToSchema)]
#[schema(example = json!({"recovery_code": "7k2m-9xqa-03hd-v5rt"}))]
#[expect(dead_code, reason = "describes what `Proof` reads")]
struct RecoveryProofRequest {
    #[schema(pattern = "^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$")]
    recovery_code: String,
}

impl PartialSchema for Proof {
    fn schema() -> RefOr<Schema> {
        one_of(&[
            PasswordProofRequest::name(),
            CodeProofRequest::name(),
            RecoveryProofRequest::name(),
            PasskeyRequest::name(),
        ])
    }
}

impl ToSchema for Proof {
    fn name() -> Cow<'static, str> {
        "VerifyRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((PasswordProofRequest::name().into(), PasswordProofRequest::schema()));
        schemas.push((CodeProofRequest::name().into(), CodeProofRequest::schema()));
        schemas.push((RecoveryProofRequest::name().into(), RecoveryProofRequest::schema()));
        schemas.push((PasskeyRequest::name().into(), PasskeyRequest::schema()));
    }
}

enum Proof {
    Password(GivenPassword),
    Factor(SecondFactor),
}

impl ReadFields for Proof {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let password = fields.optional("/password", fields::given_password);
        match (password?, second_factor(fields)?) {
            (Some(password), None) => Some(Self::Password(password)),
            (None, Some(factor)) => Some(Self::Factor(factor)),
            (Some(_), Some(_)) => {
                fields.refuse(FieldError::new("/password", Code::Exclusive));
                None
            }
            (None, None) => {
                fields.refuse(FieldError::new("/password", Code::Required));
                None
            }
        }
    }
}

errors!(VerifyErrors: EVERY, API, BODY, BEARER, HASH, &[Code::CodeInvalid, Code::PasskeyRefused, Code::TooManyRequests]);

/// Proves again who the session belongs to, for what answers 401 `reauthentication_required`. The proof counts in this
/// session from now on; the next access token carries its time. Failures count as at sign-in.
#[utoipa::path(post, path = "/v1/me/verify", tag = "Ways in", operation_id = "verify_again", security(("bearer" = [])),
    request_body(content = Proof, content_type = "application/json"),
    responses((status = 204, description = "Proven."), VerifyErrors))]
async fn verify(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Json(proof): Json<Proof>,
) -> Result<StatusCode, Problem> {
    match proof {
        Proof::Password(password) => {
            let password = password.possible_at("/password")?;
            let proven = accounts.reauthenticate(&who, &password, &client).await;
            proven.map_err(|error| Problem::of_change(error, "/password"))?;
        }
        Proof::Factor(given) => {
            let proven = accounts.reauthenticate_with(&who, &given, &client).await;
            proven.map_err(|error| of_proof(error, &given))?;
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The token is fine: a 401 would make a client refresh it and ask again.
fn of_proof(error: SecondFactorError, given: &SecondFactor) -> Problem {
    match (error, given) {
        (SecondFactorError::Invalid { .. }, SecondFactor::Passkey(_)) => Problem::new(Code::PasskeyRefused),
        (
            SecondFactorError::Invalid { attempts_left },
            SecondFactor::Code(_) | SecondFactor::RecoveryCode(_),
        ) => Problem::new(Code::CodeInvalid).with_attempts_left(attempts_left),
        (SecondFactorError::Expired, _) => Problem::new(Code::InvalidToken),
        (error @ (SecondFactorError::Limited { .. } | SecondFactorError::Fault(_)), _) => error.into(),
    }
}
