//! The account itself.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{Accounts, DisplayName, Edit, Export, Grant, Policy, ProfileChange, Timestamp, UserName};

use super::sessions::ActiveSession;
use super::ways_in::Ways;
use crate::api::admin::audit::AuditEvent;
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::fields::possible_at;
use crate::extract::{Bearer, Client, Fields, GivenPassword, Json, Pairs, ReadFields, SignedIn, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(me, update, delete, export)
}

errors!(MeErrors: EVERY, API, BEARER);

/// The account of whoever asks: with an access token or, where there is no `Authorization`, with the cookie of a sign-in on
/// the pages of this server.
#[utoipa::path(get, path = "/v1/me", tag = "Account", operation_id = "me", security(("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The account.", body = User), MeErrors))]
async fn me(SignedIn(who): SignedIn) -> Json<User> {
    Json(who.account.into())
}

/// What changes; the rest stays.
#[derive(ToSchema)]
#[schema(example = json!({"user_name": "countess", "display_name": "Ada Lovelace", "locale": "pt-BR"}))]
pub(crate) struct UpdateRequest {
    /// Another public name.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    pub(crate) user_name: Option<UserName>,
    /// What people are to call the account's owner: in any spelling, not unique. An empty text removes it.
    #[schema(value_type = String, max_length = 100, required = false)]
    pub(crate) display_name: Edit<DisplayName>,
    /// The language of the mails, a tag such as `en` or `pt-BR`.
    #[schema(value_type = String, max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", required = false)]
    pub(crate) locale: Option<String>,
}

impl ReadFields for UpdateRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let user_name = fields.optional("/user_name", fields::user_name);
        let display_name = fields.optional("/display_name", fields::edited_display_name);
        let locale = fields.optional("/locale", fields::locale);
        Some(Self { user_name: user_name?, display_name: display_name?.unwrap_or_default(), locale: locale? })
    }
}

impl UpdateRequest {
    /// What a form asks for: whoever empties the field wants no display name.
    pub(crate) fn of_form(form: Pairs, policy: &Policy) -> Result<Self, Problem> {
        let emptied = form.value("display_name") == Some("");
        let read: Self = form.read(policy)?;
        Ok(if emptied { Self { display_name: Edit::Remove, ..read } } else { read })
    }
}

impl From<UpdateRequest> for ProfileChange {
    fn from(wish: UpdateRequest) -> Self {
        let UpdateRequest { user_name, display_name, locale } = wish;
        Self { user_name, display_name, locale }
    }
}

errors!(UpdateErrors: EVERY, API, BODY, BEARER, &[Code::UserNameTaken]);

/// Changes the names or the language.
#[utoipa::path(patch, path = "/v1/me", tag = "Account", operation_id = "update_me", security(("bearer" = [])),
    request_body(content = UpdateRequest, content_type = "application/json"),
    responses((status = 200, description = "The account as it is now.", body = User), UpdateErrors))]
async fn update(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Json(body): Json<UpdateRequest>,
) -> Result<Json<User>, Problem> {
    Ok(Json(accounts.update_profile(&who, body.into(), &client).await?.into()))
}

/// The password, given again; an account without one leaves it out.
#[derive(ToSchema)]
#[schema(example = json!({"password": "violet-otter-maps-42"}))]
pub(crate) struct DeleteRequest {
    #[schema(value_type = String, format = Password, required = false)]
    pub(crate) password: Option<GivenPassword>,
}

impl ReadFields for DeleteRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { password: fields.optional("/password", fields::given_password)? })
    }
}

errors!(DeleteErrors: EVERY, API, BODY, BEARER, HASH, &[Code::ReauthenticationRequired, Code::LastAdmin,
    Code::TooManyRequests]);

/// Deletes the account and everything held about it, at once.
///
/// A wrong password is 422 with `password_wrong`, and counts like a failed sign-in. Where the account has a second factor, it must
/// have been given only minutes ago.
#[utoipa::path(delete, path = "/v1/me", tag = "Account", operation_id = "delete_me", security(("bearer" = [])),
    request_body(content = DeleteRequest, content_type = "application/json"),
    responses((status = 204, description = "The account is gone."), DeleteErrors))]
