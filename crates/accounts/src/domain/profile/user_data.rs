//! A JSON object kept with a user: their own data, or the application's.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Octets of an object, written without spaces.
const OCTETS_MAX: usize = 4 * 1024;
/// Levels of objects and lists, the outermost included.
const LEVELS_MAX: usize = 16;

/// A JSON object of at most 4 KiB and 16 levels; empty by default.
///
/// It is kept as text, and read only where somebody looks into it: every check of a token reads its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserData(String);

/// The object cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// More than 4 KiB.
    #[error("the object has more than 4 KiB when it is written without spaces")]
    TooLarge,
    /// More than 16 levels.
    #[error("the object has more than 16 levels")]
    TooDeep,
}

impl UserData {
    /// Keeps an object.
    ///
    /// # Errors
    /// [`UserDataError::TooLarge`], [`UserDataError::TooDeep`].
    pub fn new(object: Map<String, Value>) -> Result<Self, UserDataError> {
        if object.is_empty() {
            return Ok(Self::default());
        }
        let object = Value::Object(object);
        if !has_levels(&object, LEVELS_MAX) {
            return Err(UserDataError::TooDeep);
        }
        let text = object.to_string();
        if text.len() > OCTETS_MAX { Err(UserDataError::TooLarge) } else { Ok(Self(text)) }
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object.
    pub fn to_object(&self) -> Map<String, Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The object as a merge patch leaves it (RFC 7396 §2): members that are `null` in the patch are removed, objects are
    /// merged, anything else is replaced.
    ///
    /// # Errors
    /// [`UserDataError::TooLarge`], [`UserDataError::TooDeep`].
    pub fn merged(&self, patch: &Map<String, Value>) -> Result<Self, UserDataError> {
        if !patch.values().all(|value| has_levels(value, LEVELS_MAX - 1)) {
            return Err(UserDataError::TooDeep);
        }
        let mut object = self.to_object();
        merge(&mut object, patch);
        Self::new(object)
    }

    pub(crate) fn from_stored(text: Option<String>) -> Self {
        Self(text.unwrap_or_default())
    }

    pub(crate) fn to_stored(&self) -> Option<&str> {
        (!self.is_empty()).then_some(self.0.as_str())
    }
}

impl Serialize for UserData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_object().serialize(serializer)
    }
}

/// Whether a value has at most this many levels. So deep it looks, and no deeper.
fn has_levels(value: &Value, most: usize) -> bool {
    let inside = |value| has_levels(value, most.saturating_sub(1));
    match value {
        Value::Object(members) => most > 0 && members.values().all(inside),
        Value::Array(items) => most > 0 && items.iter().all(inside),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, change) in patch {
        match change {
            Value::Null => drop(target.remove(name)),
            Value::Object(members) => {
                let before = target.remove(name);
                let mut inner = before.and_then(|value| value.as_object().cloned()).unwrap_or_default();
                merge(&mut inner, members);
                target.insert(name.clone(), Value::Object(inner));
            }
            other => drop(target.insert(name.clone(), other.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(object) = value else { panic!("{value} is no object") };
        object
    }

    fn data(value: Value) -> UserData {
        UserData::new(object(value)).unwrap()
    }

    // The examples of RFC 7396, Appendix A, whose target and result are objects.
    #[test]
    fn a_patch_is_merged_as_the_standard_says() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({"a": 1}), json!({"a": {"b": null, "c": [null]}}), json!({"a": {"c": [null]}})),
        ] {
            let merged = data(target.clone()).merged(&object(patch.clone())).unwrap();
            assert_eq!(Value::Object(merged.to_object()), result, "{target} with {patch}");
        }
    }

    #[test]
    fn an_object_has_bounds() {
        let of_octets = |octets: usize| object(json!({"a": "x".repeat(octets - r#"{"a":""}"#.len())}));
        assert_eq!(UserData::new(of_octets(4096)).unwrap().to_stored().unwrap().len(), 4096);
        assert_eq!(UserData::new(of_octets(4097)), Err(UserDataError::TooLarge));
        assert_eq!(data(json!({"b": 1})).merged(&of_octets(4096)), Err(UserDataError::TooLarge));
        let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
        assert!(UserData::new(object(json!({"a": nested(15)}))).is_ok());
        assert_eq!(UserData::new(object(json!({"a": nested(16)}))), Err(UserDataError::TooDeep));
        assert_eq!(
            UserData::default().merged(&object(json!({"a": nested(16)}))),
            Err(UserDataError::TooDeep)
        );
    }

    #[test]
    fn nothing_and_the_empty_object_are_the_same() {
        assert_eq!(data(json!({})), UserData::default());
        assert_eq!(UserData::default().to_stored(), None);
        assert_eq!(serde_json::to_string(&UserData::from_stored(None)).unwrap(), "{}");
        assert_eq!(data(json!({"a": 1})).merged(&object(json!({"a": null}))), Ok(UserData::default()));
        // PostgreSQL keeps no NUL in a text: it is escaped.
        assert_eq!(data(json!({"a": "\0"})).to_stored(), Some(r#"{"a":"\u0000"}"#));
    }
}
