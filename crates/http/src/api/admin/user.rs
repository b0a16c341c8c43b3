//! Operations of administrators on one user.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;
use vestibule::{
    Account, Accounts, Actor, DisplayName, Edit, Expected, Reason, Roles, UserChange, UserId, UserName,
    UserRef,
};

use crate::api::common::{ACCEPTED, Accepted};
use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{
    Administrator, Client, Fields, IfMatch, Json, LastSegment, ReadFields, SegmentBeforeLast, etag, fields,
};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(show, update, delete, disable, enable, reset_link, sign_out)
}

/// The answer that shows a user, with the tag of the current state.
pub(super) fn shown(account: Account) -> Response {
    ([(ETAG, etag(&account))], Json(User::whole(account))).into_response()
}

errors!(ShowErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::NotFound]);

/// Shows a user. Needs the role `admin`, like everything here.
#[utoipa::path(get, path = "/v1/admin/users/{id}", tag = "Administration", operation_id = "admin_show_user",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    responses((status = 200, description = "The user.", body = User,
        headers(("ETag" = String, description = "Names this state, for `If-Match`."))), ShowErrors))]
async fn show(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    LastSegment(id): LastSegment<UserId>,
) -> Result<Response, Problem> {
    Ok(shown(accounts.find_user(Actor::User(&who, &client), &UserRef::Id(id)).await?))
}

/// What changes; the rest stays.
#[derive(ToSchema)]
#[schema(example = json!({"roles": ["editor"], "user_name": "countess", "display_name": "Ada Lovelace",
    "locale": "pt-BR"}))]
struct ChangeUserRequest {
    /// All the roles from now on: each 1 to 32 of a-z, 0-9, _ and -, beginning with a letter.
    #[schema(value_type = Vec<String>, max_items = 16, required = false)]
    roles: Option<Roles>,
    /// Another public name.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    user_name: Option<UserName>,
    /// What people are to call the account's owner: in any spelling, not unique. An empty text removes it.
    #[schema(value_type = String, max_length = 100, required = false)]
    display_name: Edit<DisplayName>,
    /// The language of the mails, a tag such as `en` or `pt-BR`.
    #[schema(value_type = String, max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", required = false)]
    locale: Option<String>,
}

impl ReadFields for ChangeUserRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let roles = fields.optional_list("/roles", fields::roles);
        let user_name = fields.optional("/user_name", fields::user_name);
        let display_name = fields.optional("/display_name", fields::edited_display_name);
        let locale = fields.optional("/locale", fields::locale);
        Some(Self {
            roles: roles?,
            user_name: user_name?,
            display_name: display_name?.unwrap_or_default(),
            locale: locale?,
        })
    }
}

errors!(UpdateErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired, Code::NotFound,
    Code::UserNameTaken, Code::LastAdmin, Code::PreconditionFailed, Code::PreconditionRequired]);

/// Changes roles, names or language of a user who is still as `If-Match` says. Roles count from the next request on, and
/// need a sign-in of the administrator that is only minutes old.
#[utoipa::path(patch, path = "/v1/admin/users/{id}", tag = "Administration", operation_id = "admin_update_user",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$"),
        ("If-Match" = String, Header, description = "The `ETag` that the user was shown with.",
            pattern = "^(\\*|\"[0-9A-Za-z_-]+\")$")),
    request_body(content = ChangeUserRequest, content_type = "application/json"),
    responses((status = 200, description = "The user as it is now.", body = User,
        headers(("ETag" = String, description = "Names this state, for `If-Match`."))), UpdateErrors))]
async fn update(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    LastSegment(id): LastSegment<UserId>,
    if_match: IfMatch,
    Json(body): Json<ChangeUserRequest>,
) -> Result<Response, Problem> {
    let ChangeUserRequest { roles, user_name, display_name, locale } = body;
    let change = UserChange { roles, user_name, display_name, locale };
    let (actor, expected) = (Actor::User(&who, &client), if_match.required()?);
    Ok(shown(accounts.change_user(actor, &UserRef::Id(id), &expected, change, None).await?))
}

errors!(DeleteErrors: EVERY, API, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired, Code::NotFound, Code::LastAdmin,
    Code::PreconditionFailed]);

