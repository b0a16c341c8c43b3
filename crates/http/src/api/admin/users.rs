//! The list of users, for administrators.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, LastSignIn, ListedUser, TimeRange, Timestamp, UserOrder, UserQuery};

use crate::api::admin::user_query::ListQuery;
use crate::api::paging::link_to_next;
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Json, Query};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(list_users)
}

/// A user in the list: the account, and how it is used.
#[derive(Serialize, ToSchema)]
struct UserListItem {
    #[serde(flatten)]
    user: User,
    /// When it signed in last; absent if it never did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    last_sign_in_at: Option<Timestamp>,
    /// What it has of `passkey` and `authenticator`. Passkeys are left out where they are not enabled.
    second_factors: Vec<&'static str>,
}

impl From<ListedUser> for UserListItem {
    fn from(listed: ListedUser) -> Self {
        let ListedUser { account, last_sign_in_at, has_passkey, has_authenticator } = listed;
        let factors = [has_passkey.then_some("passkey"), has_authenticator.then_some("authenticator")];
        Self {
            user: account.into(),
            last_sign_in_at,
            second_factors: factors.into_iter().flatten().collect(),
        }
    }
}

/// A page of users. It may have fewer than were asked for, or none, and not be the last.
#[derive(Serialize, ToSchema)]
struct UserPage {
    items: Vec<UserListItem>,
    /// The `cursor` of the next page; `null` at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many users the whole list has, as far as they were counted.
    count: i64,
    /// Whether there may be more than `count`: no more than 10,000 are looked at.
    count_is_lower_bound: bool,
}

errors!(ListErrors: EVERY, API, BEARER, &[Code::ValidationFailed, Code::Forbidden]);

/// Lists the users, a page at a time, the newest first unless `sort` says otherwise. Needs the role `admin`.
///
/// All conditions must be met. A request looks at 10,000 users at most; where that was not enough, `next_cursor` goes on.
#[utoipa::path(get, path = "/v1/admin/users", tag = "Administration", operation_id = "list_users",
    security(("bearer" = [])),
    params(("q" = Option<String>, Query, description = "Any part of an email address, a user name or a display name, in any \
                case; one or two characters are looked for at their beginning. A whole `id` or `external_id` is found as well."),
        ("status" = Option<String>, Query, description = "`active` or `disabled`.", pattern = "^(active|disabled)$"),
        ("role" = Option<String>, Query, description = "Only users with this role.", pattern = "^[a-z][a-z0-9_-]{0,31}$"),
        ("second_factor" = Option<String>, Query, pattern = "^(none|any|passkey|authenticator)$",
            description = "`none`: only users without a second factor; `any`: only users with one; or only those with a `passkey` or \
                an `authenticator` app. Passkeys count where they are enabled."),
        ("created_from" = Option<String>, Query, description = "Only users created at this time or later: a time with its offset \
            (RFC 3339), or a date, which stands for midnight UTC."),
        ("created_before" = Option<String>, Query, description = "Only users created before this time."),
        ("last_sign_in_from" = Option<String>, Query, description = "Only users who signed in at this time or later."),
        ("last_sign_in_before" = Option<String>, Query, description = "Only users who have not signed in since this time; without \
            `last_sign_in_from` also those who never did."),
        ("last_sign_in" = Option<String>, Query, description = "`never`: only users who never signed in.", pattern = "^never$"),
        ("sort" = Option<String>, Query, pattern = "^(-created|created|email|-email|-last_sign_in|last_sign_in)$",
            description = "What the list is sorted by, from the end with a hyphen; `-created` by default. Who never signed in \
                counts as the earliest."),
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
    let query = UserQuery { counted: true, ..query };
    let page = accounts.list_users(Actor::User(&who, &client), &query).await?;
    let headers = link_to_next(&accounts, "/v1/admin/users", conditions(query), page.next_cursor.as_deref());
    let items = page.items.into_iter().map(UserListItem::from).collect();
    let (count, count_is_lower_bound) =
        page.count.map(|count| (count.counted, count.is_lower_bound)).unwrap_or_default();
    Ok((headers, Json(UserPage { items, next_cursor: page.next_cursor, count, count_is_lower_bound })))
}

/// The parameters of the query, for a link.
fn conditions(query: UserQuery) -> [(&'static str, Option<String>); 11] {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let (never, signed_in) = match query.last_sign_in {
        None => (None, TimeRange::default()),
        Some(LastSignIn::Never) => (Some("never".to_owned()), TimeRange::default()),
        Some(LastSignIn::Within(range)) => (None, range),
    };
    let sort = (query.order != UserOrder::default()).then(|| query.order.name().to_owned());
    [
        ("q", query.search),
        ("status", query.status.map(|status| status.name().to_owned())),
        ("role", query.role.map(|role| role.as_str().to_owned())),
        ("second_factor", query.second_factor.map(|factor| factor.name().to_owned())),
        ("created_from", time(query.created.from)),
        ("created_before", time(query.created.before)),
        ("last_sign_in_from", time(signed_in.from)),
        ("last_sign_in_before", time(signed_in.before)),
        ("last_sign_in", never),
        ("sort", sort),
        ("limit", query.limit.map(|limit| limit.to_string())),
    ]
}
