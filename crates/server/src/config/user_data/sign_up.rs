//! What the schema asks for at a sign-up: the members marked `x-signup`.

use serde_json::{Map, Value, json};
use vestibule::{SignUpField, SignUpInput, Wording};

/// Marks a member; a number says which place it has in the form.
const MARK: &str = "x-signup";
/// A form asks for few things.
const FIELDS_MAX: usize = 20;
const CHOICES_MAX: usize = 300;
const NAME_MAX: usize = 64;

/// The fields, in the order of the form.
pub(super) fn fields(schema: &Value) -> Result<Vec<SignUpField>, String> {
    let none = Map::new();
    let members = schema["properties"].as_object().unwrap_or(&none);
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Vec::new();
    for (name, member) in members {
        if let Some(place) = place(&member[MARK]).map_err(|rule| format!("/properties/{name}: {rule}"))? {
            let required = required.contains(&name.as_str());
            let field =
                field(name, member, required).map_err(|rule| format!("/properties/{name}: {rule}"))?;
            fields.push((place, field));
        }
    }
    if fields.len() > FIELDS_MAX {
        return Err(format!("a sign-up asks for at most {FIELDS_MAX} members"));
    }
    fields.sort_by_key(|(place, _)| *place);
    Ok(fields.into_iter().map(|(_, field)| field).collect())
}

/// A schema of these members only: what else the whole schema requires is not there yet.
pub(super) fn of_fields(schema: &Value, fields: &[SignUpField]) -> Value {
    let members: Map<_, _> = fields.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
    let mut part = json!({"properties": members});
    if let Some(draft) = schema.get("$schema") {
        part["$schema"] = draft.clone();
    }
    part
}

fn place(mark: &Value) -> Result<Option<u64>, &'static str> {
    match mark {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(0)),
        Value::Number(place) if place.is_u64() => Ok(place.as_u64()),
        _ => Err("`x-signup` is `true`, `false`, or the number of a place in the form"),
    }
}

fn field(name: &str, member: &Value, required: bool) -> Result<SignUpField, String> {
    let plain = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
        return Err("what a form asks for is named by 1 to 64 ASCII letters, digits, `_` and `-`".to_owned());
    }
    if refers(member) {
        return Err("what a form asks for is described in its place, without `$ref`".to_owned());
    }
    let label = wording(member, "title")?;
    let label = label.unwrap_or_else(|| Wording { default: name.to_owned(), ..Wording::default() });
    let hint = wording(member, "description")?;
    Ok(SignUpField {
        name: name.to_owned(),
        required,
        input: input(member)?,
        label,
        hint,
        schema: member.clone(),
    })
}

