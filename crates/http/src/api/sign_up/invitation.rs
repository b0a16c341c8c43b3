//! Invitations: made by administrators, accepted by the owner of the mailbox.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{
    Accounts, Actor, Email, InvitationId, NewInvitation, Password, Roles, Terms, Timestamp, UserName,
};

use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BEARER, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::terms::needed_terms;
use crate::extract::{Administrator, Client, Fields, Json, ReadFields, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(invite, accept)
}

/// Who is invited, and as what.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.org", "roles": ["editor"], "locale": "en"}))]
pub(crate) struct InviteRequest {
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254)]
    pub(crate) email: Email,
    /// A public name; whoever accepts may choose another.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    pub(crate) user_name: Option<UserName>,
    /// Each 1 to 32 of a-z, 0-9, _ and -, beginning with a letter.
    #[schema(value_type = Vec<String>, max_items = 16, required = false)]
    pub(crate) roles: Option<Roles>,
    /// The language of the mails, a tag such as `en` or `pt-BR`.
    #[schema(value_type = String, max_length = 35, pattern = "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", required = false)]
    pub(crate) locale: Option<String>,
}

impl ReadFields for InviteRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let email = fields.required("/email", fields::email);
        let user_name = fields.optional("/user_name", fields::user_name);
        let roles = fields.optional_list("/roles", fields::roles);
        let locale = fields.optional("/locale", fields::locale);
        Some(Self { email: email?, user_name: user_name?, roles: roles?, locale: locale? })
    }
}

/// An invitation that waits to be accepted.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "id": "inv_06nq8sd5c9u7d1p4v0g2k8m3e4", "email": "ada@example.org", "roles": ["editor"], "locale": "en",
    "created_at": "2026-03-01T09:30:00.000Z", "expires_at": "2026-03-04T09:30:00.000Z"
}))]
struct Invitation {
    #[schema(value_type = String, pattern = "^inv_[0-9a-v]{26}$")]
    id: InvitationId,
    #[schema(value_type = String, max_length = 254)]
    email: Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    user_name: Option<UserName>,
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    locale: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the mailed link stops working.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<vestibule::Invitation> for Invitation {
    fn from(made: vestibule::Invitation) -> Self {
        Self {
            id: made.id,
            email: made.email,
            user_name: made.user_name,
            roles: made.roles.names().to_vec(),
            locale: made.locale,
            created_at: made.created_at,
            expires_at: made.expires_at,
        }
    }
}

errors!(InviteErrors: EVERY, API, BODY, BEARER, &[Code::Forbidden, Code::ReauthenticationRequired, Code::EmailTaken, Code::UserNameTaken,
    Code::TooManyRequests]);

/// Invites somebody: mails a link with which the owner of the address chooses a password. Needs the role `admin`.
///
/// Giving roles needs a sign-in that is only minutes old. An earlier invitation of the address stops working.
#[utoipa::path(post, path = "/v1/admin/users", tag = "Administration", operation_id = "invite_user",
    security(("bearer" = [])), request_body(content = InviteRequest, content_type = "application/json"),
    responses((status = 202, description = "The mail is on its way.", body = Invitation), InviteErrors))]
async fn invite(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Administrator(who): Administrator,
    Json(body): Json<InviteRequest>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let InviteRequest { email, user_name, roles, locale } = body;
    let new = NewInvitation { email, user_name, roles: roles.unwrap_or_default(), locale };
    let made = accounts.invite(Actor::User(&who, &client), new).await?;
    Ok((StatusCode::ACCEPTED, Json(made.into())))
}

/// The token of the mailed link, and what shall be the password.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "password": "violet-otter-maps-42"
}))]
pub(crate) struct AcceptRequest {
    /// What follows `token=` in the link.
    pub(crate) token: String,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    pub(crate) password: Password,
    /// Another public name than the invitation proposes.
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    pub(crate) user_name: Option<UserName>,
    /// Whether they accept the operator's terms. Must be `true` where `signup.consent` is `checkbox`.
    #[schema(value_type = bool, required = false)]
    pub(crate) terms_accepted: Terms,
}

impl ReadFields for AcceptRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.required("/token", fields::any_text);
        let password = fields.required("/password", fields::new_password("/password"));
        let user_name = fields.optional("/user_name", fields::user_name);
        let terms_accepted = needed_terms(fields);
        Some(Self {
            token: token?,
            password: password?,
            user_name: user_name?,
            terms_accepted: terms_accepted?,
        })
    }
}

errors!(AcceptErrors: EVERY, API, BODY, HASH, &[Code::EmailTaken, Code::UserNameTaken, Code::LinkExpired,
    Code::LinkUsed]);

/// Accepts an invitation: makes the account, whose address counts as confirmed. Does not sign in.
#[utoipa::path(post, path = "/v1/invitation/accept", tag = "Sign-up", operation_id = "accept_invitation",
    request_body(content = AcceptRequest, content_type = "application/json"),
    responses((status = 200, description = "The account.", body = User), AcceptErrors))]
async fn accept(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<AcceptRequest>,
) -> Result<Json<User>, Problem> {
    let AcceptRequest { token, password, user_name, terms_accepted } = body;
    let account = accounts.accept_invitation(&token, &password, user_name, terms_accepted, &client).await?;
    Ok(Json(account.into()))
}