async fn delete(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
    Json(body): Json<DeleteRequest>,
) -> Result<StatusCode, Problem> {
    let at = "/password";
    let password = possible_at(body.password, at)?;
    let deleted = accounts.delete_account(&who, password.as_ref(), &client).await;
    deleted.map_err(|error| Problem::of_change(error, at))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything held about the account, but what would let somebody in.
#[derive(Serialize, ToSchema)]
pub(crate) struct Exported {
    account: User,
    /// The sessions that are alive.
    sessions: Vec<ActiveSession>,
    /// What was mailed about the account, oldest first.
    mails: Vec<ExportedMail>,
    /// What it signs in with.
    ways_in: Ways,
    /// The applications that it has let in.
    applications: Vec<ConnectedApplication>,
    /// What was done with the account, newest first.
    events: Vec<AuditEvent>,
    /// What other programs were told about the account, oldest first.
    webhooks: Vec<ExportedWebhook>,
}

/// An application that the account has let in.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"client_id": "shop", "name": "Shop", "scope": "email openid",
    "created_at": "2026-03-01T09:30:00.000Z", "last_used_at": "2026-03-02T09:30:00.000Z"}))]
pub(crate) struct ConnectedApplication {
    client_id: String,
    /// What people call it.
    name: String,
    /// What it may see and do, separated by spaces.
    scope: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it last got a token.
    #[schema(value_type = String, format = DateTime)]
    last_used_at: Timestamp,
}

impl From<Grant> for ConnectedApplication {
    fn from(grant: Grant) -> Self {
        Self {
            client_id: grant.application.to_string(),
            name: grant.name,
            scope: grant.scopes.to_string(),
            created_at: grant.created_at,
            last_used_at: grant.last_used_at,
        }
    }
}

/// A message about the account.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"kind": "welcome", "queued_at": "2026-03-01T09:30:00.000Z",
    "sent_at": "2026-03-01T09:30:01.000Z"}))]
struct ExportedMail {
    /// What it is about, such as `welcome` or `password_changed`.
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    queued_at: Timestamp,
    /// Absent while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    sent_at: Option<Timestamp>,
}

/// An event that another program was told.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"event": "user.created", "created_at": "2026-03-01T09:30:00.000Z",
    "sent_at": "2026-03-01T09:30:01.000Z"}))]
struct ExportedWebhook {
    /// What happened, such as `user.created`; `logout`: an application was told that a session with it has ended.
    event: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Absent while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false)]
    sent_at: Option<Timestamp>,
}

impl Exported {
    pub(crate) fn of(held: Export, who: &vestibule::SignedIn) -> Self {
        let sessions = held.sessions.into_iter().map(|session| ActiveSession::of(session, who)).collect();
        let mail = |(kind, queued_at, sent_at)| ExportedMail { kind, queued_at, sent_at };
        let mails = held.mails.into_iter().map(mail).collect();
        let events = held.events.into_iter().map(AuditEvent::from).collect();
        let webhook = |(event, created_at, sent_at)| ExportedWebhook { event, created_at, sent_at };
        let webhooks = held.webhooks.into_iter().map(webhook).collect();
        let applications = held.grants.into_iter().map(ConnectedApplication::from).collect();
        let (account, ways_in) = (User::whole(held.account), held.ways_in.into());
        Self { account, sessions, mails, ways_in, applications, events, webhooks }
    }
}

errors!(ExportErrors: EVERY, API, BEARER);

/// Everything held about the account.
#[utoipa::path(get, path = "/v1/me/export", tag = "Account", operation_id = "export_me", security(("bearer" = [])),
    responses((status = 200, description = "The data.", body = Exported), ExportErrors))]
async fn export(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Bearer(who): Bearer,
) -> Result<Json<Exported>, Problem> {
    Ok(Json(Exported::of(accounts.export_account(&who, &client).await?, &who)))
}
