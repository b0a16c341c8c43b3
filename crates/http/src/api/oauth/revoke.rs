//! Tokens that are given back (RFC 7009).

use std::collections::BTreeMap;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use utoipa::openapi::RefOr;
use utoipa::{IntoResponses, ToSchema};
use vestibule::Accounts;

use super::client::ClientCredentials;
use super::refusal::{self, Refusal};
use crate::catalogue::Code;
use crate::describe::routes::{Routes, routes};
use crate::extract::Client;

pub(super) fn routes() -> Routes {
    routes!(revoke)
}

/// A token to end. Other parameters, `token_type_hint` too, are ignored.
#[derive(ToSchema)]
#[schema(example = json!({"token": "vrt_k3y0fTh3s3ss10nWh1chW0rks0nc3AndN3v3rAga1nX"}))]
#[expect(dead_code, reason = "describes what `revoke` reads")]
struct RevokeForm {
    /// A refresh token or an access token.
    token: String,
    /// Of the client whose token it is; left out for a token of this service's own sign-in.
    client_id: Option<String>,
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    client_assertion_type: Option<String>,
    /// A JWT that the client has signed with a key of its registration (RFC 7523), instead of a secret.
    #[schema(format = Password, max_length = 4096)]
    client_assertion: Option<String>,
}

struct RevokeErrors;

impl IntoResponses for RevokeErrors {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        refusal::responses(
            ("invalid_request", "The form has no token, or the client authenticates twice."),
            &[("invalid_client", Code::InvalidClient), ("temporarily_unavailable", Code::Unavailable)],
        )
    }
}

/// Ends the session that a token belongs to: one of this service's own, or, for a client that authenticates as at
/// `/v1/token`, one of that client. Anything else is 200, too: it does not work any more either, or is not the sender's.
#[utoipa::path(post, path = "/v1/token/revoke", tag = "Sign-in", operation_id = "revoke",
    request_body(content = RevokeForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The token does not work, or is somebody else's."),
        RevokeErrors))]
async fn revoke(
    State(accounts): State<Accounts>,
    Client(client): Client,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let headers = request.headers().clone();
    let mut form = refusal::form(request).await?;
    let token = refusal::needed(&mut form, "token")?;
    match ClientCredentials::read(&headers, &mut form)? {
        Some(credentials) => {
            let by = credentials.authenticate(&accounts).await?;
            accounts.revoke_for_application(&by, &token, &client).await?;
        }
        None => accounts.revoke(&token, &client).await?,
    }
    Ok(StatusCode::OK)
}
