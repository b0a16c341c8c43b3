//! Shared by the routes of `OAuth` 2: their forms, and their own kind of errors (RFC 6749 §5.2).

use std::collections::BTreeMap;

use axum::extract::{FromRequest as _, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use vestibule::{Factor, Fault, SecondFactorChallenge};

use crate::catalogue::Code;
use crate::describe::errors::{API, EVERY};
use crate::describe::problems::{problem_headers, problems, text_header};
use crate::extract::{Form, Pairs};
use crate::problem::Problem;

/// The error of RFC 6749 §5.2. `temporarily_unavailable` is ours for 429 and 503.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct OAuthError {
    #[schema(
        pattern = "^(invalid_request|invalid_grant|invalid_client|invalid_scope|invalid_target|unauthorized_client|unsupported_grant_type|temporarily_unavailable|second_factor_required)$"
    )]
    error: &'static str,
    error_description: String,
    /// Of `second_factor_required`: comes back with the second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    challenge: Option<String>,
    /// Of `second_factor_required`: `totp`, `passkey`, `recovery_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false, nullable = false)]
    methods: Option<Vec<&'static str>>,
    /// In development mode only: the command or request that would have worked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, nullable = false)]
    fix: Option<Box<str>>,
}

/// Tells the [`edge`](crate::edge) what was refused in this form.
#[derive(Clone)]
pub(crate) struct Refused {
    error: OAuthError,
    pub(crate) problem: Problem,
}

impl Refused {
    /// The body with a fix in it.
    pub(crate) fn with_fix(self, fix: String) -> String {
        let error = OAuthError { fix: Some(fix.into()), ..self.error };
        serde_json::to_string(&error).unwrap_or_default()
    }
}

/// An answer in the `OAuth` form. It keeps the status and headers of the problem it is made from.
pub(super) struct Refusal {
    status: StatusCode,
    error: OAuthError,
    problem: Option<Problem>,
}

impl Refusal {
    pub(super) fn new(error: &'static str, description: &str) -> Self {
        let error = OAuthError::new(error, description);
        Self { status: StatusCode::BAD_REQUEST, error, problem: None }
    }

    /// 401: no such client, or not with this secret. The challenge belongs to whoever used the header (RFC 6749 §5.2).
    pub(super) fn unknown_client(is_basic: bool) -> Self {
        let problem = Problem::new(Code::InvalidClient);
        let problem = if is_basic { problem.asking_for_basic() } else { problem.asking_for_nothing() };
        Self::of(problem, "invalid_client")
    }

    /// 401: an assertion proves nothing, for this reason.
    pub(super) fn bad_assertion(description: &str) -> Self {
        let problem = Problem::new(Code::InvalidClient).asking_for_nothing();
        Self::of(problem.detail(description.to_owned()), "invalid_client")
    }

    pub(super) fn of(problem: Problem, error: &'static str) -> Self {
        let status = problem.code().status();
        let error = OAuthError::new(error, problem.detail_text());
        Self { status, error, problem: Some(problem) }
    }
}

impl OAuthError {
    fn new(error: &'static str, description: &str) -> Self {
        Self { error, error_description: description.to_owned(), challenge: None, methods: None, fix: None }
    }
}

impl Refusal {
    /// 403: the password is right, and a second factor is asked for.
    pub(super) fn asks_for(asked: &SecondFactorChallenge) -> Self {
        let error = OAuthError {
            challenge: Some(asked.challenge.expose().to_owned()),
            methods: Some(asked.methods.iter().copied().map(Factor::name).collect()),
            ..OAuthError::new("second_factor_required", "the password is right; give a second factor")
        };
        Self { status: StatusCode::FORBIDDEN, error, problem: None }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::of(fault.into(), "temporarily_unavailable")
    }
}

/// The problem whose fix an error without one has.
fn nearest_problem(error: &str) -> Problem {
    Problem::new(match error {
        "second_factor_required" => Code::SecondFactorRequired,
        "invalid_grant" => Code::InvalidCredentials,
        _ => Code::InvalidRequest,
    })
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, error, problem } = self;
        let mut response = (status, axum::Json(error.clone())).into_response();
        if let Some(problem) = &problem {
            problem.write_headers(&mut response);
        }
        let problem = problem.unwrap_or_else(|| nearest_problem(error.error));
        response.extensions_mut().insert(Refused { error, problem });
        response
    }
}

/// The form in the body of a request.
pub(super) async fn form(request: Request) -> Result<Pairs, Refusal> {
    let form = Form::from_request(request, &()).await;
    form.map(|Form(pairs)| pairs).map_err(|problem| Refusal::of(problem, "invalid_request"))
}

/// A required parameter.
pub(super) fn needed(form: &mut Pairs, name: &str) -> Result<String, Refusal> {
    form.take(name).ok_or_else(|| Refusal::new("invalid_request", &format!("`{name}` is missing")))
}

/// The errors of such a route: the problems of the edge, and these statuses in the `OAuth` form. The 400 gets the
/// description given here.
pub(super) fn responses(
    bad: (&'static str, &'static str),
    also: &[(&'static str, Code)],
) -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
    let form = [
        ("invalid_request", Code::RequestTimeout),
        ("invalid_request", Code::BodyTooLarge),
        ("invalid_request", Code::UnsupportedMediaType),
    ];
    let mut responses = problems(&[EVERY, API]);
    let coded =
        form.iter().chain(also).map(|(error, code)| (*error, code.entry().status, code.entry().title));
    for (error, status, description) in coded.chain([(bad.0, 400, bad.1)]) {
        let example = json!({"error": error, "error_description": description});
        let content =
            ContentBuilder::new().schema(Some(Ref::from_schema_name("OAuthError"))).example(Some(example));
        // Generators of clients use the first form.
        let mut response =
            ResponseBuilder::new().description(description).content("application/json", content.build());
        // If the edge may answer first, with a problem, both forms are possible.
        if let Some(RefOr::T(edge)) = responses.remove(&status.to_string()) {
            response = edge.content.into_iter().fold(response, |response, (name, content)| match content {
                RefOr::T(content) => response.content(name, content),
                RefOr::Ref(_) => response,
            });
        }
        for (name, meaning) in problem_headers(status) {
            response = response.header(*name, text_header(meaning));
        }
        responses.insert(status.to_string(), response.build().into());
    }
    responses
}
