//! The first administrator.

use axum::extract::State;
use utoipa::ToSchema;
use vestibule::{Accounts, Email, FirstAdmin, Password, UserName};

use crate::api::user::User;
use crate::catalogue::Code;
use crate::describe::errors::{API, BODY, EVERY, HASH, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::{Client, Fields, Json, ReadFields, fields};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(set_up)
}

/// The key of the set-up link, and who is to be the first administrator.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "email": "root@example.org",
    "password": "violet-otter-maps-42"
}))]
pub(crate) struct SetupRequest {
    /// What follows `#k=` in the link that `vestibule setup-link` prints.
    pub(crate) token: String,
    /// Taken as confirmed.
    #[schema(value_type = String, format = "email", min_length = 5, max_length = 254)]
    pub(crate) email: Email,
    #[schema(value_type = String, format = Password, min_length = 8, max_length = 256)]
    pub(crate) password: Password,
    #[schema(value_type = String, min_length = 2, max_length = 32, required = false)]
    pub(crate) user_name: Option<UserName>,
}

impl ReadFields for SetupRequest {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let token = fields.required("/token", fields::any_text);
        let email = fields.required("/email", fields::email);
        let password = fields.required("/password", fields::new_password("/password"));
        let user_name = fields.optional("/user_name", fields::user_name);
        Some(Self { token: token?, email: email?, password: password?, user_name: user_name? })
    }
}

errors!(SetupErrors: EVERY, API, BODY, HASH, &[Code::EmailTaken, Code::UserNameTaken, Code::LinkExpired,
    Code::LinkUsed]);

/// Makes the first administrator, with the key that only the operator was shown. Afterwards no key works.
#[utoipa::path(post, path = "/v1/setup", tag = "Administration", operation_id = "set_up",
    request_body(content = SetupRequest, content_type = "application/json"),
    responses((status = 200, description = "The administrator.", body = User), SetupErrors))]
async fn set_up(
    State(accounts): State<Accounts>,
    Client(client): Client,
    Json(body): Json<SetupRequest>,
) -> Result<Json<User>, Problem> {
    let SetupRequest { token, email, password, user_name } = body;
    let who = FirstAdmin { email, password, user_name };
    Ok(Json(accounts.set_up(&token, who, &client).await?.into()))
}
