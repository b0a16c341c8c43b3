//! Requests and answers shared by several operations.

use serde::Serialize;
use utoipa::ToSchema;
use vestibule::Email;

use crate::extract::{Fields, ReadFields, fields};

/// Whose mail is wanted.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.org"}))]
pub(super) struct AddressRequest {
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254)]
    pub(super) email: Email,
}

impl ReadFields for AddressRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { email: fields.required("/email", fields::email)? })
    }
}

/// Understood. Whether a mail is on its way is not told.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"status": "accepted"}))]
pub(super) struct Accepted {
    #[schema(value_type = String, pattern = "^accepted$")]
    status: &'static str,
}

/// The one answer of its kind.
pub(super) const ACCEPTED: Accepted = Accepted { status: "accepted" };
