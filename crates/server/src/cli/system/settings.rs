//! `vestibule settings`: the reference of all settings, for people, editors and scripts.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::config::reference::{self, Entry};
use crate::failure::Failure;

/// Prints the reference as Markdown, as a JSON Schema of the settings file, or as one object for each setting.
pub(crate) fn run(context: &Context, schema: bool) -> Result<(), Failure> {
    if schema {
        return output::line(&format!("{:#}", reference::schema()));
    }
    if context.json {
        return reference::entries().iter().try_for_each(|entry| output::object(as_json(entry)));
    }
    output::line(reference::markdown().trim_end())
}

/// What is known of a setting, wherever it is printed.
pub(crate) fn as_json(entry: &Entry) -> serde_json::Value {
    json!({
        "key": entry.key.path,
        "what": entry.key.what,
        "form": entry.form.to_string(),
        "default": entry.default,
        "variable": entry.key.variable(),
        "variable_of_file": format!("{}_FILE", entry.key.variable()),
        "credential": entry.key.secret.then(|| entry.key.credential()),
        "secret": entry.key.secret,
        "reloaded": reference::is_reloaded(entry.key, false),
    })
}
