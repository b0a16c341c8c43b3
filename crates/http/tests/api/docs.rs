use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::on_both_stores;
use crate::world::{URL, World};

/// Every route of a server outside the development mode, without assets.
const ROUTES: [(&str, &[&str]); 73] = [
    ("/", &["get"]),
    ("/.well-known/jwks.json", &["get"]),
    ("/.well-known/oauth-authorization-server", &["get"]),
    ("/.well-known/openid-configuration", &["get"]),
    ("/confirm", &["get", "post"]),
    ("/docs", &["get"]),
    ("/docs/errors", &["get"]),
    ("/docs/errors/{code}", &["get"]),
    ("/livez", &["get"]),
    ("/openapi.json", &["get"]),
    ("/readyz", &["get"]),
    ("/v1/admin/audit", &["get"]),
    ("/v1/admin/clients", &["get", "post"]),
    ("/v1/admin/clients/{id}", &["delete", "get", "put"]),
    ("/v1/admin/clients/{id}/old-secret", &["delete"]),
    ("/v1/admin/clients/{id}/secret", &["post"]),
    ("/v1/admin/mail", &["get"]),
    ("/v1/admin/mail/{id}/retry", &["post"]),
    ("/v1/admin/registrations", &["get"]),
    ("/v1/admin/registrations/{id}/confirm", &["post"]),
    ("/v1/admin/registrations/{id}/resend", &["post"]),
    ("/v1/admin/stats", &["get"]),
    ("/v1/admin/users", &["get", "post"]),
    ("/v1/admin/users/{id}", &["delete", "get", "patch"]),
    ("/v1/admin/users/{id}/app-data", &["get", "put"]),
    ("/v1/admin/users/{id}/disable", &["post"]),
    ("/v1/admin/users/{id}/enable", &["post"]),
    ("/v1/admin/users/{id}/grants", &["get"]),
    ("/v1/admin/users/{id}/grants/{client_id}", &["delete"]),
    ("/v1/admin/users/{id}/reset-link", &["post"]),
    ("/v1/admin/users/{id}/sign-out", &["post"]),
    ("/v1/admin/users/{id}/ways-in", &["get"]),
    ("/v1/admin/users/{id}/ways-in/reset", &["post"]),
    ("/v1/auth/verify", &["get"]),
    ("/v1/confirm", &["post"]),
    ("/v1/confirm/code", &["post"]),
    ("/v1/confirm/resend", &["post"]),
    ("/v1/doctor", &["post"]),
    ("/v1/email/confirm", &["post"]),
    ("/v1/email/undo", &["post"]),
    ("/v1/introspect", &["post"]),
    ("/v1/invitation/accept", &["post"]),
    ("/v1/login", &["post"]),
    ("/v1/login/passkey", &["post"]),
    ("/v1/login/passkey/options", &["post"]),
    ("/v1/login/second-factor", &["post"]),
    ("/v1/logout", &["post"]),
    ("/v1/me", &["delete", "get", "patch"]),
    ("/v1/me/authenticator", &["delete", "post"]),
    ("/v1/me/authenticator/confirm", &["post"]),
    ("/v1/me/data", &["patch"]),
    ("/v1/me/email", &["post"]),
    ("/v1/me/export", &["get"]),
    ("/v1/me/grants", &["get"]),
    ("/v1/me/grants/{client_id}", &["delete"]),
    ("/v1/me/passkeys", &["post"]),
    ("/v1/me/passkeys/options", &["post"]),
    ("/v1/me/passkeys/{id}", &["delete", "patch"]),
    ("/v1/me/password", &["delete", "post"]),
    ("/v1/me/recovery-codes", &["post"]),
    ("/v1/me/sessions", &["get"]),
    ("/v1/me/sessions/{id}", &["delete"]),
    ("/v1/me/verify", &["post"]),
    ("/v1/me/verify/options", &["post"]),
    ("/v1/me/ways-in", &["get"]),
    ("/v1/password/check", &["post"]),
    ("/v1/password/forgot", &["post"]),
    ("/v1/password/reset", &["post"]),
    ("/v1/setup", &["post"]),
    ("/v1/signup", &["post"]),
    ("/v1/token", &["post"]),
    ("/v1/token/revoke", &["post"]),
    ("/v1/userinfo", &["get", "post"]),
];

fn description() -> Value {
    serde_json::from_str(&vestibule_http::openapi(URL, &vestibule::Policy::default())).unwrap()
}

