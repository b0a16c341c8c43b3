//! The conditions of the list of users, as the API and the pages read them.

use vestibule::{FactorStatus, LastSignIn, RoleName, TimeRange, Timestamp, UserOrder, UserQuery, UserStatus};

use crate::api::paging::limit;
use crate::catalogue::Code;
use crate::extract::{Fields, ReadFields, fields};
use crate::problem::field_error::FieldError;

/// The conditions of the list.
pub(crate) struct ListQuery(pub(crate) UserQuery);

impl ReadFields for ListQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let search = fields.optional("/q", fields::plain_text("/q"));
        let status = fields.optional("/status", status);
        let role = fields.optional("/role", role);
        let second_factor = fields.optional("/second_factor", second_factor);
        let created = range(fields, "/created_from", "/created_before");
        let last_sign_in = last_sign_in(fields);
        let order = fields.optional("/sort", order);
        let limit = fields.optional("/limit", limit);
        let cursor = fields.optional("/cursor", fields::plain_text("/cursor"));
        Some(Self(UserQuery {
            search: search?,
            status: status?,
            role: role?,
            second_factor: second_factor?,
            created: created?,
            last_sign_in: last_sign_in?,
            order: order?.unwrap_or_default(),
            counted: false,
            limit: limit?,
            cursor: cursor?,
        }))
    }
}

fn status(text: &str) -> Result<UserStatus, FieldError> {
    UserStatus::from_name(text).ok_or_else(|| FieldError::new("/status", Code::StatusInvalid))
}

fn role(text: &str) -> Result<RoleName, FieldError> {
    text.parse().map_err(|_| FieldError::new("/role", Code::RoleInvalid))
}

fn second_factor(text: &str) -> Result<FactorStatus, FieldError> {
    FactorStatus::from_name(text).ok_or_else(|| FieldError::new("/second_factor", Code::FactorStatusInvalid))
}

fn order(text: &str) -> Result<UserOrder, FieldError> {
    UserOrder::from_name(text).ok_or_else(|| FieldError::new("/sort", Code::SortInvalid))
}

fn time(pointer: &'static str) -> impl FnOnce(&str) -> Result<Timestamp, FieldError> {
    move |text| text.parse().map_err(|_| FieldError::new(pointer, Code::TimeInvalid))
}

fn range(fields: &mut Fields<'_>, from: &'static str, before: &'static str) -> Option<TimeRange> {
    let start = fields.optional(from, time(from));
    let end = fields.optional(before, time(before));
    Some(TimeRange { from: start?, before: end? })
}

/// `never`, or a range.
#[expect(clippy::option_option, reason = "refused, absent and present are three things")]
fn last_sign_in(fields: &mut Fields<'_>) -> Option<Option<LastSignIn>> {
    const POINTER: &str = "/last_sign_in";
    let never = |text: &str| match text {
        "never" => Ok(()),
        _ => Err(FieldError::new(POINTER, Code::LastSignInInvalid)),
    };
    let never = fields.optional(POINTER, never);
    let within = range(fields, "/last_sign_in_from", "/last_sign_in_before");
    let (never, within) = (never?, within?);
    let is_open = within == TimeRange::default();
    if never.is_some() && !is_open {
        fields.refuse(FieldError::new(POINTER, Code::LastSignInInvalid));
        return None;
    }
    Some(never.map(|()| LastSignIn::Never).or((!is_open).then_some(LastSignIn::Within(within))))
}
