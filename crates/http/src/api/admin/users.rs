//! The list of users, for administrators.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, FactorStatus, UserQuery, UserStatus};

use crate::api::paging::{limit, link_to_next};
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Fields, Json, Query, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(list_users)
}

/// The conditions of the list.
pub(crate) struct ListQuery(pub(crate) UserQuery);

impl ReadFields for ListQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let prefix = fields.optional("/q", fields::plain_text("/q"));
        let status = fields.optional("/status", status);
        let second_factor = fields.optional("/second_factor", second_factor);
        let limit = fields.optional("/limit", limit);
        let cursor = fields.optional("/cursor", fields::plain_text("/cursor"));
        let (prefix, status, second_factor) = (prefix?, status?, second_factor?);
        Some(Self(UserQuery { prefix, status, second_factor, limit: limit?, cursor: cursor? }))
    }
}

fn status(text: &str) -> Result<UserStatus, FieldError> {
    match text {
        "active" => Ok(UserStatus::Active),
        "disabled" => Ok(UserStatus::Disabled),
        _ => Err(FieldError::new("/status", Code::StatusInvalid)),
    }
}

fn second_factor(text: &str) -> Result<FactorStatus, FieldError> {
    FactorStatus::from_name(text).ok_or_else(|| FieldError::new("/second_factor", Code::FactorStatusInvalid))
}

/// A page of users, oldest first. It may have fewer than were asked for, or none, and not be the last.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<User>,
    /// The `cursor` of the next page; `null` at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

errors!(ListErrors: EVERY, API, BEARER, &[Code::ValidationFailed, Code::Forbidden]);

/// Lists the users, a page at a time. Needs the role `admin`.
#[utoipa::path(get, path = "/v1/admin/users", tag = "Administration", operation_id = "list_users",
    security(("bearer" = [])),
    params(("q" = Option<String>, Query, description = "The beginning of an email address or a user name."),
        ("status" = Option<String>, Query, description = "`active` or `disabled`.", pattern = "^(active|disabled)$"),
        ("second_factor" = Option<String>, Query, pattern = "^(none|any)$",
            description = "`none`: only users without a second factor; `any`: only users with one. Authenticator apps count, and \
                passkeys where they are enabled."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Users per page; 50 by default."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before.")),
    responses((status = 200, description = "A page.", body = UserPage,
        headers(("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288); absent at the end."))),
        ListErrors))]
async fn list_users(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Query(ListQuery(query)): Query<ListQuery>,
) -> Result<(HeaderMap, Json<UserPage>), Problem> {
    let page = accounts.list_users(Actor::User(&who, &client), &query).await?;
    let status = query.status.map(|status| match status {
        UserStatus::Active => "active".to_owned(),
        UserStatus::Disabled => "disabled".to_owned(),
    });
    let second_factor = query.second_factor.map(|factor| factor.name().to_owned());
    let limit = query.limit.map(|limit| limit.to_string());
    let conditions =
        [("q", query.prefix), ("status", status), ("second_factor", second_factor), ("limit", limit)];
    let headers = link_to_next(&accounts, "/v1/admin/users", conditions, page.next_cursor.as_deref());
    let items = page.items.into_iter().map(User::from).collect();
    Ok((headers, Json(UserPage { items, next_cursor: page.next_cursor })))
}
