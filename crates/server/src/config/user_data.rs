//! The schema that the users' own data must satisfy.

pub(super) mod claims;
mod sign_up;

use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};
use vestibule::{DataFault, DataSchema, SignUpField};

use super::checker::Checker;

const PATH: &str = "user_data.schema";
/// Octets of the file.
const OCTETS_MAX: u64 = 64 * 1024;
/// Faults that are told of one object.
const FAULTS_MAX: usize = 20;
/// Characters of a pointer and of a reason: both may repeat what a user sent.
const CHARS_MAX: usize = 200;

/// A compiled JSON Schema.
#[derive(Debug)]
struct Schema {
    whole: Validator,
    fields: Vec<SignUpField>,
    /// The members that a sign-up brings.
    sign_up: Validator,
}

impl DataSchema for Schema {
    fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        judged(&self.whole, data)
    }

    fn sign_up_fields(&self) -> &[SignUpField] {
        &self.fields
    }

    fn sign_up_faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        judged(&self.sign_up, data)
    }
}

fn judged(schema: &Validator, data: &Map<String, Value>) -> Vec<DataFault> {
    let data = Value::Object(data.clone());
    schema.iter_errors(&data).take(FAULTS_MAX).map(|error| fault(&error)).collect()
}

/// At the member that is wrong: where one is missing or too many, the schema's own error is about the object around it.
fn fault(error: &ValidationError<'_>) -> DataFault {
    let around = error.instance_path().to_string();
    let member = match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str(),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected.first().map(String::as_str),
        _ => None,
    };
    let member = member.map(|name| format!("/{}", name.replace('~', "~0").replace('/', "~1")));
    let short = |text: &str| text.chars().take(CHARS_MAX).collect();
    DataFault {
        pointer: short(&format!("{around}{}", member.unwrap_or_default())),
        reason: short(&error.masked_with("the value").to_string()),
    }
}

pub(super) fn schema(path: &str, checker: &mut Checker) -> Option<Arc<dyn DataSchema>> {
    if path.is_empty() {
        return None;
    }
    match read(path).and_then(|schema| compile(&schema)) {
        Ok(schema) => Some(Arc::new(schema)),
        Err(cause) => {
            let fix = "name the file of a JSON Schema (https://json-schema.org) for an object";
            checker.problem(PATH, format!("{path}: {cause}"), fix);
            None
        }
    }
}

