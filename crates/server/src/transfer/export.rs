//! A user as a record of our own format.

use serde_json::{Map, Value, json};
use vestibule::{Account, DisplayName, ExportedUser, ExternalId, UserData, UserName};

use super::fields::FIELDS;
use super::rows::FORMULA;

/// The fields that have a value.
pub(crate) fn record(user: &ExportedUser, with_hash: bool) -> Map<String, Value> {
    let Account { email, external_id, user_name, display_name, locale, roles, .. } = &user.account;
    let Account { created_at, email_confirmed_at, disabled_at, terms_accepted_at, data, app_data, .. } =
        &user.account;
    let object = |data: &UserData| (!data.is_empty()).then(|| json!(data));
    let hash = user.password_hash.as_ref().filter(|_| with_hash);
    let values = [
        Some(email.as_str().into()),
        external_id.as_ref().map(ExternalId::as_str).map(Value::from),
        user_name.as_ref().map(UserName::as_str).map(Value::from),
        display_name.as_ref().map(DisplayName::as_str).map(Value::from),
        locale.clone().map(Value::from),
        (!roles.is_empty()).then(|| roles.clone().into()),
        Some(json!(created_at)),
        Some(json!(email_confirmed_at)),
        disabled_at.map(|at| json!(at)),
        terms_accepted_at.map(|at| json!(at)),
        object(data),
        object(app_data),
        hash.map(|hash| hash.expose().into()),
    ];
    let filled = FIELDS.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?)));
    filled.collect()
}

/// The cells of a row, in the order of [`FIELDS`].
pub(crate) fn cells(record: &Map<String, Value>) -> Vec<String> {
    FIELDS.iter().map(|name| escaped(&cell(record.get(*name)))).collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        Some(other) => other.to_string(),
    }
}

/// A spreadsheet would compute what begins like a formula: `'` before it says that it is text.
fn escaped(cell: &str) -> String {
    if cell.starts_with(FORMULA) { format!("'{cell}") } else { cell.to_owned() }
}
