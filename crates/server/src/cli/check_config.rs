//! `vestibule check-config`: what would be served with, and whether it may be.

use serde_json::json;
use toml::Value;

use super::output;
use crate::cli::Context;
use crate::config::{Config, Key, Problem, Setting, refusals};
use crate::failure::{Exit, Failure};
use crate::serve::post;

/// Runs the command. Exit code 3 says that there are problems.
pub(crate) fn run(context: &Context, dev: bool, print_sources: bool) -> Result<(), Failure> {
    let config = context.config().map_err(|failure| failure.exit(Exit::Found))?;
    if print_sources {
        config.settings().try_for_each(|(key, setting)| print(context, key, setting))?;
    }
    let mut problems = refusals(&config, dev);
    if problems.is_empty() {
        problems.extend(mail_problem(&config, dev));
    }
    if problems.is_empty() {
        eprintln!("The settings are good{}.", if dev { " for --dev" } else { "" });
        return Ok(());
    }
    Err(Failure::problems(&problems).exit(Exit::Found))
}

/// The mail's URL and templates are read as the server reads them.
fn mail_problem(config: &Config, dev: bool) -> Option<Problem> {
    post::mailer(config, dev, &config.public_url(None)).err()
}

fn print(context: &Context, key: &Key, setting: &Setting) -> Result<(), Failure> {
    let value = shown(key, &setting.value);
    if context.json {
        return output::object(json!({
            "key": key.path,
            "value": value,
            "source": setting.source.to_string(),
            "variable": key.variable(),
            "what": key.what,
        }));
    }
    output::line(&format!("{} = {value}  # {}; {}; {}", key.path, setting.source, key.variable(), key.what))
}

/// A secret is shown as set or not; of an URL the scheme may be seen, of a service its name.
fn shown(key: &Key, value: &Value) -> Value {
    match value {
        Value::String(text) if key.secret && !text.is_empty() => {
            let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| scheme.len() <= 20);
            Value::String(scheme.map_or_else(|| "[secret]".to_owned(), |scheme| format!("{scheme}:[secret]")))
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| shown(key, item)).collect()),
        value => value.clone(),
    }
}
