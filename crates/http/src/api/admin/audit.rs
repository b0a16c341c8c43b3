//! The audit trail.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, Actor, AuditActor, AuditId, AuditKind, AuditQuery, Timestamp, UserId};

use crate::api::paging::{limit, link_to_next};
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Administrator, Client, Fields, Json, Query, ReadFields, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> Routes {
    routes!(list_audit)
}

/// An entry of the audit trail: who did what, when and from where.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "aud_06nq8sd5c9u7d1p4v0g2k8m3e4", "at": "2026-03-01T09:30:00.000Z", "kind": "signed_in",
    "actor": "user", "actor_id": "usr_06nq8sd5c9u7d1p4v0g2k8m3e4", "user_id": "usr_06nq8sd5c9u7d1p4v0g2k8m3e4",
    "email": "a***@example.org", "ip": "203.0.113.9", "user_agent": "curl/8.5.0"
}))]
pub(crate) struct AuditEvent {
    #[schema(value_type = String, pattern = "^aud_[0-9a-v]{26}$")]
    id: AuditId,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What happened, such as `signed_in` or `password_changed`.
    #[schema(value_type = String, pattern = "^[a-z_]+$")]
    kind: &'static str,
    /// `user`, `operator` (the command line), `client` (an application for itself, which `detail` names), `anonymous`, or
    /// `system` (the server by itself).
    #[schema(value_type = String, pattern = "^(user|operator|client|anonymous|system)$")]
    actor: &'static str,
    /// The user who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^usr_[0-9a-v]{26}$")]
    actor_id: Option<UserId>,
    /// The account of the operating system whose command it was, if `actor` is `operator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    /// The user it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^usr_[0-9a-v]{26}$")]
    user_id: Option<UserId>,
    /// The address it is about, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    /// More, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl From<vestibule::AuditEvent> for AuditEvent {
    fn from(event: vestibule::AuditEvent) -> Self {
        let actor: AuditActor = event.actor;
        Self {
            id: event.id,
            at: event.at,
            kind: event.kind.name(),
            actor: actor.name(),
            actor_id: actor.user(),
            operator: event.operator.map(|name| name.as_str().to_owned()),
            user_id: event.user_id,
            email: event.email,
            ip: event.ip,
            user_agent: event.user_agent,
            detail: event.detail,
        }
    }
}

pub(crate) struct ListQuery(pub(crate) AuditQuery);

impl ReadFields for ListQuery {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let user = fields.optional("/user_id", user_id);
        let email = fields.optional("/email", fields::email);
        let kind = fields.optional("/kind", kind);
        let limit = fields.optional("/limit", limit);
        let cursor = fields.optional("/cursor", fields::plain_text("/cursor"));
        Some(Self(AuditQuery { user: user?, email: email?, kind: kind?, limit: limit?, cursor: cursor? }))
    }
}

fn user_id(text: &str) -> Result<UserId, FieldError> {
    text.parse().map_err(|_| FieldError::new("/user_id", Code::IdInvalid))
}

fn kind(text: &str) -> Result<AuditKind, FieldError> {
    AuditKind::from_name(text).ok_or(FieldError::new("/kind", Code::KindInvalid))
}

/// A page of the audit trail, newest first.
#[derive(Serialize, ToSchema)]
struct AuditPage {
    items: Vec<AuditEvent>,
    /// The `cursor` of the next page; `null` at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

errors!(ListErrors: EVERY, API, BEARER, &[Code::ValidationFailed, Code::Forbidden]);

/// Lists the audit trail, newest first, a page at a time. Needs the role `admin`.
///
/// Of `user_id`, `email` and `kind` the first that is there counts.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "Administration", operation_id = "list_audit",
    security(("bearer" = [])),
    params(("user_id" = Option<String>, Query, description = "Only what is about this user.",
            pattern = "^usr_[0-9a-v]{25}[048cgkos]$"),
        ("email" = Option<String>, Query, description = "Only what is about this address, account or not.",
            format = "email", min_length = 5, max_length = 254),
        ("kind" = Option<String>, Query, description = "Only this kind."),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Entries per page; 50 by default."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before.")),
    responses((status = 200, description = "A page.", body = AuditPage,
        headers(("Link" = String, description = "The next page, with `rel=\"next\"` (RFC 8288); absent at the end."))),
        ListErrors))]
async fn list_audit(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Query(ListQuery(query)): Query<ListQuery>,
) -> Result<(HeaderMap, Json<AuditPage>), Problem> {
    let page = accounts.list_audit(Actor::User(&who, &client), &query).await?;
    let conditions = [
        ("user_id", query.user.map(|user| user.to_string())),
        ("email", query.email.map(|email| email.to_string())),
        ("kind", query.kind.map(|kind| kind.name().to_owned())),
        ("limit", query.limit.map(|limit| limit.to_string())),
    ];
    let headers = link_to_next(&accounts, "/v1/admin/audit", conditions, page.next_cursor.as_deref());
    let items = page.items.into_iter().map(AuditEvent::from).collect();
    Ok((headers, Json(AuditPage { items, next_cursor: page.next_cursor })))
}
