//! The fields of our own format, which every other format is turned into.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};
use vestibule::{ImportedHash, ImportedUser, Roles, Timestamp, UserData};

use super::record::Refusal;
use crate::language::language;

/// The fields, in the order of an export.
pub(crate) const FIELDS: [&str; 13] = [
    "email",
    "external_id",
    "user_name",
    "display_name",
    "locale",
    "roles",
    "created_at",
    "email_confirmed_at",
    "disabled_at",
    "terms_accepted_at",
    "data",
    "app_data",
    "password_hash",
];

/// How roles of the other system are called here; the others are left out.
pub(crate) type RoleMap = BTreeMap<String, String>;

/// A record in our own fields.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) values: Map<String, Value>,
    /// The hash, where it is no text.
    pub(crate) hash: Option<ImportedHash>,
}

impl Fields {
    /// Of a record that is in our format already.
    pub(crate) fn own(values: Map<String, Value>) -> Result<Self, Refusal> {
        match values.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            Some(unknown) => {
                Err(Refusal::whole(format!("{unknown:?} is no field; there are {}", FIELDS.join(", "))))
            }
            None => Ok(Self { values, hash: None }),
        }
    }

    /// Sets a field, unless there is nothing to set.
    pub(crate) fn set(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.values.insert(name.to_owned(), value);
        }
    }

    /// The user, or the first field that is wrong. Also the roles that nothing is said about.
    pub(crate) fn user(self, roles: &RoleMap) -> Result<(ImportedUser, Vec<String>), Refusal> {
        let Self { values, hash } = &self;
        let email = parsed(values, "email")?.ok_or_else(|| Refusal::new("email", "there is no address"))?;
        let (mapped, unmapped) = mapped(values, roles)?;
        let hash = match (hash, text(values, "password_hash")?) {
            (Some(hash), _) => Some(hash.clone()),
            (None, Some(text)) => Some(
                ImportedHash::parse(text)
                    .map_err(|error| Refusal::new("password_hash", error.to_string()))?,
            ),
            (None, None) => None,
        };
        let locale = text(values, "locale")?.map(language).transpose();
        let (is_confirmed, email_confirmed_at) = confirmed(values)?;
        let user = ImportedUser {
            email,
            external_id: parsed(values, "external_id")?,
            password_hash: hash,
            user_name: parsed(values, "user_name")?,
            display_name: parsed(values, "display_name")?,
            locale: locale.map_err(|why| Refusal::new("locale", why))?,
            roles: Roles::new(mapped).map_err(|error| Refusal::new("roles", error.to_string()))?,
            created_at: parsed(values, "created_at")?,
            is_confirmed,
            email_confirmed_at,
            disabled_at: parsed(values, "disabled_at")?,
            terms_accepted_at: parsed(values, "terms_accepted_at")?,
            data: object(values, "data")?,
            app_data: object(values, "app_data")?,
        };
        Ok((user, unmapped))
    }
}

/// `None`: it is absent or null.
fn text<'a>(values: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    match values.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::new(name, "this is no text")),
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(
    values: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, Refusal> {
    let refuse = |error: T::Err| Refusal::new(name, error.to_string());
    text(values, name)?.map(|text| text.parse().map_err(refuse)).transpose()
}

/// Whether the address is confirmed, and when it was. Absent or `true`: when the account was made. `null` or `false`: it is not.
fn confirmed(values: &Map<String, Value>) -> Result<(bool, Option<Timestamp>), Refusal> {
    const NAME: &str = "email_confirmed_at";
    match values.get(NAME) {
        None | Some(Value::Bool(true)) => Ok((true, None)),
        Some(Value::Null | Value::Bool(false)) => Ok((false, None)),
        Some(Value::String(text)) if text == "true" => Ok((true, None)),
        Some(Value::String(text)) if text == "false" => Ok((false, None)),
        Some(Value::String(_)) => Ok((true, parsed(values, NAME)?)),
        Some(_) => Err(Refusal::new(NAME, "this is no time")),
    }
}

/// A list of texts, or one text with blanks or commas between the names.
fn mapped(values: &Map<String, Value>, map: &RoleMap) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let wrong = || Refusal::new("roles", "this is no list of texts");
    let names: Vec<String> = match values.get("roles") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => {
            text.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
        Some(Value::Array(names)) => {
            let names = names.iter().map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong));
            names.collect::<Result<_, _>>()?
        }
        Some(_) => return Err(wrong()),
    };
    let (known, unknown): (Vec<String>, Vec<String>) =
        names.into_iter().partition(|name| map.contains_key(name));
    Ok((known.iter().filter_map(|name| map.get(name).cloned()).collect(), unknown))
}

/// An object, or its JSON text.
fn object(values: &Map<String, Value>, name: &'static str) -> Result<UserData, Refusal> {
    let object = match values.get(name) {
        None | Some(Value::Null) => return Ok(UserData::default()),
        Some(Value::Object(object)) => object.clone(),
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|_| Refusal::new(name, "this is no JSON object"))?
        }
        Some(_) => return Err(Refusal::new(name, "this is no JSON object")),
    };
    UserData::new(object).map_err(|error| Refusal::new(name, error.to_string()))
}
