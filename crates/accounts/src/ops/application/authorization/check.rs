//! Reading a request: whether it may be answered, and where a refusal may go.

use crate::accounts::Accounts;
use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::registered::Application;
use crate::domain::application::request::{
    AuthorizationParameters, AuthorizationRefusal, AuthorizationRequest, Prompt,
};
use crate::domain::application::scope::{OF_USERS, Scopes};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::authorization::issue::refusal_uri;
use crate::ops::application::find::application;

/// The factor that an application may ask for.
pub(crate) const ACR_FACTOR: &str = "urn:vestibule:factor:2";
/// What an application gets back as it is, at most.
const STATE_OCTETS_MAX: usize = 2048;
const NONCE_OCTETS_MAX: usize = 512;
/// The SHA-256 of a verifier in base64url (RFC 7636 §4.2).
const CHALLENGE_OCTETS: usize = 43;

/// Why a request is not answered.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizationError {
    /// Who asks is not proven, so nobody but the user is told.
    #[error(transparent)]
    Unproven(#[from] Unproven),
    /// The application is told at its address.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: AuthorizationRefusal,
        /// Where the browser goes with it.
        redirect: String,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What is missing to know who asks (RFC 6749 §4.1.2.1: nothing is sent to an address that is not proven).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// There is no `client_id`, or there is no such application.
    #[error("`client_id` names no application")]
    Application,
    /// There is no `redirect_uri`, or the application has not registered it.
    #[error("`redirect_uri` is not registered for this application")]
    RedirectUri,
}

impl Accounts {
    /// Reads a request. It may be answered, later and in the same browser, with
    /// [`decide_authorization`](Self::decide_authorization).
    ///
    /// # Errors
    /// [`AuthorizationError`]
    pub async fn check_authorization(
        &self,
        parameters: AuthorizationParameters,
    ) -> Result<AuthorizationRequest, AuthorizationError> {
        let (core, id) = (self.0.clone(), parameters.client_id.clone());
        let id = id.ok_or(Unproven::Application)?;
        let found = core.clone().store.read(move |tx| application(tx, &core, &id)).await?;
        let application = found.ok_or(Unproven::Application)?;
        let redirect_uri = proven(&application, parameters.redirect_uri.as_deref())?;
        let state = parameters.state.clone().filter(|state| state.len() <= STATE_OCTETS_MAX);
        let hint = self.hint(parameters.id_token_hint.as_deref()).await?;
        let hinted = hint.filter(|hint| hint.application == application.id.as_str()).map(|hint| hint.user);
        read(&application, redirect_uri.clone(), parameters, hinted, self.0.now()).map_err(|refusal| {
            let redirect = refusal_uri(&self.0, &redirect_uri, state.as_deref(), refusal);
            AuthorizationError::Refused { refusal, redirect }
        })
    }
}

fn proven(application: &Application, presented: Option<&str>) -> Result<RedirectUri, Unproven> {
    let presented = presented.ok_or(Unproven::RedirectUri)?;
    let registered = application.redirect_uris.iter().any(|uri| uri.allows(presented));
    presented.parse().ok().filter(|_| registered).ok_or(Unproven::RedirectUri)
}