/// Deletes a user and everything held about it, at once. Needs a sign-in of the administrator that is only minutes old.
#[utoipa::path(delete, path = "/v1/admin/users/{id}", tag = "Administration", operation_id = "admin_delete_user",
    security(("bearer" = [])), params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that the user was shown with.",
            pattern = "^(\\*|\"[0-9A-Za-z_-]+\")$")),
    responses((status = 204, description = "The user is gone."), DeleteErrors))]
async fn delete(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    LastSegment(id): LastSegment<UserId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    let expected = expected.unwrap_or(Expected::Any);
    accounts.delete_user(Actor::User(&who, &client), &UserRef::Id(id), &expected, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Why it is done, for the audit trail. The whole body may be left out.
#[derive(Default, ToSchema)]
#[schema(example = json!({"reason": "asked for it by phone"}))]
pub(crate) struct ReasonRequest {
    /// One line.
    #[schema(value_type = String, max_length = 200, required = false)]
    pub(crate) reason: Option<Reason>,
}

impl ReadFields for ReasonRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self { reason: fields.optional("/reason", fields::reason)? })
    }
}

/// The reason in the body, if there is one.
fn reason(body: Option<Json<ReasonRequest>>) -> Option<Reason> {
    body.and_then(|Json(body)| body.reason)
}

errors!(DisableErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::NotFound, Code::LastAdmin]);

/// Keeps a user from signing in, ends all sessions, and voids open links. A second time changes nothing.
#[utoipa::path(post, path = "/v1/admin/users/{id}/disable", tag = "Administration",
    operation_id = "admin_disable_user", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    request_body(content = Option<ReasonRequest>, content_type = "application/json"),
    responses((status = 200, description = "The user as it is now.", body = User,
        headers(("ETag" = String, description = "Names this state, for `If-Match`."))), DisableErrors))]
async fn disable(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
    body: Option<Json<ReasonRequest>>,
) -> Result<Response, Problem> {
    let actor = Actor::User(&who, &client);
    Ok(shown(accounts.disable_user(actor, &UserRef::Id(id), reason(body).as_ref()).await?))
}

errors!(ActErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::NotFound]);

/// Lets a disabled user sign in again. A second time changes nothing.
#[utoipa::path(post, path = "/v1/admin/users/{id}/enable", tag = "Administration",
    operation_id = "admin_enable_user", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    request_body(content = Option<ReasonRequest>, content_type = "application/json"),
    responses((status = 200, description = "The user as it is now.", body = User,
        headers(("ETag" = String, description = "Names this state, for `If-Match`."))), ActErrors))]
async fn enable(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
    body: Option<Json<ReasonRequest>>,
) -> Result<Response, Problem> {
    let actor = Actor::User(&who, &client);
    Ok(shown(accounts.enable_user(actor, &UserRef::Id(id), reason(body).as_ref()).await?))
}

errors!(ResetErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::NotFound, Code::UserDisabled,
    Code::TooManyRequests]);

/// Mails the user a link that sets a new password. Nobody else sees it.
#[utoipa::path(post, path = "/v1/admin/users/{id}/reset-link", tag = "Administration",
    operation_id = "admin_mail_reset_link", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    request_body(content = Option<ReasonRequest>, content_type = "application/json"),
    responses((status = 202, description = "The mail is on its way.", body = Accepted), ResetErrors))]
async fn reset_link(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
    body: Option<Json<ReasonRequest>>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let actor = Actor::User(&who, &client);
    accounts.mail_reset_link(actor, &UserRef::Id(id), reason(body).as_ref()).await?;
    Ok((StatusCode::ACCEPTED, Json(ACCEPTED)))
}

/// Ends all sessions of a user, who may sign in again.
#[utoipa::path(post, path = "/v1/admin/users/{id}/sign-out", tag = "Administration",
    operation_id = "admin_sign_out_user", security(("bearer" = [])),
    params(("id" = String, Path, pattern = "^usr_[0-9a-v]{26}$")),
    request_body(content = Option<ReasonRequest>, content_type = "application/json"),
    responses((status = 204, description = "Every session has ended."), ActErrors))]
async fn sign_out(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    SegmentBeforeLast(id): SegmentBeforeLast<UserId>,
    body: Option<Json<ReasonRequest>>,
) -> Result<StatusCode, Problem> {
    let actor = Actor::User(&who, &client);
    accounts.end_sessions(actor, &UserRef::Id(id), reason(body).as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}
