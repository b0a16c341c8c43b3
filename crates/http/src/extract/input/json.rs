//! A JSON body, read strictly (H2, H6, H8).

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRef, FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use vestibule::Accounts;

use super::fields::{Fields, ReadFields};
use super::tree::Tree;
use crate::catalogue::Code;
use crate::extract::header::single;
use crate::problem::Problem;

/// Octets of a body.
const BODY_MAX: usize = 16 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// As an extractor: a body of `application/json` whose fields make a `T`. As an answer: a `T` in JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: ReadFields,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Tree::Object(sent) = read_tree(request, &["application/json"]).await? else {
            let error = crate::problem::field_error::FieldError::new("", Code::WrongType);
            return Err(error.into());
        };
        Fields::read_all(sent, Accounts::from_ref(state).policy()).map(Json)
    }
}

impl<S, T> OptionalFromRequest<S> for Json<T>
where
    S: Send + Sync,
    T: ReadFields,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    /// `None` if there is no body at all.
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.body().size_hint().exact() == Some(0) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The body, of one of these types, as JSON of any kind.
pub(super) async fn read_tree(request: Request, types: &[&str]) -> Result<Tree, Problem> {
    require_type(request.headers(), types)?;
    let body = read_body(request.into_body()).await?;
    let syntax = |reason: String| Problem::new(Code::MalformedJson).detail(reason);
    let text = std::str::from_utf8(&body).map_err(|_| syntax("The body is not UTF-8.".to_owned()))?;
    Tree::parse(text).map_err(|e| syntax(format!("The body is not valid JSON: {e}.")))
}

/// 415 unless the declared type of the body is one of these, in UTF-8 and not compressed.
pub(crate) fn require_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let encoding = single(headers, &header::CONTENT_ENCODING)?;
    let content_type = single(headers, &header::CONTENT_TYPE)?.and_then(|value| value.to_str().ok());
    let plain = encoding.is_none_or(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if plain && content_type.is_some_and(|text| types.iter().any(|expected| is_type(text, expected))) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType)
        .detail(format!("This resource reads `{}` in UTF-8.", types.join("` or `"))))
}

/// `expected`, with no other parameter than `charset=utf-8` (RFC 9110 §8.3.1).
fn is_type(text: &str, expected: &str) -> bool {
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(expected));
    let utf8 = |parameter: &str| {
        parameter.split_once('=').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
    };
    essence && parts.all(utf8)
}

/// At most 16 KiB, in at most 10 seconds.
pub(crate) async fn read_body(body: Body) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(Problem::new(Code::BodyTooLarge));
    }
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(Code::BodyTooLarge)),
        Ok(Err(_)) => Err(Problem::new(Code::InvalidRequest).detail("The body broke off.")),
        Err(_) => Err(Problem::new(Code::RequestTimeout)),
    }
}

#[cfg(test)]
mod tests {
    use super::is_type;

    #[test]
    fn only_json_in_utf_8_is_json() {
        for text in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_type(text, "application/json"), "{text}");
        }
        for text in [
            "",
            "text/json",
            "application/json; charset=latin1",
            "application/json; v=2",
            "application/jsonx",
        ] {
            assert!(!is_type(text, "application/json"), "{text}");
        }
    }
}
