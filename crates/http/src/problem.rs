//! How errors become HTTP answers: RFC 9457. `problem/of_errors.rs` is the only place that gives a library error its
//! code.

pub(crate) mod field_error;
mod of_errors;
pub(crate) mod remedy;
mod sentence;

use std::borrow::Cow;
use std::time::Duration;

use axum::http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use vestibule::{Factor, SecondFactorChallenge, Timestamp};

use crate::catalogue::Code;
use crate::problem::field_error::FieldError;
use crate::rate_limit::{Limit, Reached};

/// How long to wait before another try if nothing better is known.
const RETRY: Duration = Duration::from_secs(2);

/// An answer that says what went wrong, as `application/problem+json`.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    detail: Option<Cow<'static, str>>,
    errors: Vec<FieldError>,
    attempts_left: Option<u32>,
    second_factor: Option<AskedFactor>,
    retry_after: Option<Duration>,
    limit: Option<Limit>,
    challenge: Challenge,
    /// The types of a patch that would have been read.
    accept_patch: Option<&'static str>,
    /// The rest of the connection cannot be trusted.
    closes: bool,
    /// The public URL, if it is known before the edge adds it.
    home: Option<String>,
}

/// RFC 9457 §3.1, then our own members. `describe/schemas.rs` describes the same.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_left: Option<u32>,
    #[serde(flatten)]
    second_factor: Option<&'a AskedFactor>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a str>,
}

/// What a sign-in still needs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AskedFactor {
    pub(crate) challenge: String,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) expires_at: Timestamp,
}

/// What a 401 asks for, and a 403 that other credentials could resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    Bearer,
    Basic,
    /// Nothing that a header could give.
    Nothing,
    /// A token with this scope.
    Scope(&'static str),
    /// A token of a user with this role.
    Role(String),
    /// A proof that is no older than this (RFC 9470).
    Recent(Duration),
}

