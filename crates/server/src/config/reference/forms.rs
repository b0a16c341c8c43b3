//! How the value of a setting is written.

use std::fmt;

use serde_json::json;
use toml::Value;
use vestibule::WebhookEvent;

use crate::config::keys::Key;
use crate::config::values::{PerTime, Span};

/// How the value of a setting is written in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `true` or `false`.
    Switch,
    /// A whole number, not negative.
    Number,
    /// Any text that its purpose allows.
    Text,
    /// A number and a unit.
    Duration,
    /// A number per duration.
    Rate,
    /// One of these words.
    Word(Vec<&'static str>),
    /// A list whose entries have one form.
    List(Box<Form>),
    /// Names and values.
    Pairs,
    /// Tables `[[name]]`.
    Tables,
}

impl Form {
    /// The form of a setting: that of its default, unless there are only certain words.
    pub(super) fn of(key: &Key, default: &Value) -> Self {
        let words = words(key.path);
        let one = if words.is_empty() { Self::Text } else { Self::Word(words) };
        match default {
            Value::Boolean(_) => Self::Switch,
            Value::Integer(_) => Self::Number,
            Value::Table(_) => Self::Pairs,
            Value::Array(_) if key.path == "clients" => Self::Tables,
            Value::Array(items) => Self::List(Box::new(items.first().map_or(one, |it| Self::of(key, it)))),
            Value::String(text) if text.parse::<Span>().is_ok() => Self::Duration,
            Value::String(text) if text.parse::<PerTime>().is_ok() => Self::Rate,
            _ => one,
        }
    }

    /// The form as a JSON Schema.
    pub(super) fn schema(&self) -> serde_json::Value {
        match self {
            Self::Switch => json!({ "type": "boolean" }),
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::Text => json!({ "type": "string" }),
            Self::Duration => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
            Self::Rate => json!({ "type": "string", "pattern": "^[0-9]+/[0-9]+[smhd]$" }),
            Self::Word(words) => json!({ "enum": words }),
            Self::List(form) => json!({ "type": "array", "items": form.schema() }),
            Self::Pairs => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
            Self::Tables => {
                let names = crate::config::clients::KEYS;
                json!({ "type": "array", "items": { "type": "object", "propertyNames": { "enum": names } } })
            }
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("`true` or `false`"),
            Self::Number => f.write_str("number"),
            Self::Text => f.write_str("text"),
            Self::Duration => f.write_str("duration: `60s`, `10m`, `24h`, `14d`"),
            Self::Rate => f.write_str("number per duration: `20/5m`"),
            Self::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                f.write_str(&words.join(", "))
            }
            Self::List(form) => write!(f, "list of: {form}"),
            Self::Pairs => f.write_str("names and values"),
            Self::Tables => f.write_str("tables, in the file only"),
        }
    }
}

/// The words that a setting may have; none where any text may stand.
fn words(path: &str) -> Vec<&'static str> {
    match path {
        "confirm.methods" => vec!["code", "link"],
        "signup.mode" => vec!["open", "invitation", "closed"],
        "signup.consent" => vec!["off", "line", "checkbox"],
        "signup.disclosure" => vec!["discreet", "friendly"],
        "password.preset" => vec!["standard", "nist"],
        "tokens.algorithm" => vec!["EdDSA", "ES256"],
        "second_factor.require" => vec!["off", "admins", "all"],
        "log.format" => vec!["auto", "text", "json"],
        "webhooks.events" => WebhookEvent::ALL.map(WebhookEvent::name).to_vec(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use crate::config::environment::Environment;
    use crate::config::keys::KEYS;
    use crate::config::settings::Config;

    fn is_accepted(key: &Key, word: &str) -> bool {
        let flags = Flags { config: None, listen: None };
        // There are terms to accept.
        let terms = ("VESTIBULE_PAGES_TERMS_URL".to_owned(), "https://example.org/terms".to_owned());
        let environment = Environment([(key.variable(), word.to_owned()), terms].into());
        Config::load(&flags, &environment).is_ok()
    }

    #[test]
    fn the_words_are_those_that_the_program_takes() {
        let mut with_words = 0;
        for key in KEYS {
            let words = words(key.path);
            assert!(words.iter().all(|word| is_accepted(key, word)), "{}", key.path);
            if !words.is_empty() {
                assert!(!is_accepted(key, "another"), "{}", key.path);
                with_words += 1;
            }
        }
        assert_eq!(with_words, 9);
    }
}
