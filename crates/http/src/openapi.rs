//! The `OpenAPI` description, made from the handlers and the catalogue of errors.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Router;
use serde_json::{Map, Value, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{
    AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, Header, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Response,
    ResponseBuilder, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::catalogue::{Code, catalogue};
use crate::routes::Routes;
use crate::{App, api, pages};

/// What every route can answer.
pub(crate) const EVERY: &[Code] =
    &[Code::UriTooLong, Code::HeadersTooLarge, Code::InternalError, Code::Unavailable];
/// What every route under `/v1/` can answer besides.
pub(crate) const API: &[Code] = &[Code::NotAcceptable];
/// What a route with a JSON body can answer besides.
pub(crate) const BODY: &[Code] = &[
    Code::MalformedJson,
    Code::InvalidRequest,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
    Code::ValidationFailed,
];
/// What the form of a page can answer besides.
pub(crate) const PAGE_FORM: &[Code] = &[
    Code::InvalidRequest,
    Code::Forbidden,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];
/// What a route for signed-in users can answer besides.
pub(crate) const BEARER: &[Code] = &[Code::InvalidRequest, Code::AuthenticationRequired, Code::InvalidToken];
/// What a route that checks or makes a password can answer besides.
pub(crate) const HASH: &[Code] = &[Code::TemporarilyOverloaded];

/// Stands for the public address in the examples until [`openapi`] is told it.
const PUBLIC_URL: &str = "https://accounts.example.org";

/// Names the errors of an operation, so that its annotation can list them as one type.
macro_rules! errors {
    ($name:ident: $($group:expr),+ $(,)?) => {
        pub(crate) struct $name;
        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                $crate::openapi::problems(&[$($group),+])
            }
        }
    };
}
pub(crate) use errors;

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
    let examples = codes.iter().map(|code| {
        let example = ExampleBuilder::new().summary(code.entry().title).value(Some(example(*code)));
        (code.as_str(), example)
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build();
    let mut response =
        ResponseBuilder::new().description(titles.join("; ")).content("application/problem+json", content);
    for (name, meaning) in problem_headers(status) {
        response = response.header(*name, text_header(meaning));
    }
    response.build()
}

/// The headers of an error besides those of every answer, with their meanings.
pub(crate) fn problem_headers(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        401 => &[("WWW-Authenticate", "How to authenticate.")],
        403 => &[("WWW-Authenticate", "The role that is missing, where it is that.")],
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

/// Exactly one of these.
pub(crate) fn one_of(names: &[Cow<'static, str>]) -> RefOr<Schema> {
    let either = names.iter().map(|name| Ref::from_schema_name(name.as_ref()));
    either.fold(OneOfBuilder::new(), OneOfBuilder::item).into()
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

/// An error, as RFC 9457 writes it.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "describes what `problem.rs` writes")]
struct ProblemSchema {
    /// A page about the code.
    #[schema(format = "uri")]
    r#type: String,
    /// The same for every problem of this code.
    title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What happened, for people.
    detail: String,
    #[schema(inline)]
    code: AnswerCode,
    /// Also in `X-Request-Id` and in the log.
    request_id: String,
    /// The fields that were refused.
    #[schema(required = false, nullable = false)]
    errors: Option<Vec<FieldSchema>>,
    /// How many guesses remain for the code of the mail.
    #[schema(minimum = 0, required = false, nullable = false)]
    attempts_left: Option<u32>,
}

/// One field that was refused.
#[derive(ToSchema)]
#[schema(as = FieldError)]
#[expect(dead_code, reason = "describes what `problem.rs` writes")]
struct FieldSchema {
    /// Where it is in the body (RFC 6901), or the name of a parameter after a slash.
    pointer: String,
    #[schema(inline)]
    code: FieldCode,
    /// What is wrong with it, for people.
    detail: String,
    /// The numbers in `detail`.
    #[schema(value_type = Object, required = false)]
    params: Option<Map<String, Value>>,
}

struct AnswerCode;
struct FieldCode;

fn codes(of_a_field: bool) -> RefOr<Schema> {
    let names = catalogue().iter().filter(|entry| entry.of_a_field == of_a_field);
    let names: Vec<&str> = names.map(|entry| entry.code.as_str()).collect();
    ObjectBuilder::new()
        .schema_type(SchemaType::from(Type::String))
        .description(Some("What is wrong, for programs. The list is closed."))
        .enum_values(Some(names))
        .into()
}

impl PartialSchema for AnswerCode {
    fn schema() -> RefOr<Schema> {
        codes(false)
    }
}

impl PartialSchema for FieldCode {
    fn schema() -> RefOr<Schema> {
        codes(true)
    }
}

impl ToSchema for AnswerCode {}
impl ToSchema for FieldCode {}

/// The description of every route: the API and the pages.
fn described() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Vestibule")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Accounts for an application: sign-up, confirmation by e-mail, sign-in, tokens."))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")));
    let api = OpenApiBuilder::new().info(info).build();
    files().fold(api, |api, of_file| api.merge_from(of_file().describe()))
}

/// The routes of one file.
pub(crate) type RoutesOf = fn() -> Routes;

fn files() -> impl Iterator<Item = &'static RoutesOf> {
    api::ROUTES.iter().chain(pages::ROUTES)
}

