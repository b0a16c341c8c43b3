//! Tokens as `OAuth` 2 issues (RFC 6749) and revokes them (RFC 7009).

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::header::PRAGMA;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};
use vestibule::{
    Accounts, Login, Password, RecoveryCodeError, RefreshError, SecondFactor, SecondFactorError, SignInError,
    Tokens, TotpCodeError,
};

use super::refusal::{self, Refusal};
use crate::catalogue::Code;
use crate::describe::routes::{Routes, routes};
use crate::describe::schemas::one_of;
use crate::extract::{Client, Pairs};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(token, revoke)
}

/// A password to exchange. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "password", "username": "ada@example.org", "password": "violet-otter-maps-42"}))]
#[expect(dead_code, reason = "describes what `Grant` reads")]
struct PasswordGrantForm {
    #[schema(required = false, nullable = false, pattern = "^(password)$")]
    grant_type: Option<String>,
    /// An email address or a user name.
    username: String,
    #[schema(format = Password)]
    password: String,
}

/// A refresh token to exchange. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "refresh_token", "refresh_token": "vrt_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX"}))]
#[expect(dead_code, reason = "describes what `Grant` reads")]
struct RefreshGrantForm {
    #[schema(pattern = "^(refresh_token)$")]
    grant_type: String,
    refresh_token: String,
}

/// The grant of the second half of a sign-in.
const SECOND_FACTOR: &str = "urn:vestibule:second-factor";

/// A challenge of `second_factor_required`, and a code of the authenticator app. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "urn:vestibule:second-factor",
    "challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "code": "492039"}))]
#[expect(dead_code, reason = "describes what `Grant` reads")]
struct CodeGrantForm {
    #[schema(pattern = "^(urn:vestibule:second-factor)$")]
    grant_type: String,
    challenge: String,
    code: String,
}

/// A challenge of `second_factor_required`, and a recovery code. Other parameters are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"grant_type": "urn:vestibule:second-factor",
    "challenge": "vsf_AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "recovery_code": "7k2m-9xqa-03hd-v5rt"}))]
#[expect(dead_code, reason = "describes what `Grant` reads")]
struct RecoveryGrantForm {
    #[schema(pattern = "^(urn:vestibule:second-factor)$")]
    grant_type: String,
    challenge: String,
    recovery_code: String,
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
    refresh_token: String,
}

impl From<SignInError> for Refusal {
    fn from(error: SignInError) -> Self {
        let description = error.to_string();
        match error {
            SignInError::Refused
            | SignInError::Unconfirmed(_)
            | SignInError::Disabled
            | SignInError::EnrolmentRequired => Self::new("invalid_grant", &description),
            SignInError::SecondFactorRequired(asked) => Self::asks_for(&asked),
            SignInError::Limited { .. } | SignInError::Fault(_) => {
                Self::of(error.into(), "temporarily_unavailable")
            }
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => Self::new("invalid_grant", "the refresh token is not valid"),
            RefreshError::Limited { retry_after } => {
                let problem = Problem::new(Code::TooManyRequests).retry_after(retry_after);
                let detail =
                    "The refresh token was used a moment ago. If that answer got lost, try again later.";
                Self::of(problem.detail(detail), "temporarily_unavailable")
            }
            RefreshError::Fault(fault) => fault.into(),
        }
    }
}

impl From<SecondFactorError> for Refusal {
    fn from(error: SecondFactorError) -> Self {
        let description = error.to_string();
        match error {
            SecondFactorError::Invalid { .. } | SecondFactorError::Expired => {
                Self::new("invalid_grant", &description)
            }
            SecondFactorError::Limited { .. } | SecondFactorError::Fault(_) => {
                Self::of(error.into(), "temporarily_unavailable")
            }
        }
    }
}

/// The request in the form.
enum Grant {
    Password { login: Login, password: Password },
    Refresh(String),
    SecondFactor { challenge: String, given: SecondFactor },
}

