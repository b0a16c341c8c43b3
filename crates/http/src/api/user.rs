//! A user, as the API shows it.

use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Account, DisplayName, Email, ExternalId, Timestamp, UserData, UserId, UserName};

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "usr_06nq8sd5c9u7d1p4v0g2k8m3e4", "email": "ada@example.org", "user_name": "ada",
    "display_name": "Ada Lovelace",
    "email_confirmed_at": "2026-03-01T09:30:00.000Z", "created_at": "2026-03-01T09:30:00.000Z", "roles": []
}))]
#[expect(clippy::struct_field_names, reason = "`user_name` is its name in the API")]
pub(crate) struct User {
    /// Names the account for ever.
    #[schema(value_type = String, pattern = "^usr_[0-9a-v]{26}$")]
    id: UserId,
    /// The confirmed address.
    #[schema(value_type = String, max_length = 254)]
    email: Email,
    /// The public name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    user_name: Option<UserName>,
    /// What people call its owner; need not be unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, min_length = 1, max_length = 100, required = false)]
    display_name: Option<DisplayName>,
    #[schema(value_type = String, format = DateTime)]
    email_confirmed_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when the account may not sign in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    disabled_at: Option<Timestamp>,
    /// What it may do beyond its own account.
    roles: Vec<String>,
    /// The language of its mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    locale: Option<String>,
    /// What its owner keeps with it: see `PATCH /v1/me/data`.
    #[serde(skip_serializing_if = "UserData::is_empty")]
    #[schema(value_type = Object, required = false)]
    data: UserData,
    /// What the application keeps with it: shown to administrators, and in its owner's export.
    #[serde(skip_serializing_if = "UserData::is_empty")]
    #[schema(value_type = Object, required = false)]
    app_data: UserData,
    /// What it was called in the system it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, min_length = 1, max_length = 255, required = false)]
    external_id: Option<ExternalId>,
    /// When its owner accepted the operator's terms, if they were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    terms_accepted_at: Option<Timestamp>,
}

impl User {
    /// With what the application keeps.
    pub(crate) fn whole(mut account: Account) -> Self {
        let app_data = std::mem::take(&mut account.app_data);
        Self { app_data, ..account.into() }
    }
}

impl From<Account> for User {
    fn from(account: Account) -> Self {
        let Account {
            id,
            email,
            user_name,
            display_name,
            email_confirmed_at,
            created_at,
            disabled_at,
            locale,
            roles,
            data,
            app_data: _,
            external_id,
            terms_accepted_at,
        } = account;
        Self {
            id,
            email,
            user_name,
            display_name,
            email_confirmed_at,
            created_at,
            disabled_at,
            roles,
            locale,
            data,
            app_data: UserData::default(),
            external_id,
            terms_accepted_at,
        }
    }
}
