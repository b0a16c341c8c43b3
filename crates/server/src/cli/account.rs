//! One user on the command line: how to name and print them.

use serde_json::json;
use vestibule::{Account, DisplayName, ExternalId, UserData, UserName, UserRef};

use super::context::Context;
use super::terminal::output;
use crate::failure::Failure;
use crate::printable;

pub(super) fn print(context: &Context, user: &Account) -> Result<(), Failure> {
    if context.json {
        return output::object(as_json(user));
    }
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = [
        ("id", user.id.to_string()),
        ("email", user.email.as_str().to_owned()),
        ("user name", text(user.user_name.as_ref().map(|name| name.as_str().to_owned()))),
        ("name", text(user.display_name.as_ref().map(|name| name.as_str().to_owned()))),
        ("status", state(user).to_owned()),
        ("roles", text((!user.roles.is_empty()).then(|| user.roles.join(",")))),
        ("confirmed", user.email_confirmed_at.to_string()),
        ("created", user.created_at.to_string()),
        ("disabled", text(user.disabled_at.map(|at| at.to_string()))),
        ("terms", text(user.terms_accepted_at.map(|at| at.to_string()))),
        ("locale", text(user.locale.clone())),
        ("external", text(user.external_id.as_ref().map(|id| id.as_str().to_owned()))),
        ("data", json_text(&user.data)),
        ("app data", json_text(&user.app_data)),
    ];
    lines.iter().try_for_each(|(name, value)| output::line(&format!("{name:<9}  {value}")))
}

/// On one line, in characters that a terminal does not obey.
fn json_text(data: &UserData) -> String {
    if data.is_empty() { "-".to_owned() } else { printable::json(&json!(data).to_string()).into_owned() }
}

pub(super) fn state(user: &Account) -> &'static str {
    if user.disabled_at.is_some() { "disabled" } else { "active" }
}

pub(super) fn as_json(user: &Account) -> serde_json::Value {
    json!({
        "id": user.id,
        "email": user.email.as_str(),
        "user_name": user.user_name.as_ref().map(UserName::as_str),
        "display_name": user.display_name.as_ref().map(DisplayName::as_str),
        "status": state(user),
        "roles": user.roles,
        "email_confirmed_at": user.email_confirmed_at,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        "terms_accepted_at": user.terms_accepted_at,
        "locale": user.locale,
        "data": user.data,
        "app_data": user.app_data,
        "external_id": user.external_id.as_ref().map(ExternalId::as_str),
    })
}

/// An id begins with `usr_`, which no user name may; an address contains an `@`, which the others do not.
pub(super) fn named(text: &str) -> Result<UserRef, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(UserRef::Id(id));
    }
    let parsed = if text.contains('@') {
        text.parse().map(UserRef::Email).map_err(|error: vestibule::EmailError| error.to_string())
    } else {
        text.parse().map(UserRef::UserName).map_err(|error: vestibule::UserNameError| error.to_string())
    };
    parsed.map_err(|cause| {
        Failure::usage(format!("{text:?}: {cause}"))
            .fix("give an id (usr_…), an email address or a user name")
    })
}
