//! The state of a resource that a change applies to (RFC 9110 §13.1.1, RFC 6585 §3).

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use vestibule::{Account, Expected};

use super::header::single;
use crate::catalogue::Code;
use crate::problem::Problem;

/// Tags in one header.
const TAGS_MAX: usize = 16;

/// `If-Match`, if it was sent.
pub(crate) struct IfMatch(pub(crate) Option<Expected>);

impl IfMatch {
    /// 428 if it was not sent.
    pub(crate) fn required(self) -> Result<Expected, Problem> {
        self.0.ok_or(Problem::new(Code::PreconditionRequired))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.headers).map(Self)
    }
}

fn read(headers: &HeaderMap) -> Result<Option<Expected>, Problem> {
    let Some(value) = single(headers, &IF_MATCH)? else { return Ok(None) };
    let malformed =
        || Problem::new(Code::InvalidRequest).detail("`If-Match` is neither `*` nor a list of tags.");
    let text = value.to_str().map_err(|_| malformed())?.trim();
    if text == "*" {
        return Ok(Some(Expected::Any));
    }
    let mut revisions = Vec::new();
    for (number, item) in text.split(',').map(str::trim).enumerate() {
        // A weak tag is well-formed, and never equal to one of ours (RFC 9110 §8.8.3.2).
        let (weak, quoted) = item.strip_prefix("W/").map_or((false, item), |rest| (true, rest));
        let tag = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(malformed)?;
        if number >= TAGS_MAX || tag.contains(['"', ' ']) {
            return Err(malformed());
        }
        if !weak {
            revisions.push(tag.to_owned());
        }
    }
    Ok(Some(Expected::OneOf(revisions)))
}

/// The strong tag of a user, written only here.
pub(crate) fn etag(account: &Account) -> HeaderValue {
    // A revision is base64url, so it is always the value of a header.
    HeaderValue::try_from(format!("\"{}\"", account.revision())).unwrap_or(HeaderValue::from_static("\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Result<Option<Expected>, Code> {
        let pairs = values.iter().map(|value| (IF_MATCH, HeaderValue::from_static(value)));
        read(&pairs.collect()).map_err(|problem| problem.code())
    }

    #[test]
    fn tags_are_read_as_the_standard_writes_them() {
        let tags = |tags: &[&str]| Ok(Some(Expected::OneOf(tags.iter().map(ToString::to_string).collect())));
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["*"]), Ok(Some(Expected::Any)));
        assert_eq!(of(&["\"a\""]), tags(&["a"]));
        assert_eq!(of(&["\"a\" , W/\"b\",\"\""]), tags(&["a", ""]));
        assert_eq!(of(&["W/\"a\""]), tags(&[]));
        for wrong in ["", "a", "\"", "\"a", "\"a\"\"b\"", "\"a\",", "w/\"a\"", "*,\"a\"", "\"a b\""] {
            assert_eq!(of(&[wrong]), Err(Code::InvalidRequest), "{wrong}");
        }
        assert_eq!(of(&["\"a\"", "\"b\""]), Err(Code::InvalidRequest));
    }
}
