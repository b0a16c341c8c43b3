//! JSON read as strictly as RFC 8259 allows, and stricter: no duplicate key in an object, at most 16 levels (H6, H8).

use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Levels of objects and arrays.
const DEPTH_MAX: usize = 16;

/// A JSON value. This API distinguishes no leaves but texts: the others are for applications.
#[derive(Debug, PartialEq)]
pub(crate) enum Tree {
    Text(String),
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
    /// `null`, a boolean or a number.
    Other(Value),
}

impl Tree {
    /// The same as JSON.
    pub(crate) fn into_json(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text),
            Self::Object(entries) => {
                entries.into_iter().map(|(name, value)| (name, value.into_json())).collect()
            }
            Self::List(items) => items.into_iter().map(Self::into_json).collect(),
            Self::Other(value) => value,
        }
    }

    /// Reads a whole text. A byte order mark, a lone surrogate or anything after the value is an error.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let tree = Level(DEPTH_MAX).deserialize(&mut reader)?;
        reader.end()?;
        Ok(tree)
    }
}

/// Reads a value with this many levels left.
#[derive(Clone, Copy)]
struct Level(usize);

impl Level {
    fn down<E: de::Error>(self) -> Result<Self, E> {
        self.0.checked_sub(1).map(Self).ok_or_else(|| E::custom(format_args!("more than {DEPTH_MAX} levels")))
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Tree;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Tree, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Other(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Other(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Other(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Other(Value::Null))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let inner = self.down()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let inner = self.down()?;
        let mut object: Vec<(String, Tree)> = Vec::new();
        // Compared through a set: a body with thousands of keys costs no quadratic search.
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !seen.insert(key.clone()) {
                return Err(de::Error::custom("a key came twice"));
            }
            object.push((key, entries.next_value_seed(inner)?));
        }
        Ok(Tree::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_standard_calls_json() {
        let object = Tree::parse(r#" {"a":"x","b":[1,{"c":null}],"d":-1.5e3,"e":true} "#).expect("valid");
        let Tree::Object(entries) = object else { panic!("not an object") };
        assert_eq!(entries.iter().map(|(key, _)| key.as_str()).collect::<String>(), "abde");
        assert_eq!(entries[0].1, Tree::Text("x".to_owned()));
        assert_eq!(Tree::parse(r#""\ud83d\ude00\u0000""#).ok(), Some(Tree::Text("😀\0".to_owned())));
    }

    // H8: refused at any level.
    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        for text in [
            "",
            "{",
            "{}{}",
            "{} x",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":1,}",
            "[01]",
            "{\"a\":NaN}",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"x":[{"a":1,"a":2}]}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00x"}"#,
            "\"a\nb\"",
            "\"a\0b\"",
            "1e999",
            "// a\n{}",
        ] {
            assert!(Tree::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn sixteen_levels_and_no_more() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Tree::parse(&nested(16)).is_ok());
        assert!(Tree::parse(&nested(17)).is_err());
    }
}
