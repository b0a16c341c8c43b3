//! A request of a described route, as a command for a terminal.

use serde_json::{Map, Value};

use super::routes::RouteTable;

/// Longer bodies are made by browsers, and nobody types them.
const BODY_MAX: usize = 300;
/// How deep an example is looked for: a choice between schemas, one of them, its own reference.
const DEPTH: usize = 4;

/// The `curl` command for a route, with the example of its description as the body. Credentials are named, never given.
pub(crate) fn curl(table: &RouteTable, public_url: &str, method: &str, path: &str) -> String {
    let place = path.replace("{id}", "$ID").replace("{client_id}", "$CLIENT");
    let mut command = match method {
        "GET" => format!("curl \"{public_url}{place}\""),
        _ => format!("curl -X {method} \"{public_url}{place}\""),
    };
    if let Some((api, operation)) = described(table, method, path) {
        command += credentials(&operation);
        command += &headers(&operation);
        command += &body(&api, &operation);
    }
    command
}

/// The names of the ways to authenticate at a route, e.g. `bearer`; none if it may do without or is not described.
pub(crate) fn asks_for(table: &RouteTable, method: &str, path: &str) -> Vec<String> {
    let names = |(_, operation): (Value, Value)| -> Option<Vec<String>> {
        let ways: Vec<_> = operation["security"].as_array()?.iter().filter_map(Value::as_object).collect();
        let is_open = ways.iter().any(|way| way.is_empty());
        Some(if is_open { Vec::new() } else { ways.into_iter().flat_map(Map::keys).cloned().collect() })
    };
    described(table, method, path).and_then(names).unwrap_or_default()
}

/// The description of a route's file, and the operation in it.
fn described(table: &RouteTable, method: &str, path: &str) -> Option<(Value, Value)> {
    let api = serde_json::to_value(table.describe(method, path)?).ok()?;
    let operation = api["paths"][path][method.to_ascii_lowercase()].clone();
    operation.is_object().then_some((api, operation))
}

fn credentials(operation: &Value) -> &'static str {
    let first = operation["security"][0].as_object().and_then(|way| way.keys().next());
    match first.map(String::as_str) {
        Some("bearer" | "client_token") => " -H \"Authorization: Bearer $ACCESS_TOKEN\"",
        Some("basic") => " -u \"ada@example.org:$PASSWORD\"",
        Some("client") => " -u \"$CLIENT:$SECRET\"",
        _ => "",
    }
}

/// The headers that must be there.
fn headers(operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let needed =
        parameters.iter().filter(|parameter| parameter["in"] == "header" && parameter["required"] == true);
    needed.filter_map(|parameter| parameter["name"].as_str()).fold(String::new(), |all, name| {
        let value = if name == "If-Match" { "$ETAG" } else { "$VALUE" };
        format!("{all} -H \"{name}: {value}\"")
    })
}

fn body(api: &Value, operation: &Value) -> String {
    let content = operation["requestBody"]["content"].as_object();
    let Some((kind, content)) = content.and_then(|content| content.iter().next()) else {
        return String::new();
    };
    let example = if content["example"].is_object() { Some(&content["example"]) } else { None };
    let example = example.or_else(|| example_of(api, &content["schema"], DEPTH));
    let Some(Value::Object(fields)) = example else { return String::new() };
    if kind == "application/x-www-form-urlencoded" {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let field =
            |(name, value): (&String, &Value)| format!(" -d {}", quoted(&format!("{name}={}", text(value))));
        return fields.iter().map(field).collect();
    }
    let text = serde_json::to_string(fields).unwrap_or_default();
    let sent = if text.len() > BODY_MAX { "@body.json".to_owned() } else { quoted(&text) };
    format!(" -H 'Content-Type: {kind}' -d {sent}")
}

/// The example of a schema, or of the first of a choice.
fn example_of<'a>(api: &'a Value, schema: &'a Value, depth: usize) -> Option<&'a Value> {
    if schema["example"].is_object() {
        return Some(&schema["example"]);
    }
    let deeper = depth.checked_sub(1)?;
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.strip_prefix("#/components/schemas/")) {
        return example_of(api, &api["components"]["schemas"][name], deeper);
    }
    schema["oneOf"].as_array()?.iter().find_map(|one| example_of(api, one, deeper))
}

/// In single quotes, for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
