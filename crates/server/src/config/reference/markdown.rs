//! `docs/settings.md`.

use std::fmt::Write as _;

use toml::Value;

use super::{Entry, Form, entries, is_reloaded};

const HEAD: &str = "# Settings\n\n\
    <!-- Made by `cargo xtask settings` from crates/server/src/config/keys.rs and defaults.toml; edit those. -->\n\n\
    Every setting with its default. Flags override variables, variables override the file (`--config`, `VESTIBULE_CONFIG`,\n\
    `./vestibule.toml` or `/etc/vestibule/vestibule.toml`), and the file overrides the defaults. Each variable may end in `_FILE`: then it\n\
    names a file with the value. Secrets are also read from systemd's credentials folder, by the name of the key with `_` for `.`\n\
    (`mail_url`). Lists in a variable are separated by commas. An empty text or list means \"not set\".\n\n\
    `DATABASE_URL` and `PORT` are understood as `database_url` and the port of `listen`; the variables below win over them.\n\n\
    Where SIGHUP says yes, a running server takes a new value of the file over when it gets that signal; the others need a restart.\n\n\
    `vestibule check-config --explain KEY` prints one of these with the value in force; `vestibule check-config --print-sources` prints all\n\
    values. [settings.schema.json](settings.schema.json) is a JSON Schema of the file, for editors: begin the file with\n\
    `#:schema ./settings.schema.json`.\n";

/// The reference, with a table for each section of the file.
pub(crate) fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let mut before = None;
    for entry in entries() {
        let section = entry.key.path.split_once('.').map_or("", |(section, _)| section);
        if before.as_deref() != Some(section) {
            let title = if section.is_empty() { "At the top".to_owned() } else { format!("`[{section}]`") };
            let _ = write!(
                text,
                "\n## {title}\n\n| key | form | default | variable | SIGHUP | what it is |\n|---|---|---|---|---|---|\n"
            );
            before = Some(section.to_owned());
        }
        text.push_str(&row(&entry));
    }
    text
}

fn row(entry: &Entry) -> String {
    let Entry { key, form, default } = entry;
    let secret = if key.secret { " (secret)" } else { "" };
    let variable = if *form == Form::Tables { "none".to_owned() } else { format!("`{}`", key.variable()) };
    let reloaded = if is_reloaded(key, false) { "yes" } else { "" };
    let cells = [
        format!("`{}`{secret}", key.path),
        form.to_string(),
        shown(default),
        variable,
        reloaded.to_owned(),
        key.what.to_owned(),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// A default as it is written in the file; nothing where nothing is set.
fn shown(default: &Value) -> String {
    match default {
        Value::String(text) if text.is_empty() => String::new(),
        Value::Array(items) if items.is_empty() => String::new(),
        Value::Table(table) if table.is_empty() => String::new(),
        value => format!("`{value}`"),
    }
}
