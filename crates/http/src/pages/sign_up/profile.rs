//! What the operator asks for at a sign-up, beside address, password and names.

use minijinja::{Value, context};
use serde_json::Number;
use vestibule::{SignUpField, SignUpInput, Wording};

use crate::extract::Pairs;
use crate::extract::input::tree::Tree;
use crate::pages::frame::i18n::Language;

/// The name of a field in the form.
fn name_of(field: &SignUpField) -> String {
    format!("profile.{}", field.name)
}

/// The fields, with what was typed before.
pub(super) fn asked<'a>(
    fields: &[SignUpField],
    language: Language,
    typed: impl Fn(&str) -> Option<&'a str>,
) -> Vec<Value> {
    let in_language = |wording: &Wording| wording.in_language(language.tag()).to_owned();
    let shown = |field: &SignUpField| {
        let name = name_of(field);
        let before = typed(&name);
        let (kind, most, options) = match &field.input {
            SignUpInput::Text { kind, most } => (*kind, *most, Vec::new()),
            SignUpInput::Number => ("number", None, Vec::new()),
            SignUpInput::Checkbox => ("checkbox", None, Vec::new()),
            SignUpInput::Choice(options) => {
                let option = |(value, label): &(String, Wording)| {
                    context! { value, label => in_language(label), chosen => before == Some(value.as_str()) }
                };
                ("choice", None, options.iter().map(option).collect())
            }
        };
        context! {
            name, kind, most, options, value => before, required => field.required,
            label => in_language(&field.label), hint => field.hint.as_ref().map(in_language),
        }
    };
    fields.iter().map(shown).collect()
}

/// Takes the fields from the form. What is no number stays a text: the schema says that it is wrong.
pub(super) fn take(form: &mut Pairs, fields: &[SignUpField]) -> Tree {
    let value = |field: &SignUpField| {
        let typed = form.filled(&name_of(field));
        let value = match (&field.input, typed) {
            (SignUpInput::Checkbox, typed) => Tree::Other(typed.is_some().into()),
            (_, None) => return None,
            (SignUpInput::Number, Some(typed)) => match typed.parse::<Number>() {
                Ok(number) => Tree::Other(number.into()),
                Err(_) => Tree::Text(typed),
            },
            (SignUpInput::Text { .. } | SignUpInput::Choice(_), Some(typed)) => Tree::Text(typed),
        };
        Some((field.name.clone(), value))
    };
    Tree::Object(fields.iter().filter_map(value).collect())
}
