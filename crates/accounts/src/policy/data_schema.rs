//! What users may keep in their own data, and what a sign-up asks for.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// Decides what the users' own data may be.
pub trait DataSchema: fmt::Debug + Send + Sync {
    /// What is wrong with an object; nothing if it may be kept. It is called inside a transaction, so it must not wait.
    fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault>;

    /// The members that a sign-up may bring, in the order in which a form asks for them. None by default.
    fn sign_up_fields(&self) -> &[SignUpField] {
        &[]
    }

    /// What is wrong with the members that a sign-up brings. Members that are no
    /// [`sign_up_fields`](Self::sign_up_fields), and required ones that are missing, are refused without asking.
    fn sign_up_faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        self.faults(data)
    }
}

/// Something in an object that a [`DataSchema`] does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFault {
    /// The member, or the place where one is missing (RFC 6901).
    pub pointer: String,
    /// What is wrong with it, in a few words.
    pub reason: String,
}

/// A member of the users' own data that a sign-up asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct SignUpField {
    /// Its name: ASCII letters, digits, `_` and `-`.
    pub name: String,
    /// Whether nobody signs up without it.
    pub required: bool,
    /// What a form shows for it.
    pub input: SignUpInput,
    /// What it is called.
    pub label: Wording,
    /// What helps to fill it in.
    pub hint: Option<Wording>,
    /// The JSON Schema of its value, for the description of the API.
    pub schema: Value,
}

/// How a form asks for a value.
#[derive(Clone, Debug, PartialEq)]
pub enum SignUpInput {
    /// A line of text, of the kind of the HTML attribute `type`: `text`, `email`, `url` or `date`.
    Text {
        /// The kind.
        kind: &'static str,
        /// Characters it may have.
        most: Option<u64>,
    },
    /// A number.
    Number,
    /// Yes or no.
    Checkbox,
    /// One of some texts, each with what it is called.
    Choice(Vec<(String, Wording)>),
}

/// A text, and translations of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// For all other languages.
    pub default: String,
    /// By language tag, such as `de`.
    pub translations: BTreeMap<String, String>,
}

impl Wording {
    /// The text for a reader of this language.
    pub fn in_language(&self, tag: &str) -> &str {
        self.translations.get(tag).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_has_one_text_for_all_other_languages() {
        let translations = [("de".to_owned(), "Alter".to_owned())].into_iter().collect();
        let wording = Wording { default: "Age".to_owned(), translations };
        assert_eq!((wording.in_language("de"), wording.in_language("fr")), ("Alter", "Age"));
    }
}