/// All objects inside `value`.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a serde_json::Map<String, Value>>) {
    match value {
        Value::Object(object) => {
            found.push(object);
            object.values().for_each(|value| objects(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| objects(value, found)),
        _ => {}
    }
}

#[test]
fn the_description_is_always_the_same() {
    assert_eq!(
        vestibule_http::openapi(URL, &vestibule::Policy::default()),
        vestibule_http::openapi(URL, &vestibule::Policy::default())
    );
    assert!(description()["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(description()["servers"][0]["url"], URL);
}

#[test]
fn the_description_lists_every_route() {
    let description = description();
    let mut routes: Vec<(String, Vec<String>)> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(path, item)| (path.clone(), item.as_object().unwrap().keys().cloned().collect()))
        .collect();
    routes.sort();
    let mut expected: Vec<(String, Vec<String>)> = ROUTES
        .iter()
        .map(|(path, methods)| ((*path).to_owned(), methods.iter().map(ToString::to_string).collect()))
        .collect();
    expected.sort();
    assert_eq!(routes, expected);
}

#[test]
fn every_reference_in_the_description_leads_somewhere() {
    let description = description();
    let mut found = Vec::new();
    objects(&description, &mut found);
    let references: Vec<&str> = found.iter().filter_map(|object| object.get("$ref")?.as_str()).collect();
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(description.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_has_examples_and_lists_its_errors() {
    let description = description();
    for (path, item) in description["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(operation["responses"].get("500").is_some(), "{path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["headers"].get("X-Request-Id").is_some(), "{path} {status}");
                let Some(problem) = response["content"].get("application/problem+json") else { continue };
                let examples = problem["examples"].as_object().unwrap();
                for (code, example) in examples {
                    assert_eq!(example["value"]["status"].to_string(), *status, "{path} {code}");
                    assert_eq!(example["value"]["type"], format!("{URL}/docs/errors/{code}"));
                }
            }
        }
    }
    for (name, schema) in description["components"]["schemas"].as_object().unwrap() {
        if name.ends_with("Request") {
            let either = schema["oneOf"].is_array();
            assert!(
                either || schema["additionalProperties"] == false && schema["example"].is_object(),
                "{name}"
            );
        }
    }
}

/// What generated clients need: a name for each operation, lists as lists, and one way to be absent.
#[test]
fn the_description_is_good_for_generated_clients() {
    let description = description();
    let mut found = Vec::new();
    objects(&description, &mut found);
    let mut names: Vec<&str> =
        found.iter().filter_map(|object| object.get("operationId")?.as_str()).collect();
    let operations = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), operations);
    assert!(operations >= ROUTES.len());

    let schemas = description["components"]["schemas"].as_object().unwrap();
    let null = Value::from("null");
    for (schema, name, field) in schemas.iter().flat_map(|(schema, value)| {
        let fields = value["properties"].as_object().into_iter().flatten();
        fields.map(move |(name, field)| ((schema, value), name, field))
    }) {
        let shown = format!("{}.{name}: {field}", schema.0);
        let required = schema.1["required"].as_array().into_iter().flatten().any(|one| one == name);
        let nullable = field["type"].as_array().is_some_and(|types| types.contains(&null));
        assert!(required || !nullable, "{shown}");
        assert!(!field["pattern"].as_str().is_some_and(|pattern| pattern.starts_with("^(")), "{shown}");
    }
    assert_eq!(
        schemas["UserPage"]["properties"]["next_cursor"]["type"],
        serde_json::json!(["string", "null"])
    );
    assert_eq!(schemas["Session"]["properties"]["token_type"]["enum"], serde_json::json!(["Bearer"]));
    for (name, schema) in schemas.iter().filter(|(name, _)| name.ends_with("Form")) {
        let either = schema["oneOf"].is_array();
        assert!(either || schema["additionalProperties"]["type"] == "string", "{name}");
    }
}

on_both_stores! {
    // Descriptions and routes come from one list; this checks both directions.
    async fn every_described_route_is_there(world: World) {
        for (path, methods) in ROUTES {
            let path = path.replace("{code}", "not_found");
            let options = Request::options(&path).body(Body::empty()).unwrap();
            let allowed = world.send(options).await.header("allow").to_ascii_lowercase();
            let mut allowed: Vec<&str> = allowed.split(',').filter(|method| *method != "head").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, methods, "{path}");
            let answer = world.get(&path).await;
            assert_ne!(answer.status, 404, "{path}");
            assert_eq!(answer.status == 405, !methods.contains(&"get"), "{path}");
        }
        let served = world.get("/openapi.json").await;
        assert_eq!(served.text, vestibule_http::openapi(URL, &vestibule::Policy::default()));
    }

    // M12: with the network cut.
    async fn the_page_loads_only_from_here(world: World) {
        let page = world.get("/docs").await;
        assert_eq!(page.status, 200);
        let is_address = |text: &&str| text.starts_with('/') && !text.starts_with("/>");
        let addresses: Vec<&str> = page.text.split(['"']).filter(is_address).collect();
        assert!(addresses.contains(&"/docs/assets/swagger-ui-bundle.js"), "{addresses:?}");
        for address in addresses {
            assert_eq!(world.get(address).await.status, 200, "{address}");
        }
        assert!(!page.text.contains("://"), "{}", page.text);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self'"), "{policy}");
        let script = world.get("/docs/assets/swagger-ui-bundle.js").await;
        assert_eq!(script.header("content-type"), "text/javascript");
    }

    async fn every_error_code_has_its_page(world: World) {
        let list = world.get("/docs/errors").await.text;
        for entry in vestibule_http::catalogue() {
            let code = entry.code.as_str();
            assert!(list.contains(&format!("/docs/errors/{code}\"")), "{code}");
            let page = world.get(&format!("/docs/errors/{code}")).await;
            assert_eq!(page.status, 200, "{code}");
            assert!(page.text.contains("Cause") && page.text.contains("curl"), "{code}");
        }
    }
}
