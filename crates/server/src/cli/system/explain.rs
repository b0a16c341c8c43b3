//! `vestibule check-config --explain`: one setting, what it is and what it is set to.

use crate::cli::context::Context;
use crate::cli::system::settings::as_json;
use crate::cli::terminal::output;
use crate::config::keys::{KEYS, closest};
use crate::config::layers::Setting;
use crate::config::reference::{Entry, entries, is_reloaded};
use crate::config::settings::Config;
use crate::failure::Failure;

/// Explains the setting with this key or variable; also where other settings are wrong.
pub(crate) fn run(context: &Context, name: &str) -> Result<(), Failure> {
    let wanted = name.strip_suffix("_FILE").unwrap_or(name);
    let is_wanted = |entry: &Entry| entry.key.path == wanted || entry.key.variable() == wanted;
    let Some(entry) = entries().into_iter().find(is_wanted) else { return Err(unknown(name)) };
    let loaded = Config::load(&context.flags, &context.environment);
    let found =
        loaded.as_ref().ok().and_then(|config| config.settings().find(|(key, _)| key.path == entry.key.path));
    let setting = found.map(|(_, setting)| setting);
    if context.json {
        let mut told = as_json(&entry);
        told["value"] = serde_json::json!(setting.map(|setting| setting.shown(entry.key)));
        told["source"] = serde_json::json!(setting.map(|setting| setting.source.to_string()));
        output::object(told)?;
    } else {
        output::line(&text(&entry, setting))?;
    }
    if loaded.is_err() {
        eprintln!(
            "note: some settings are wrong, so its value is not shown: `vestibule check-config` says which"
        );
    }
    Ok(())
}

fn unknown(name: &str) -> Failure {
    let variables: Vec<String> = KEYS.iter().map(crate::config::keys::Key::variable).collect();
    let names = KEYS.iter().map(|key| key.path).chain(variables.iter().map(String::as_str));
    let fix = match closest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`vestibule settings` lists them all".to_owned(),
    };
    Failure::not_found(format!("there is no setting {name:?}")).fix(fix)
}

fn text(entry: &Entry, setting: Option<&Setting>) -> String {
    let Entry { key, form, default } = entry;
    let variable = key.variable();
    let credential =
        if key.secret { format!("\n  credential: {} (systemd)", key.credential()) } else { String::new() };
    let now = setting
        .map_or_else(String::new, |setting| format!("\n  now: {} ({})", setting.shown(key), setting.source));
    let changes = if is_reloaded(key, false) { "with SIGHUP, or a restart" } else { "with a restart" };
    format!(
        "{}: {}\n  form: {form}\n  default: {default}{now}\n  variable: {variable}, or {variable}_FILE with the path of a file{credential}\n  changes: {changes}",
        key.path, key.what
    )
}
