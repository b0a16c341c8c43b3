//! Open sign-ups, for administrators.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{
    Accounts, Actor, Email, OpenRegistration, RegistrationId, RegistrationQuery, Resent, Timestamp, UserName,
};

use crate::api::paging::{limit, link_to_next};
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Fields, Json, Query, ReadFields, SegmentBeforeLast, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(list, resend, confirm)
}

/// A sign-up that waits for its confirmation.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "reg_06nq8sd5c9u7d1p4v0g2k8m3e4", "email": "ada@example.org", "user_name": "ada",
    "created_at": "2026-03-01T09:30:00.000Z", "expires_at": "2026-03-02T09:30:00.000Z",
    "mailed_at": "2026-03-01T09:30:01.000Z", "decoy": false
}))]
struct Registration {
    #[schema(value_type = String, pattern = "^reg_[0-9a-v]{26}$")]
    id: RegistrationId,
    /// The address that was given; nobody has confirmed it.
    #[schema(value_type = String, max_length = 254)]
    email: Email,
    /// The public name that was wished for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    user_name: Option<UserName>,
    /// The language of its mails.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    locale: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is forgotten.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When the newest mail was handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    mailed_at: Option<Timestamp>,
    /// The address has or had an account: this can never become a user. Whoever signed up is not told.
    decoy: bool,
}

impl From<OpenRegistration> for Registration {
    fn from(open: OpenRegistration) -> Self {
        let OpenRegistration { id, email, user_name, locale, created_at, expires_at, mailed_at, decoy } =
            open;
        Self { id, email, user_name, locale, created_at, expires_at, mailed_at, decoy }
    }
}

pub(crate) struct ListQuery(pub(crate) RegistrationQuery);

impl ReadFields for ListQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let limit = fields.optional("/limit", limit);
        let cursor = fields.optional("/cursor", fields::plain_text("/cursor"));
        Some(Self(RegistrationQuery { limit: limit?, cursor: cursor? }))
    }
}

/// A page of sign-ups, newest first.
#[derive(Serialize, ToSchema)]
struct RegistrationPage {
    items: Vec<Registration>,
    /// The `cursor` of the next page; `null` at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

errors!(ListErrors: EVERY, API, BEARER, &[Code::ValidationFailed, Code::Forbidden]);

/// Lists the sign-ups that wait for their confirmation, newest first, a page at a time. Needs the role `admin`.
#[utoipa::path(get, path = "/v1/admin/registrations", tag = "Administration", operation_id = "list_registrations",
    security(("bearer" = [])),
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Sign-ups per page; 50 by default."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before.")),
    responses((status = 200, description = "A page.", body = RegistrationPage,
        headers(("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288); absent at the end."))),
        ListErrors))]
async fn list(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Query(ListQuery(query)): Query<ListQuery>,
) -> Result<(HeaderMap, Json<RegistrationPage>), Problem> {
    let page = accounts.list_registrations(Actor::User(&who, &client), &query).await?;
    let conditions = [("limit", query.limit.map(|limit| limit.to_string()))];
    let path = "/v1/admin/registrations";
    let headers = link_to_next(&accounts, path, conditions, page.next_cursor.as_deref());
    let items = page.items.into_iter().map(Registration::from).collect();
    Ok((headers, Json(RegistrationPage { items, next_cursor: page.next_cursor })))
}

/// Whether another mail is on its way.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"queued": false, "reason": "too_soon"}))]
struct ResendAnswer {
    /// Whether another mail was queued.
    queued: bool,
    /// Why none was: `one_waits` (the one before was not handed over yet), `too_soon` (its wait is not over) or
    /// `too_many` (the address had its mails for today).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, pattern = "^(one_waits|too_soon|too_many)$", required = false)]
    reason: Option<&'static str>,
}

impl From<Resent> for ResendAnswer {
    fn from(resent: Resent) -> Self {
        let reason = match resent {
            Resent::Queued => None,
            Resent::OneWaits => Some("one_waits"),
            Resent::TooSoon => Some("too_soon"),
            Resent::TooMany => Some("too_many"),
        };
        Self { queued: reason.is_none(), reason }
    }
}

errors!(ResendErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::NotFound, Code::AlreadyActive]);

/// Queues another confirmation mail, within the limits of the address. Needs the role `admin`.
#[utoipa::path(post, path = "/v1/admin/registrations/{id}/resend", tag = "Administration",
    operation_id = "resend_registration", security(("bearer" = [])),
    params(("id" = String, Path, description = "The `id` in the list.", pattern = "^reg_[0-9a-v]{26}$",
        example = "reg_06nq8sd5c9u7d1p4v0g2k8m3e4")),
    responses((status = 200, description = "Whether one was queued.", body = ResendAnswer), ResendErrors))]
async fn resend(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<RegistrationId>,
) -> Result<Json<ResendAnswer>, Problem> {
    Ok(Json(accounts.resend_registration(Actor::User(&who, &client), id).await?.into()))
}

errors!(ConfirmErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::NotFound, Code::SignUpDecoy,
    Code::AlreadyActive, Code::EmailTaken, Code::UserNameTaken]);

/// Makes a sign-up a user by hand: whoever does it vouches for the address. Needs the role `admin`.
///
/// The password stays the one of the sign-up.
#[utoipa::path(post, path = "/v1/admin/registrations/{id}/confirm", tag = "Administration",
    operation_id = "confirm_registration", security(("bearer" = [])),
    params(("id" = String, Path, description = "The `id` in the list.", pattern = "^reg_[0-9a-v]{26}$",
        example = "reg_06nq8sd5c9u7d1p4v0g2k8m3e4")),
    responses((status = 200, description = "The account is active.", body = User), ConfirmErrors))]
async fn confirm(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<RegistrationId>,
) -> Result<Json<User>, Problem> {
    Ok(Json(accounts.confirm_registration(Actor::User(&who, &client), id).await?.into()))
}
