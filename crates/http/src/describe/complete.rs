//! Adds to the generated description what annotations cannot express.

use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, AuthorizationCode, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme,
};
use utoipa::openapi::{OpenApi, PathItem, RefOr};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::problems::{PUBLIC_URL, text_header};
use super::schemas::{FieldSchema, ProblemSchema};

/// Completes the components and every operation.
pub(crate) fn complete(api: &mut OpenApi) {
    complete_components(api);
    for item in api.paths.paths.values_mut() {
        operations(item).for_each(complete_operation);
    }
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
    basic.description = Some("The email address and the password of the sign-up.".to_owned());
    let mut client = Http::new(HttpAuthScheme::Basic);
    client.description =
        Some("The name and the secret of a client, or of a service of the server's settings.".to_owned());
    components.security_schemes.insert("client".to_owned(), SecurityScheme::Http(client).into());
    components.security_schemes.insert("client_token".to_owned(), client_token().into());
    components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(bearer).into());
    let mut session = ApiKeyValue::new("__Host-vestibule_session");
    session.description = Some("The cookie of a sign-in on the pages of this server.".to_owned());
    let session = SecurityScheme::ApiKey(ApiKey::Cookie(session));
    components.security_schemes.insert("session".to_owned(), session.into());
    components.security_schemes.insert("basic".to_owned(), SecurityScheme::Http(basic).into());
}

/// The token of a client for a user (RFC 6749 §4.1, RFC 7636).
fn client_token() -> SecurityScheme {
    let scopes = Scopes::from_iter([
        ("openid", "who signed in"),
        ("profile", "user name, language, and when the account was created"),
        ("email", "the confirmed address"),
        ("offline_access", "a refresh token"),
    ]);
    let [authorize, token] = ["/oauth/authorize", "/v1/token"].map(|path| format!("{PUBLIC_URL}{path}"));
    let code = Flow::AuthorizationCode(AuthorizationCode::new(authorize, token, scopes));
    SecurityScheme::OAuth2(OAuth2::with_description(
        [code],
        "The `access_token` that a client gets at `POST /v1/token` for a code, with PKCE.",
    ))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

/// A field can either be omitted or be `null`, never both.
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

/// An annotation can restrict a text to values only as `^(one|other)$`; clients are better served by a list.
fn list_values(object: &mut Object) {
    let listed = object.pattern.as_deref().and_then(|text| text.strip_prefix('^')?.strip_suffix('$'));
    let Some(listed) = listed.map(|text| text.trim_start_matches('(').trim_end_matches(')')) else { return };
    let values: Vec<&str> = listed.split('|').collect();
    let plain = |value: &&str| value.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_:-".contains(&byte));
    if values.iter().all(plain) {
        object.enum_values = Some(values.into_iter().map(Value::from).collect());
        object.pattern = None;
    }
}

/// A body may be omitted, but `null` is not a way to do so.
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
            // A parameter may be omitted, but it cannot be `null`.
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