impl PartialSchema for Grant {
    fn schema() -> RefOr<Schema> {
        one_of(&[
            PasswordGrantForm::name(),
            RefreshGrantForm::name(),
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
        schemas.push((PasswordGrantForm::name().into(), PasswordGrantForm::schema()));
        schemas.push((RefreshGrantForm::name().into(), RefreshGrantForm::schema()));
        schemas.push((CodeGrantForm::name().into(), CodeGrantForm::schema()));
        schemas.push((RecoveryGrantForm::name().into(), RecoveryGrantForm::schema()));
    }
}

impl Grant {
    fn read(mut form: Pairs) -> Result<Self, Refusal> {
        let mut needed = |name: &str| refusal::needed(&mut form, name);
        match needed("grant_type").as_deref() {
            Err(_) | Ok("password") => {
                let (username, password) = (needed("username")?, needed("password")?);
                let login = read_login(&username);
                login.zip(Password::new(&password).ok()).map_or_else(
                    || Err(SignInError::Refused.into()),
                    |(login, password)| Ok(Self::Password { login, password }),
                )
            }
            Ok("refresh_token") => Ok(Self::Refresh(needed("refresh_token")?)),
            Ok(SECOND_FACTOR) => {
                let challenge = needed("challenge")?;
                let wrong = |error: String| Refusal::new("invalid_grant", &error);
                let given = match form.take("code") {
                    Some(code) => SecondFactor::Code(
                        code.parse().map_err(|error: TotpCodeError| wrong(error.to_string()))?,
                    ),
                    None => SecondFactor::RecoveryCode(
                        refusal::needed(&mut form, "recovery_code")?
                            .parse()
                            .map_err(|error: RecoveryCodeError| wrong(error.to_string()))?,
                    ),
                };
                Ok(Self::SecondFactor { challenge, given })
            }
            Ok(_) => Err(Refusal::new(
                "unsupported_grant_type",
                "use `password`, `refresh_token` or `urn:vestibule:second-factor`",
            )),
        }
    }
}

/// No user name has an `@`, so the two cannot be confused (M3).
fn read_login(text: &str) -> Option<Login> {
    if text.contains('@') {
        text.parse().ok().map(Login::Email)
    } else {
        text.parse().ok().map(Login::UserName)
    }
}

struct TokenErrors;

impl IntoResponses for TokenErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        refusal::responses(
            ("invalid_grant", "The request, or what it offers, is not valid."),
            &[
                ("second_factor_required", Code::Forbidden),
                ("temporarily_unavailable", Code::TooManyRequests),
                ("temporarily_unavailable", Code::TemporarilyOverloaded),
            ],
        )
    }
}

/// Exchanges a password, a refresh token, or a challenge with a second factor for tokens.
///
/// Where the account needs a second factor, the right password is answered 403 `second_factor_required` with a `challenge` for
/// the grant `urn:vestibule:second-factor`.
///
/// A refresh token works once. Of requests that bring the same one at once, one gets tokens, and the others 429 with
/// `Retry-After`. After that time the token may be brought again, in case the answer got lost: it buys other tokens as long
/// as those have not been used, which then do not work any more. In every other case a used token ends its session.
#[utoipa::path(post, path = "/v1/token", tag = "Sign-in", operation_id = "token",
    request_body(content = Grant, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Tokens.", body = TokenAnswer,
        headers(("Pragma" = String, description = "`no-cache`"))),
        TokenErrors))]
async fn token(
    State(accounts): State<Accounts>,
    Client(client): Client,
    request: Request,
) -> Result<Response, Refusal> {
    let tokens = match Grant::read(refusal::form(request).await?)? {
        Grant::Password { login, password } => accounts.sign_in(&login, &password, &client).await?,
        Grant::Refresh(token) => accounts.refresh(&token, &client).await?,
        Grant::SecondFactor { challenge, given } => {
            accounts.second_factor(&challenge, &given, &client).await?
        }
    };
    Ok(answer(&tokens))
}

fn answer(tokens: &Tokens) -> Response {
    let body = TokenAnswer {
        access_token: tokens.access_token.expose().to_owned(),
        token_type: "Bearer",
        expires_in: tokens.expires_in.as_secs(),
        refresh_token: tokens.refresh_token.expose().to_owned(),
    };
    let no_cache = [
        (PRAGMA, HeaderValue::from_static("no-cache")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (no_cache, axum::Json(body)).into_response()
}

/// A token to end. Other parameters, `token_type_hint` too, are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"token": "vrt_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX"}))]
#[expect(dead_code, reason = "describes what `revoke` reads")]
struct RevokeForm {
    /// A refresh token or an access token.
    token: String,
}

struct RevokeErrors;

impl IntoResponses for RevokeErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let bad = ("invalid_request", "The form has no token.");
        refusal::responses(bad, &[("temporarily_unavailable", Code::Unavailable)])
    }
}

/// Ends the session that a token belongs to. A text that is no token is 200, too: it does not work any more either.
#[utoipa::path(post, path = "/v1/token/revoke", tag = "Sign-in", operation_id = "revoke",
    request_body(content = RevokeForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token does not work."),
        RevokeErrors))]
async fn revoke(
    State(accounts): State<Accounts>,
    Client(client): Client,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let token = refusal::needed(&mut refusal::form(request).await?, "token")?;
    accounts.revoke(&token, &client).await?;
    Ok(StatusCode::OK)
}