fn refers(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.contains_key("$ref") || members.values().any(refers),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

fn input(member: &Value) -> Result<SignUpInput, String> {
    if let Some(options) = member.get("oneOf").or_else(|| member.get("enum")) {
        let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
        let options = options.iter().map(option).collect::<Result<Vec<_>, _>>()?;
        return if (1..=CHOICES_MAX).contains(&options.len()) {
            Ok(SignUpInput::Choice(options))
        } else {
            Err(format!("a form offers 1 to {CHOICES_MAX} choices"))
        };
    }
    match member["type"].as_str() {
        Some("string") => {
            let kind = match member["format"].as_str() {
                Some("email") => "email",
                Some("uri") => "url",
                Some("date") => "date",
                _ => "text",
            };
            Ok(SignUpInput::Text { kind, most: member["maxLength"].as_u64() })
        }
        Some("integer" | "number") => Ok(SignUpInput::Number),
        Some("boolean") => Ok(SignUpInput::Checkbox),
        _ => Err("a form asks for a `type` of string, integer, number or boolean, for texts of an `enum`, or for a `oneOf` \
                  with a `const` and a `title` each"
            .to_owned()),
    }
}

/// A text of an `enum`, or a `const` with its own title.
fn option(option: &Value) -> Result<(String, Wording), String> {
    let value = option.as_str().or_else(|| option["const"].as_str());
    let value = value.filter(|value| !value.is_empty()).ok_or("the choices of a form are texts")?;
    let label = wording(option, "title")?;
    Ok((
        value.to_owned(),
        label.unwrap_or_else(|| Wording { default: value.to_owned(), ..Wording::default() }),
    ))
}

/// A text, with translations in the keyword of the same name after `x-`.
fn wording(of: &Value, keyword: &str) -> Result<Option<Wording>, String> {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let translated = format!("x-{keyword}");
    let translations = match &of[&translated] {
        Value::Null => Some(Vec::new()),
        Value::Object(texts) => texts.iter().map(|(tag, value)| Some((tag.clone(), text(value)?))).collect(),
        _ => None,
    };
    let translations = translations.ok_or_else(|| {
        format!("`{translated}` is an object of texts by language, such as {{\"de\": \"…\"}}")
    })?;
    match &of[keyword] {
        Value::Null if translations.is_empty() => Ok(None),
        value => match text(value) {
            Some(default) => Ok(Some(Wording { default, translations: translations.into_iter().collect() })),
            None => {
                Err(format!("`{keyword}` is the text for all languages that `{translated}` does not have"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(members: &Value) -> Result<Vec<SignUpField>, String> {
        fields(&json!({"properties": members, "required": ["plan", "terms"]}))
    }

    #[test]
    fn marked_members_are_fields_of_a_form() {
        let found = asked(&json!({
            "hidden": {"type": "string"},
            "age": {"type": "integer", "x-signup": 2},
            "plan": {
                "oneOf": [{"const": "free", "title": "Free", "x-title": {"de": "Kostenlos"}}, {"const": "pro"}],
                "x-signup": 1,
            },
            "terms": {"type": "boolean", "title": "I agree", "x-title": {"de": "Ich stimme zu"}, "x-signup": 3},
            "site": {"type": "string", "format": "uri", "maxLength": 200, "description": "Yours", "x-signup": true},
            "size": {"enum": ["s", "m"], "x-signup": 4},
        }))
        .unwrap();
        let names: Vec<_> = found.iter().map(|field| (field.name.as_str(), field.required)).collect();
        assert_eq!(
            names,
            [("site", false), ("plan", true), ("age", false), ("terms", true), ("size", false)]
        );
        assert_eq!(found[0].input, SignUpInput::Text { kind: "url", most: Some(200) });
        assert_eq!(
            (found[0].label.default.as_str(), found[0].hint.as_ref().unwrap().in_language("de")),
            ("site", "Yours")
        );
        let SignUpInput::Choice(options) = &found[1].input else { panic!("a choice") };
        assert_eq!((options[0].0.as_str(), options[0].1.in_language("de")), ("free", "Kostenlos"));
        assert_eq!((options[1].0.as_str(), options[1].1.in_language("de")), ("pro", "pro"));
        assert_eq!((&found[2].input, &found[3].input), (&SignUpInput::Number, &SignUpInput::Checkbox));
        assert_eq!(found[3].label.in_language("de"), "Ich stimme zu");
    }

    #[test]
    fn what_no_form_can_ask_for_is_refused_at_the_start() {
        for (member, words) in [
            (json!({"x-signup": true}), "`type`"),
            (json!({"type": "object", "x-signup": true}), "`type`"),
            (json!({"type": ["string", "null"], "x-signup": true}), "`type`"),
            (json!({"$ref": "#/$defs/a", "x-signup": true}), "$ref"),
            (json!({"type": "string", "x-signup": "yes"}), "`x-signup` is"),
            (json!({"type": "string", "x-signup": -1}), "`x-signup` is"),
            (json!({"enum": [1, 2], "x-signup": true}), "texts"),
            (json!({"enum": [""], "x-signup": true}), "texts"),
            (json!({"enum": [], "x-signup": true}), "choices"),
            (json!({"type": "string", "title": 1, "x-signup": true}), "`title`"),
            (json!({"type": "string", "x-title": {"de": "Ort"}, "x-signup": true}), "`title`"),
            (json!({"type": "string", "title": "Place", "x-title": "Ort", "x-signup": true}), "`x-title`"),
        ] {
            let refused = asked(&json!({"a": member})).unwrap_err();
            assert!(refused.contains(words) && refused.starts_with("/properties/a: "), "{member}: {refused}");
        }
        assert!(asked(&json!({"a b": {"type": "string", "x-signup": true}})).unwrap_err().contains("named"));
        let many: Map<_, _> = (0..=FIELDS_MAX)
            .map(|n| (format!("m{n}"), json!({"type": "string", "x-signup": true})))
            .collect();
        assert!(asked(&many.into()).unwrap_err().contains("at most 20"));
    }
}
