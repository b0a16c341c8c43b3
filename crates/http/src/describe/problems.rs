//! Errors as responses of the description, with an example of each code.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Header, Ref, RefOr, Response, ResponseBuilder};

use crate::catalogue::{Code, catalogue};

/// A placeholder for the public URL in the examples.
pub(crate) const PUBLIC_URL: &str = "https://accounts.example.org";

/// One response per status, with one example per code.
pub(crate) fn problems(groups: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for entry in catalogue() {
        if groups.iter().any(|group| group.contains(&entry.code)) {
            by_status.entry(entry.status).or_default().push(entry.code);
        }
    }
    by_status
        .into_iter()
        .map(|(status, codes)| (status.to_string(), problem(status, &codes).into()))
        .collect()
}

fn problem(status: u16, codes: &[Code]) -> Response {
    let titles: Vec<String> =
        codes.iter().map(|code| format!("{} (`{}`)", code.entry().title, code.as_str())).collect();
    // A page whose form comes too late is an answer in itself: the form again.
    let (shown, problems): (Vec<Code>, Vec<Code>) =
        codes.iter().partition(|code| **code == Code::FormExpired);
    let examples = problems.iter().map(|code| {
        let example = ExampleBuilder::new().summary(code.entry().title).value(Some(example(*code)));
        (code.as_str(), example)
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build();
    let mut response =
        ResponseBuilder::new().description(titles.join("; ")).content("application/problem+json", content);
    if !shown.is_empty() {
        let page = ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
        response = response.content("text/html", page);
    }
    for (name, meaning) in problem_headers(status) {
        response = response.header(*name, text_header(meaning));
    }
    response.build()
}

/// The headers of an error beyond those of every answer, with their meanings.
pub(crate) fn problem_headers(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        401 => &[("WWW-Authenticate", "How to authenticate.")],
        403 => &[("WWW-Authenticate", "The role or the scope that is missing, where it is that.")],
        429 => &[
            ("Retry-After", "Seconds until another attempt makes sense."),
            ("RateLimit", "What is left of the limit."),
            ("RateLimit-Policy", "The limit."),
        ],
        503 => &[("Retry-After", "Seconds until another attempt makes sense.")],
        _ => &[],
    }
}

pub(crate) fn text_header(meaning: &str) -> Header {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String).build());
    header.description = Some(meaning.to_owned());
    header
}

fn example(code: Code) -> Value {
    let entry = code.entry();
    let mut example = json!({
        "type": format!("{PUBLIC_URL}/docs/errors/{}", code.as_str()),
        "title": entry.title,
        "status": entry.status,
        "detail": entry.cause,
        "code": code.as_str(),
        "request_id": "0d6c3a5be1f29784",
    });
    match code {
        Code::CodeInvalid => example["attempts_left"] = json!(2),
        Code::ValidationFailed => {
            example["errors"] = json!([{
                "pointer": "/password",
                "code": "password_too_short",
                "detail": "the password is too short: at least 8 characters",
                "params": {"min": 8},
            }]);
        }
        _ => {}
    }
    example
}
