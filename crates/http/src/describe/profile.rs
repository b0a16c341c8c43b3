//! What this server asks for at a sign-up, in the description of its API.

use serde_json::{Map, Value, json};
use vestibule::SignUpField;

/// Describes `profile`: each member as the operator's schema does, and no other.
pub(crate) fn describe(api: &mut Value, fields: &[SignUpField]) {
    let members: Map<_, _> = fields.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| field.name.as_str()).collect();
    let Some(request) = api.pointer_mut("/components/schemas/SignUpRequest") else { return };
    if !required.is_empty()
        && let Some(all) = request["required"].as_array_mut()
    {
        all.push("profile".into());
    }
    request["properties"]["profile"] = json!({
        "type": "object",
        "description": "The first of the account's own data: what this server asks for at a sign-up.",
        "properties": members,
        "required": required,
        "additionalProperties": false,
    });
}
