//! What other systems call the fields of a user.

use clap::ValueEnum;
use serde_json::{Map, Value};
use vestibule::{FirebaseScrypt, ImportedHash, Timestamp};

use super::fields::Fields;
use super::record::Refusal;

/// Who wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Our own fields, a JSON object in each line
    Jsonl,
    /// Our own fields, as CSV
    Csv,
    /// `manage.py dumpdata auth.user`
    Django,
    /// The table of users, as CSV or JSON
    FastapiUsers,
    /// The table `auth.users`, as CSV or JSON
    Supabase,
    /// The records of an auth collection, as JSON
    Pocketbase,
    /// The table `user` with `password` of the table `account`, as CSV or JSON
    BetterAuth,
    /// A realm, exported with its users
    Keycloak,
    /// `firebase auth:export --format=json`
    Firebase,
    /// The export of users with their password hashes, as JSON lines
    Auth0,
    /// The table of users, as CSV
    Devise,
}

type Record = Map<String, Value>;

impl Format {
    /// Whether a file that begins with `{` is one object, not lines of objects.
    pub(crate) fn is_object(self) -> bool {
        matches!(self, Self::Keycloak | Self::Firebase)
    }

    /// The fields of a record; `None`: it is no user.
    pub(crate) fn fields(
        self,
        record: Record,
        firebase: Option<&FirebaseScrypt>,
    ) -> Result<Option<Fields>, Refusal> {
        match self {
            Self::Jsonl | Self::Csv => Fields::own(record).map(Some),
            Self::Django => django(&record),
            Self::FastapiUsers => Ok(Some(fastapi_users(&record))),
            Self::Supabase => supabase(&record).map(Some),
            Self::Pocketbase => Ok(Some(pocketbase(&record))),
            Self::BetterAuth => Ok(Some(better_auth(&record))),
            Self::Keycloak => keycloak(&record).map(Some),
            Self::Firebase => self::firebase(&record, firebase).map(Some),
            Self::Auth0 => Ok(Some(auth0(&record))),
            Self::Devise => Ok(Some(devise(&record))),
        }
    }
}

fn get(record: &Record, name: &str) -> Option<Value> {
    record.get(name).filter(|value| !value.is_null() && value.as_str() != Some("")).cloned()
}

/// Numbers are ids, too.
fn id(record: &Record, name: &str) -> Option<Value> {
    get(record, name).map(|value| match value {
        Value::Number(number) => Value::from(number.to_string()),
        other => other,
    })
}

/// In CSV, databases write `t`, `true` or `1`.
fn is_true(record: &Record, name: &str) -> Option<bool> {
    match get(record, name)? {
        Value::Bool(is_true) => Some(is_true),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(text) => Some(matches!(text.to_ascii_lowercase().as_str(), "t" | "true" | "1")),
        _ => None,
    }
}

/// As databases and programs write times: with `T` or a blank, with an offset or in UTC, or in milliseconds since 1970.
fn time(record: &Record, name: &str) -> Option<Value> {
    let value = get(record, name)?;
    let Some(text) = value.as_str() else {
        return value.as_i64().map(|millis| Value::from(Timestamp::from_millis(millis).to_string()));
    };
    if let Ok(millis) = text.parse() {
        return Some(Value::from(Timestamp::from_millis(millis).to_string()));
    }
    let with_t = text.trim_end_matches(" UTC").replacen(' ', "T", 1);
    let short_offset =
        with_t.len() > 3 && with_t.as_bytes().get(with_t.len() - 3).is_some_and(|c| b"+-".contains(c));
    let candidates = [format!("{with_t}:00"), with_t.clone(), format!("{with_t}Z")];
    let whole =
        candidates.iter().skip(usize::from(!short_offset)).find(|text| text.parse::<Timestamp>().is_ok());
    Some(Value::from(whole.cloned().unwrap_or(with_t)))
}