fn read(path: &str) -> Result<Value, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(OCTETS_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > OCTETS_MAX {
        return Err("it has more than 64 KiB".to_owned());
    }
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Nothing outside the file is read. Patterns are matched in linear time, whatever somebody sends: those that need
/// backtracking are refused (ASVS 1.3.12).
fn compile(schema: &Value) -> Result<Schema, String> {
    if !schema.is_object() {
        return Err("it is no JSON object".to_owned());
    }
    let whole = validator(schema)?;
    let fields = sign_up::fields(schema)?;
    let sign_up = validator(&sign_up::of_fields(schema, &fields))?;
    Ok(Schema { whole, fields, sign_up })
}

fn validator(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::options().offline().with_pattern_options(PatternOptions::regex());
    options.should_validate_formats(true).build(schema).map_err(|error| {
        let place = error.instance_path().to_string();
        if place.is_empty() { error.to_string() } else { format!("{place}: {error}") }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Flags;
    use crate::config::environment::Environment;
    use crate::config::settings::Config;

    fn faults(schema: &Value, data: Value) -> Vec<(String, String)> {
        let Value::Object(data) = data else { panic!("{data} is no object") };
        let found = compile(schema).unwrap().faults(&data);
        found.into_iter().map(|fault| (fault.pointer, fault.reason)).collect()
    }

    #[test]
    fn a_fault_points_to_the_member() {
        let schema = json!({
            "type": "object",
            "properties": {
                "theme": {"enum": ["dark", "light"]},
                "news": {"type": "object", "properties": {"a/b": {"type": "boolean"}}, "additionalProperties": false},
                "phone": {"type": "string", "pattern": "^[+][0-9]{5,15}$"},
            },
            "required": ["theme"],
            "additionalProperties": false,
        });
        assert_eq!(faults(&schema, json!({"theme": "dark", "news": {"a/b": true}, "phone": "+4912345"})), []);
        for (data, pointer) in [
            (json!({}), "/theme"),
            (json!({"theme": "x"}), "/theme"),
            (json!({"theme": "dark", "other": 1}), "/other"),
            (json!({"theme": "dark", "news": {"a/b": 1}}), "/news/a~1b"),
            (json!({"theme": "dark", "news": {"x~y": 1}}), "/news/x~0y"),
            (json!({"theme": "dark", "phone": "secret-number"}), "/phone"),
        ] {
            let found = faults(&schema, data.clone());
            assert_eq!(
                found.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(),
                [pointer],
                "{data}"
            );
            assert!(!found[0].1.contains("secret-number") && !found[0].1.is_empty(), "{found:?}");
        }
        let many: Map<String, Value> = (0..100).map(|n| (format!("m{n}"), json!(1))).collect();
        let strict = json!({"patternProperties": {"^m": {"type": "string"}}});
        assert_eq!(faults(&strict, many.into()).len(), FAULTS_MAX);
        let long = faults(&json!({"additionalProperties": false}), json!({"x".repeat(4000): 1}));
        assert!(long[0].0.len() <= CHARS_MAX && long[0].1.len() <= CHARS_MAX);
    }

    #[test]
    fn a_schema_reads_nothing_else_and_backtracks_never() {
        for (schema, words) in [
            (json!({"$ref": "https://example.org/schema.json"}), "example.org"),
            (json!({"$ref": "file:///etc/passwd"}), "passwd"),
            (json!({"properties": {"a": {"$ref": "other.json"}}}), "other.json"),
            (json!({"properties": {"a": {"pattern": "(a)\\1"}}}), "regex"),
            (json!({"properties": {"a": {"pattern": "(?=a)b"}}}), "regex"),
            (json!({"type": "objekt"}), "objekt"),
            (json!([]), "no JSON object"),
        ] {
            let refused = compile(&schema).map(drop).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        let inner = json!({"$defs": {"t": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/t"}}});
        assert_eq!(faults(&inner, json!({"a": 1}))[0].0, "/a");
    }

    // What the whole schema requires beside it comes later.
    #[test]
    fn a_sign_up_is_judged_by_its_own_members() {
        let schema = json!({
            "properties": {
                "born": {"type": "string", "format": "date", "x-signup": true},
                "theme": {"enum": ["dark", "light"]},
            },
            "required": ["theme"],
        });
        let schema = compile(&schema).unwrap();
        let faults = |data: Value| {
            let found = schema.sign_up_faults(data.as_object().unwrap());
            found.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
        };
        assert_eq!(schema.sign_up_fields().len(), 1);
        assert_eq!(faults(json!({"born": "1815-12-10"})), [""; 0]);
        assert_eq!(faults(json!({"born": "1815-02-30"})), ["/born"]);
        assert_eq!(faults(json!({"born": 1815})), ["/born"]);
        let whole = schema.faults(json!({"born": "1815-12-10"}).as_object().unwrap());
        assert_eq!(whole[0].pointer, "/theme");
    }

    #[test]
    fn the_file_is_named_in_the_settings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schema.json");
        let load = |path: &str| {
            let pairs = [("VESTIBULE_USER_DATA_SCHEMA".to_owned(), path.to_owned())];
            let config = Config::load(&Flags::default(), &Environment(pairs.into_iter().collect()));
            config.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        };
        let name = path.display().to_string();
        std::fs::write(&path, r#"{"type": "object"}"#).unwrap();
        assert!(
            load(&name).unwrap().policy.data_schema.is_some()
                && load("").unwrap().policy.data_schema.is_none()
        );
        for (text, words) in [("{", "EOF"), ("[]", "no JSON object"), (&" ".repeat(65 * 1024), "64 KiB")] {
            std::fs::write(&path, text).unwrap();
            let refused = load(&name).map(drop).unwrap_err();
            assert!(refused.contains(words) && refused.contains("VESTIBULE_USER_DATA_SCHEMA"), "{refused}");
        }
        assert!(load("/nowhere.json").map(drop).unwrap_err().contains("/nowhere.json: No such file"));
    }
}