/// The routes alone, for a server.
pub(crate) fn routes() -> Router<App> {
    files().fold(Router::new(), |all, of_file| of_file().add_to(all))
}

/// The description of the API as `OpenAPI` 3.1 in JSON, the same for every call.
pub fn openapi(public_url: &str) -> String {
    let mut api = described();
    api.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    complete_components(&mut api);
    for item in api.paths.paths.values_mut() {
        operations(item).for_each(complete_operation);
    }
    let text = api.to_pretty_json().unwrap_or_default();
    // Slashes and colons are not escaped in JSON, and a checked public URL has nothing else that would be.
    text.replace(PUBLIC_URL, public_url) + "\n"
}

fn complete_components(api: &mut OpenApi) {
    let components = api.components.get_or_insert_default();
    let mut schemas = Vec::new();
    ProblemSchema::schemas(&mut schemas);
    schemas.push(("Problem".to_owned(), ProblemSchema::schema()));
    schemas.push(("FieldError".to_owned(), FieldSchema::schema()));
    components.schemas.extend(schemas);
    for (name, schema) in &mut components.schemas {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        // Unknown fields are refused in requests; forms may have more, each once; answers may gain fields.
        if name.ends_with("Request") {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        } else if name.ends_with("Form") {
            let text = Schema::from(ObjectBuilder::new().schema_type(Type::String)).into();
            object.additional_properties = Some(Box::new(AdditionalProperties::RefOr(text)));
        }
        complete_fields(object);
    }
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some("The `access_token` of `POST /v1/login`.".to_owned());
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some("The e-mail address and the password of the sign-up.".to_owned());
    let mut client = Http::new(HttpAuthScheme::Basic);
    client.description = Some("The name and the secret of a service, from the server's settings.".to_owned());
    components.security_schemes.insert("client".to_owned(), SecurityScheme::Http(client).into());
    components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(bearer).into());
    let mut session = ApiKeyValue::new("__Host-vestibule_session");
    session.description = Some("The cookie of a sign-in on the pages of this server.".to_owned());
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(session));
    components.security_schemes.insert("session".to_owned(), session.into());
    components.security_schemes.insert("basic".to_owned(), SecurityScheme::Http(basic).into());
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// A field can be left out or be `null`, never both.
fn complete_fields(object: &mut Object) {
    for (name, field) in &mut object.properties {
        let RefOr::T(Schema::Object(field)) = field else { continue };
        if !object.required.contains(name) {
            never_null(field);
        }
        list_values(field);
    }
}

fn never_null(object: &mut Object) {
    if let SchemaType::Array(types) = &object.schema_type
        && let Some(sent) = types.iter().find(|kind| **kind != Type::Null)
    {
        object.schema_type = SchemaType::Type(sent.clone());
    }
}

/// An annotation can name the values of a text only as `^(one|other)$`; clients are better off with a list.
fn list_values(object: &mut Object) {
    let listed = object.pattern.as_deref().and_then(|text| text.strip_prefix('^')?.strip_suffix('$'));
    let Some(listed) = listed.map(|text| text.trim_start_matches('(').trim_end_matches(')')) else { return };
    let values: Vec<&str> = listed.split('|').collect();
    let plain = |value: &&str| value.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if values.iter().all(plain) {
        object.enum_values = Some(values.into_iter().map(Value::from).collect());
        object.pattern = None;
    }
}

/// A body may be left out; `null` is no way to say so.
fn never_null_body(body: &mut RequestBody) {
    let is_null = |item: &RefOr<Schema>| matches!(item, RefOr::T(Schema::Object(it)) if matches!(it.schema_type, SchemaType::Type(Type::Null)));
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(any))) = &content.schema
            && any.items.iter().any(is_null)
        {
            content.schema = any.items.iter().find(|item| !is_null(item)).cloned();
        }
    }
}

fn complete_operation(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        never_null_body(body);
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter
            && let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        {
            // A parameter may be left out, but there is no way to send a `null`.
            never_null(object);
            list_values(object);
        }
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let id = text_header("Names the request in the log.");
            response.headers.insert("X-Request-Id".to_owned(), id.into());
        }
    }
}
