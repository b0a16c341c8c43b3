//! The answer to an application: a code or a refusal, at its own address (RFC 6749 §4.1.2, RFC 9207).

use std::time::Duration;

use crate::core::Core;
use crate::domain::access::session::Proven;
use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::request::{AuthorizationRefusal, AuthorizationRequest};
use crate::domain::ids::SessionId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::application::codes::{self, IssuedCode};
use crate::store::tables::users::Credentials;
use crate::token::opaque::new_code;

/// How long a code waits for its application.
const LIFETIME: Duration = Duration::from_mins(1);

/// A browser's session with its user, as they are in the transaction that looked at them.
pub(super) struct Present {
    pub(super) session: SessionId,
    pub(super) proven: Proven,
    pub(super) user: Credentials,
}

/// The application's address with a new code, for a user whose session and consent were looked at in this transaction.
pub(super) fn issue(
    tx: &mut Tx<'_>,
    core: &Core,
    request: &AuthorizationRequest,
    present: &Present,
    now: Timestamp,
) -> Result<String, Fault> {
    let (secret, hash) = new_code(&core.settings.env);
    let issued = IssuedCode {
        user: present.user.account.id,
        parent: present.session,
        credential_version: present.user.credential_version,
        request: to_json(request)?,
        proven: present.proven,
        created_at: now,
        expires_at: now + LIFETIME,
    };
    codes::insert(tx, &hash, &issued)?;
    let parameters = [("code", secret.expose())];
    Ok(answer(core, &request.redirect_uri, request.state.as_deref(), &parameters))
}

/// The application's address with a refusal.
pub(super) fn refuse(core: &Core, request: &AuthorizationRequest, refusal: AuthorizationRefusal) -> String {
    refusal_uri(core, &request.redirect_uri, request.state.as_deref(), refusal)
}

pub(super) fn refusal_uri(
    core: &Core,
    redirect_uri: &RedirectUri,
    state: Option<&str>,
    refusal: AuthorizationRefusal,
) -> String {
    let description = refusal.to_string();
    let parameters = [("error", refusal.code()), ("error_description", description.as_str())];
    answer(core, redirect_uri, state, &parameters)
}

fn answer(
    core: &Core,
    redirect_uri: &RedirectUri,
    state: Option<&str>,
    parameters: &[(&str, &str)],
) -> String {
    let mut all = parameters.to_vec();
    all.extend(state.map(|state| ("state", state)));
    all.push(("iss", &core.settings.public_url));
    redirect_uri.with(&all)
}

pub(super) fn to_json(request: &AuthorizationRequest) -> Result<String, Fault> {
    serde_json::to_string(request).map_err(|error| Fault::Unavailable(error.to_string()))
}

pub(super) fn from_json(text: &str) -> Result<AuthorizationRequest, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Unavailable(error.to_string()))
}
