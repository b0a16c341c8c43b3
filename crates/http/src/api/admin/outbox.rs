//! The outbox, for administrators.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, Email, MailId, MailQuery, MailState, Timestamp};

use crate::api::paging::{limit, link_to_next};
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Fields, Json, Query, ReadFields, SegmentBeforeLast, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(list, retry)
}

/// A message of the outbox. Text, link and code are made when it leaves, so they are not here.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "msg_06nq8sd5c9u7d1p4v0g2k8m3e4", "kind": "confirm", "state": "waiting", "to": "a***@example.org",
    "created_at": "2026-03-01T09:30:00.000Z", "due_at": "2026-03-01T09:31:00.000Z", "attempts": 1,
    "last_error": "451 4.7.1 try again later"
}))]
struct OutboxMail {
    /// Also its Message-ID.
    #[schema(value_type = String, pattern = "^msg_[0-9a-v]{26}$")]
    id: MailId,
    /// What it is, such as `confirm` or `password_reset`.
    #[schema(pattern = "^[a-z_]+$")]
    kind: String,
    /// `waiting`, `sent` (the relay has it) or `failed` (given up).
    #[schema(value_type = String, pattern = "^(waiting|sent|failed)$")]
    state: &'static str,
    /// Whom it is for, masked; absent when the sign-up or user is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    due_at: Option<Timestamp>,
    attempts: i64,
    /// What the relay said to the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    sent_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    failed_at: Option<Timestamp>,
}

impl From<vestibule::QueuedMail> for OutboxMail {
    fn from(mail: vestibule::QueuedMail) -> Self {
        Self {
            id: mail.id,
            kind: mail.kind,
            state: mail.state.name(),
            to: mail.to.as_ref().map(Email::masked),
            created_at: mail.created_at,
            due_at: mail.due_at,
            attempts: mail.attempts,
            last_error: mail.last_error,
            sent_at: mail.sent_at,
            failed_at: mail.failed_at,
        }
    }
}

pub(crate) struct ListQuery(pub(crate) MailQuery);

impl ReadFields for ListQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let state = fields.optional("/state", state);
        let limit = fields.optional("/limit", limit);
        let cursor = fields.optional("/cursor", fields::plain_text("/cursor"));
        Some(Self(MailQuery { state: state?, limit: limit?, cursor: cursor? }))
    }
}

fn state(text: &str) -> Result<MailState, FieldError> {
    MailState::from_name(text).ok_or(FieldError::new("/state", Code::StateInvalid))
}

/// A page of the outbox.
#[derive(Serialize, ToSchema)]
struct OutboxPage {
    items: Vec<OutboxMail>,
    /// The `cursor` of the next page; `null` at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

errors!(ListErrors: EVERY, API, BEARER, &[Code::ValidationFailed, Code::Forbidden]);

/// Lists the outbox, newest first, a page at a time; with `state=waiting` in the order of their turn. Needs the role
/// `admin`.
#[utoipa::path(get, path = "/v1/admin/mail", tag = "Administration", operation_id = "list_mail",
    security(("bearer" = [])),
    params(("state" = Option<String>, Query, description = "Only messages of this state.",
            pattern = "^(waiting|sent|failed)$"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Messages per page; 50 by default."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before.")),
    responses((status = 200, description = "A page.", body = OutboxPage,
        headers(("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288); absent at the end."))),
        ListErrors))]
async fn list(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Query(ListQuery(query)): Query<ListQuery>,
) -> Result<(HeaderMap, Json<OutboxPage>), Problem> {
    let page = accounts.list_mail(Actor::User(&who, &client), &query).await?;
    let state = query.state.map(|state| state.name().to_owned());
    let conditions = [("state", state), ("limit", query.limit.map(|limit| limit.to_string()))];
    let headers = link_to_next(&accounts, "/v1/admin/mail", conditions, page.next_cursor.as_deref());
    let items = page.items.into_iter().map(OutboxMail::from).collect();
    Ok((headers, Json(OutboxPage { items, next_cursor: page.next_cursor })))
}

errors!(RetryErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::NotFound, Code::MailSent]);

/// Makes a message due now, a dead letter, too. Needs the role `admin`.
///
/// While it is being handed over at this moment it may go twice, under the same Message-ID.
#[utoipa::path(post, path = "/v1/admin/mail/{id}/retry", tag = "Administration", operation_id = "retry_mail",
    security(("bearer" = [])),
    params(("id" = String, Path, description = "The `id` in the list.", pattern = "^msg_[0-9a-v]{26}$",
        example = "msg_06nq8sd5c9u7d1p4v0g2k8m3e4")),
    responses((status = 200, description = "It is due.", body = OutboxMail), RetryErrors))]
async fn retry(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<MailId>,
) -> Result<Json<OutboxMail>, Problem> {
    Ok(Json(accounts.retry_mail(Actor::User(&who, &client), id).await?.into()))
}