fn read(
    application: &Application,
    redirect_uri: RedirectUri,
    given: AuthorizationParameters,
    hinted: Option<UserId>,
    now: Timestamp,
) -> Result<AuthorizationRequest, AuthorizationRefusal> {
    let wrong = AuthorizationRefusal::InvalidRequest;
    if given.is_repeated {
        return Err(wrong("a parameter came more than once"));
    }
    if given.has_request_object {
        return Err(AuthorizationRefusal::RequestNotSupported);
    }
    if given.has_request_uri {
        return Err(AuthorizationRefusal::RequestUriNotSupported);
    }
    if given.id_token_hint.is_some() && hinted.is_none() {
        return Err(wrong("`id_token_hint` is not an ID token of this client"));
    }
    match given.response_type.as_deref() {
        None => return Err(wrong("`response_type` is missing: use `code`")),
        Some("code") => {}
        Some(_) => return Err(AuthorizationRefusal::UnsupportedResponseType),
    }
    if given.response_mode.is_some_and(|mode| mode != "query") {
        return Err(wrong("only the `response_mode` `query` is answered"));
    }
    if given.state.as_ref().is_some_and(|state| state.len() > STATE_OCTETS_MAX) {
        return Err(wrong("`state` is longer than 2048 characters"));
    }
    if given.nonce.as_ref().is_some_and(|nonce| nonce.len() > NONCE_OCTETS_MAX) {
        return Err(wrong("`nonce` is longer than 512 characters"));
    }
    Ok(AuthorizationRequest {
        client_id: application.id.to_string(),
        redirect_uri,
        scopes: scopes(application, given.scope.as_deref().unwrap_or_default())?,
        state: given.state,
        nonce: given.nonce,
        code_challenge: challenge(given.code_challenge, given.code_challenge_method.as_deref())?,
        prompt: prompt(given.prompt.as_deref().unwrap_or_default())?,
        max_age: match given.max_age {
            Some(seconds) => Some(seconds.parse().map_err(|_| wrong("`max_age` is a number of seconds"))?),
            None => None,
        },
        wants_factor: given.acr_values.is_some_and(|values| values.split(' ').any(|acr| acr == ACR_FACTOR)),
        resource: resource(application, given.resource)?,
        hinted: hinted.map(|user| user.to_string()),
        login_hint: given.login_hint.filter(|hint| hint.len() <= 254),
        ui_locales: given.ui_locales.filter(|locales| locales.len() <= 128),
        asked_at: now.as_millis(),
    })
}

fn scopes(application: &Application, text: &str) -> Result<Scopes, AuthorizationRefusal> {
    let scopes: Scopes = text.parse().map_err(|_| AuthorizationRefusal::InvalidScope)?;
    let may = |name: &str| OF_USERS.contains(&name) || application.scopes.has(name);
    if scopes.names().all(may) { Ok(scopes) } else { Err(AuthorizationRefusal::InvalidScope) }
}

/// RFC 9700 §2.1.1: PKCE for every application, and only with the method that hides the verifier.
fn challenge(challenge: Option<String>, method: Option<&str>) -> Result<String, AuthorizationRefusal> {
    let wrong = AuthorizationRefusal::InvalidRequest;
    let challenge = challenge.ok_or(wrong("`code_challenge` is missing: PKCE (RFC 7636) is required"))?;
    if method != Some("S256") {
        return Err(wrong("`code_challenge_method` must be `S256`"));
    }
    let is_base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if challenge.len() != CHALLENGE_OCTETS || !challenge.bytes().all(is_base64url) {
        return Err(wrong("`code_challenge` is not a SHA-256 in base64url"));
    }
    Ok(challenge)
}

fn prompt(text: &str) -> Result<Prompt, AuthorizationRefusal> {
    let mut prompt = Prompt::default();
    for value in text.split(' ').filter(|value| !value.is_empty()) {
        match value {
            "none" => prompt.none = true,
            "login" | "select_account" => prompt.login = true,
            "consent" => prompt.consent = true,
            _ => return Err(AuthorizationRefusal::InvalidRequest("`prompt` has an unknown value")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent) {
        return Err(AuthorizationRefusal::InvalidRequest("`prompt` has `none` beside another value"));
    }
    Ok(prompt)
}

/// RFC 8707 §2: only what is registered, and an application without any gets tokens for none.
fn resource(application: &Application, asked: Vec<String>) -> Result<Option<String>, AuthorizationRefusal> {
    match <[String; 1]>::try_from(asked) {
        Ok([one]) if application.resources.contains(&one) => Ok(Some(one)),
        Err(none) if none.is_empty() => Ok(None),
        _ => Err(AuthorizationRefusal::InvalidTarget),
    }
}