/// The first and the last name.
fn full_name(record: &Record, first: &str, last: &str) -> Option<Value> {
    let part = |name| get(record, name)?.as_str().map(str::to_owned);
    let name = [part(first), part(last)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if name.is_empty() { None } else { Some(name.into()) }
}

/// A user name that is allowed here; an address, as many systems keep there, is none.
fn user_name(record: &Record, name: &str) -> Option<Value> {
    get(record, name).filter(|value| value.as_str().is_some_and(|text| !text.contains('@')))
}

/// When the account was disabled, which most do not keep: when it was made.
fn disabled(fields: &mut Fields, is_disabled: bool) {
    if is_disabled {
        let at = fields.values.get("created_at").cloned();
        fields.set("disabled_at", Some(at.unwrap_or_else(|| Value::from("1970-01-01"))));
    }
}

/// Whether the address is confirmed, by `true` or a time, where the system keeps it at all.
fn confirmed(fields: &mut Fields, record: &Record, name: &str) {
    if !record.contains_key(name) {
        return;
    }
    // A number is a truth value, not a time: 0 is not 1970.
    let is_text = |value: &Value| value.as_str().is_some_and(|text| text.parse::<i64>().is_err());
    let is_time = |at: &Value| at.as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok());
    let value = match is_true(record, name) {
        Some(true) => Value::Bool(true),
        _ if record.get(name).is_some_and(is_text) => {
            time(record, name).filter(is_time).unwrap_or(Value::Bool(false))
        }
        _ => Value::Bool(false),
    };
    fields.set("email_confirmed_at", Some(value));
}

fn django(record: &Record) -> Result<Option<Fields>, Refusal> {
    let model = record.get("model").and_then(Value::as_str).unwrap_or_default();
    if model.rsplit_once('.').is_none_or(|(_, name)| name != "user") {
        return if model.is_empty() { Err(Refusal::whole("there is no `model`")) } else { Ok(None) };
    }
    let Some(Value::Object(user)) = record.get("fields") else {
        return Err(Refusal::whole("there are no `fields`"));
    };
    let mut fields = Fields::default();
    fields.set("external_id", id(record, "pk"));
    fields.set("email", get(user, "email"));
    fields.set("user_name", user_name(user, "username"));
    fields.set("display_name", full_name(user, "first_name", "last_name"));
    fields.set("created_at", time(user, "date_joined"));
    // "Unusable", as for users of another directory: they set a password by a link.
    let is_usable = |hash: &Value| hash.as_str().is_none_or(|text| !text.starts_with('!'));
    fields.set("password_hash", get(user, "password").filter(is_usable));
    disabled(&mut fields, is_true(user, "is_active") == Some(false));
    // Natural keys are lists of one name, others numbers.
    let name = |group: &Value| match group {
        Value::Array(key) => key.first().and_then(Value::as_str).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        other => other.as_str().map(str::to_owned),
    };
    let groups = user.get("groups").and_then(Value::as_array);
    fields.set("roles", groups.map(|groups| groups.iter().filter_map(name).collect::<Vec<_>>().into()));
    Ok(Some(fields))
}

/// The columns that tables of users have in common.
fn table(record: &Record, hash: &str, created: &str) -> Fields {
    let mut fields = Fields::default();
    fields.set("external_id", id(record, "id"));
    fields.set("email", get(record, "email"));
    fields.set("password_hash", get(record, hash));
    fields.set("created_at", time(record, created));
    fields
}

fn fastapi_users(record: &Record) -> Fields {
    let mut fields = table(record, "hashed_password", "created_at");
    confirmed(&mut fields, record, "is_verified");
    disabled(&mut fields, is_true(record, "is_active") == Some(false));
    fields
}

fn supabase(record: &Record) -> Result<Fields, Refusal> {
    if get(record, "deleted_at").is_some() {
        return Err(Refusal::new("deleted_at", "this user is deleted"));
    }
    let mut fields = table(record, "encrypted_password", "created_at");
    confirmed(&mut fields, record, "email_confirmed_at");
    if let Some(until) = get(record, "banned_until") {
        disabled(&mut fields, until.as_str().is_none_or(|text| text != "none"));
    }
    Ok(fields)
}