impl Problem {
    /// The problem with this code.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Parts {
            code,
            detail: None,
            errors: Vec::new(),
            attempts_left: None,
            second_factor: None,
            retry_after: None,
            limit: None,
            challenge: Challenge::Bearer,
            accept_patch: None,
            closes: false,
            home: None,
        }))
    }

    /// 403: the user does not have this role.
    pub fn lacking_role(role: &str) -> Self {
        let mut problem = Self::new(Code::Forbidden).detail(format!("This needs the role `{role}`."));
        problem.0.challenge = Challenge::Role(role.to_owned());
        problem
    }

    /// 403: the token is an application's, and not for this. Only another scope is named that would open it.
    pub(crate) fn insufficient_scope(scope: &'static str) -> Self {
        let mut problem = Self::new(Code::InsufficientScope);
        problem.0.challenge = Challenge::Scope(scope);
        problem
    }

    /// 401: a proof is needed that is younger, or stronger, than those of the session.
    pub(crate) fn step_up(max_age: Duration, factor: bool) -> Self {
        let mut problem = Self::new(Code::ReauthenticationRequired);
        problem.0.challenge = Challenge::Recent(max_age);
        if factor {
            problem.detail("This needs a second factor that was given only minutes ago.")
        } else {
            problem
        }
    }

    /// 401: the password is right, and a second factor is asked for.
    pub(crate) fn second_factor(asked: SecondFactorChallenge) -> Self {
        let mut problem = Self::new(Code::SecondFactorRequired);
        problem.0.second_factor = Some(AskedFactor {
            challenge: asked.challenge.expose().to_owned(),
            methods: asked.methods.into_iter().map(Factor::name).collect(),
            expires_at: asked.expires_at,
        });
        problem
    }

    #[must_use]
    pub(crate) fn with_attempts_left(mut self, attempts_left: u32) -> Self {
        self.0.attempts_left = Some(attempts_left);
        self
    }

    /// Whether it names the missing role.
    pub(crate) fn lacks_role(&self) -> bool {
        self.missing_role().is_some()
    }

    /// The role that the user lacks.
    pub(crate) fn missing_role(&self) -> Option<&str> {
        match &self.0.challenge {
            Challenge::Role(role) => Some(role),
            Challenge::Bearer
            | Challenge::Basic
            | Challenge::Nothing
            | Challenge::Scope(_)
            | Challenge::Recent(_) => None,
        }
    }

    /// The limit that was reached.
    pub(crate) fn limit(&self) -> Option<Limit> {
        self.0.limit
    }

    /// 422: these fields were refused.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(Code::ValidationFailed);
        problem.0.errors = errors;
        problem
    }

    /// 503. The cause is logged and never sent.
    pub fn unavailable(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "unavailable");
        Self::new(Code::Unavailable).retry_after(RETRY)
    }

    /// Describes more precisely what happened.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Asks for HTTP Basic instead of a token if it is a 401.
    #[must_use]
    pub fn asking_for_basic(mut self) -> Self {
        self.0.challenge = Challenge::Basic;
        self
    }

    /// Asks for nothing even if it is a 401: what was wrong came in the body.
    #[must_use]
    pub(crate) fn asking_for_nothing(mut self) -> Self {
        self.0.challenge = Challenge::Nothing;
        self
    }

    /// Adds the address of the page about its code, for an application's own route, which the edge does not see.
    #[must_use]
    pub(crate) fn explained_at(mut self, public_url: &str) -> Self {
        self.0.home = Some(public_url.to_owned());
        self
    }

    /// Names the types of a patch, if it is a 415 (RFC 5789 §2.2).
    #[must_use]
    pub(crate) fn accepting_patch(mut self, types: &'static str) -> Self {
        self.0.accept_patch = Some(types).filter(|_| self.0.code == Code::UnsupportedMediaType);
        self
    }

    /// Closes the connection after the answer: the end of this request is uncertain.
    #[must_use]
    pub(crate) fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    /// The error code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn detail_text(&self) -> &str {
        self.0.detail.as_deref().unwrap_or(self.0.code.entry().cause)
    }

    pub(crate) fn field_errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    pub(crate) fn attempts_left(&self) -> Option<u32> {
        self.0.attempts_left
    }

    /// The seconds of `Retry-After`, rounded up so that a try after them succeeds.
    pub(crate) fn retry_seconds(&self) -> Option<u64> {
        let seconds =
            |wait: Duration| u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1);
        self.0.retry_after.map(seconds)
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    fn limited(limit: Limit, retry_after: Duration) -> Self {
        let mut problem = Self::new(Code::TooManyRequests).retry_after(retry_after);
        problem.0.limit = Some(limit);
        problem
    }

    /// The complete answer: `type` begins with `public_url`; `fix` is for development mode.
    pub(crate) fn into_full_response(
        self,
        public_url: &str,
        request_id: Option<&str>,
        fix: Option<&str>,
    ) -> Response {
        let body = self.body(public_url, request_id, fix);
        let mut response = (self.0.code.status(), body).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem_json);
        self.write_headers(&mut response);
        response
    }

    fn body(&self, public_url: &str, request_id: Option<&str>, fix: Option<&str>) -> String {
        let Parts { code, errors, attempts_left, second_factor, .. } = &*self.0;
        let entry = code.entry();
        let body = Body {
            r#type: format!("{public_url}/docs/errors/{}", code.as_str()),
            title: entry.title,
            status: entry.status,
            detail: self.detail_text(),
            code: *code,
            request_id,
            attempts_left: *attempts_left,
            second_factor: second_factor.as_ref(),
            errors,
            fix,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// `Retry-After`, `WWW-Authenticate` (J7), `Accept-Patch`, `Connection`, and the limit for the [`edge`](crate::edge), which knows
    /// its numbers.
    pub(crate) fn write_headers(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_seconds() {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            if let Some(limit) = self.0.limit {
                response.extensions_mut().insert(Reached { limit, seconds });
            }
        }
        if let Some(challenge) = self.challenge() {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(types) = self.0.accept_patch {
            response.headers_mut().insert("accept-patch", HeaderValue::from_static(types));
        }
        if self.0.closes {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Without credentials a challenge names no error (RFC 6750 §3.1); Basic knows none (RFC 7617 §2).
    fn challenge(&self) -> Option<HeaderValue> {
        let fixed = match (&self.0.challenge, self.0.code) {
            (Challenge::Role(role), _) => return Some(insufficient_scope(role)),
            (Challenge::Scope(scope), _) => return Some(insufficient_scope(scope)),
            (Challenge::Nothing, _) => return None,
            (Challenge::Recent(max_age), _) => return insufficient_authentication(*max_age),
            (_, code) if code.status() != StatusCode::UNAUTHORIZED => return None,
            (Challenge::Basic, _) => "Basic realm=\"vestibule\", charset=\"UTF-8\"",
            (Challenge::Bearer, Code::InvalidToken) => "Bearer realm=\"vestibule\", error=\"invalid_token\"",
            (Challenge::Bearer, _) => "Bearer realm=\"vestibule\"",
        };
        Some(HeaderValue::from_static(fixed))
    }
}

/// RFC 9470 §3.
fn insufficient_authentication(max_age: Duration) -> Option<HeaderValue> {
    let seconds = max_age.as_secs();
    let header = format!(
        "Bearer realm=\"vestibule\", error=\"insufficient_user_authentication\", max_age=\"{seconds}\""
    );
    HeaderValue::try_from(header).ok()
}

/// RFC 6750 §3.1 (J7). A role that is not a valid scope of RFC 6749 §3.3 is not named: it could end the quoted text.
fn insufficient_scope(role: &str) -> HeaderValue {
    const ERROR: &str = "Bearer realm=\"vestibule\", error=\"insufficient_scope\"";
    let of_scope = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    let named = Some(role).filter(|role| !role.is_empty() && role.bytes().all(of_scope));
    let named = named.and_then(|role| HeaderValue::try_from(format!("{ERROR}, scope=\"{role}\"")).ok());
    named.unwrap_or(HeaderValue::from_static(ERROR))
}

impl IntoResponse for Problem {
    /// Complete except for what only the edge knows: it finds the problem in the extensions and writes it again. In
    /// other applications there is no request id.
    fn into_response(self) -> Response {
        let home = self.0.home.clone().unwrap_or_default();
        let mut response = self.clone().into_full_response(&home, None, None);
        response.extensions_mut().insert(self);
        response
    }
}
