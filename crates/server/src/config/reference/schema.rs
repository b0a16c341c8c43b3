//! `docs/settings.schema.json`: the settings file as a JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::{Entry, entries};

/// The JSON Schema (2020-12) of the settings file.
pub(crate) fn schema() -> Value {
    let mut properties = Map::new();
    for entry in entries() {
        let described = described(&entry);
        match entry.key.path.split_once('.') {
            None => drop(properties.insert(entry.key.path.to_owned(), described)),
            Some((section, name)) => {
                let section = properties.entry(section).or_insert_with(
                    || json!({ "type": "object", "additionalProperties": false, "properties": {} }),
                );
                section["properties"][name] = described;
            }
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vestibule.toml",
        "description": "The settings file of Vestibule. Bounds of values are checked by `vestibule check-config`.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn described(entry: &Entry) -> Value {
    let mut schema = entry.form.schema();
    schema["description"] = entry.key.what.into();
    schema["default"] = json!(entry.default);
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::Layers;

    #[test]
    fn the_schema_describes_the_file() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let is_valid = |text: &str| validator.is_valid(&json!(text.parse::<toml::Table>().unwrap()));
        assert!(validator.is_valid(&json!(Layers::defaults().merged())), "the defaults");
        for good in [
            "",
            "listen = 'unix:/run/v'",
            "[[clients]]\nid = 'shop'\nname = 'Shop'",
            "[claims]\nplan = 'app.plan'",
        ] {
            assert!(is_valid(good), "{good}");
        }
        for wrong in [
            "lisen = ''",
            "[mail]\nform = ''",
            "[hash]\npasses = 'two'",
            "[log]\nformat = 'xml'",
            "[confirm]\ncode_lifetime = '60'",
            "[limits]\nsign_in = '20'",
            "[webhooks]\nevents = ['user.made']",
            "[[clients]]\nnam = ''",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }
}