fn pocketbase(record: &Record) -> Fields {
    let hash = if record.contains_key("passwordHash") { "passwordHash" } else { "password" };
    let mut fields = table(record, hash, "created");
    fields.set("user_name", user_name(record, "username"));
    fields.set("display_name", get(record, "name"));
    confirmed(&mut fields, record, "verified");
    fields
}

fn better_auth(record: &Record) -> Fields {
    let created = if record.contains_key("createdAt") { "createdAt" } else { "created_at" };
    let verified = if record.contains_key("emailVerified") { "emailVerified" } else { "email_verified" };
    let mut fields = table(record, "password", created);
    fields.set("display_name", get(record, "name"));
    fields.set("user_name", user_name(record, "username"));
    fields.set("roles", get(record, "role"));
    confirmed(&mut fields, record, verified);
    disabled(&mut fields, is_true(record, "banned") == Some(true));
    fields
}

fn keycloak(record: &Record) -> Result<Fields, Refusal> {
    let mut fields = table(record, "", "createdTimestamp");
    fields.set("user_name", user_name(record, "username"));
    fields.set("display_name", full_name(record, "firstName", "lastName"));
    fields.set("roles", get(record, "realmRoles"));
    let credentials = record.get("credentials").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let password = credentials.iter().find(|credential| credential["type"] == "password");
    if let Some(password) = password {
        let part = |name: &str| password[name].as_str().unwrap_or_default();
        let hash = ImportedHash::of_keycloak(part("credentialData"), part("secretData"));
        fields.hash = Some(hash.map_err(|error| Refusal::new("credentials", error.to_string()))?);
    }
    confirmed(&mut fields, record, "emailVerified");
    disabled(&mut fields, is_true(record, "enabled") == Some(false));
    Ok(fields)
}

fn firebase(record: &Record, project: Option<&FirebaseScrypt>) -> Result<Fields, Refusal> {
    let mut fields = Fields::default();
    fields.set("external_id", id(record, "localId"));
    fields.set("email", get(record, "email"));
    fields.set("display_name", get(record, "displayName"));
    fields.set("created_at", time(record, "createdAt"));
    let text = |name| get(record, name).and_then(|value| value.as_str().map(str::to_owned));
    if let Some(hash) = text("passwordHash") {
        let project = project
            .ok_or_else(|| Refusal::new("passwordHash", "the parameters of the project are needed"))?;
        let hash = ImportedHash::of_firebase(project, &text("salt").unwrap_or_default(), &hash);
        fields.hash = Some(hash.map_err(|error| Refusal::new("passwordHash", error.to_string()))?);
    }
    confirmed(&mut fields, record, "emailVerified");
    disabled(&mut fields, is_true(record, "disabled") == Some(true));
    Ok(fields)
}

fn auth0(record: &Record) -> Fields {
    let mut fields = Fields::default();
    let oid = |record: &Record| record.get("_id").and_then(|id| id.get("$oid")).cloned();
    fields.set("external_id", id(record, "user_id").or_else(|| oid(record)));
    fields.set("email", get(record, "email"));
    fields.set("user_name", user_name(record, "username"));
    let is_own = |name: &Value| name.as_str().is_some_and(|text| !text.contains('@'));
    fields.set("display_name", get(record, "name").filter(is_own));
    fields.set("created_at", time(record, "created_at"));
    fields.set("password_hash", get(record, "passwordHash").or_else(|| get(record, "password_hash")));
    confirmed(&mut fields, record, "email_verified");
    disabled(&mut fields, is_true(record, "blocked") == Some(true));
    fields
}

fn devise(record: &Record) -> Fields {
    let mut fields = table(record, "encrypted_password", "created_at");
    fields.set("user_name", user_name(record, "username"));
    fields.set("display_name", get(record, "name"));
    fields.set("locale", get(record, "locale"));
    confirmed(&mut fields, record, "confirmed_at");
    fields
}
