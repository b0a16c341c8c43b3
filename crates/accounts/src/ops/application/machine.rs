//! Tokens for an application itself (RFC 6749 §4.4).

use serde_json::Map;

use crate::accounts::Accounts;
use crate::domain::application::registered::ApplicationKind;
use crate::domain::application::scope::Scopes;
use crate::fault::Fault;
use crate::ops::application::authenticate::AuthenticatedApplication;
use crate::ops::application::tokens::ApplicationTokens;
use crate::token::application::access_token::{self, AccessClaims};

/// Why an application gets no token for itself.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// It is public, or registered for nothing of its own.
    #[error("the client may not get tokens for itself")]
    Unauthorized,
    /// It may not have one of these scopes.
    #[error("the client may not have these scopes")]
    Scope,
    /// It may not have tokens for this resource.
    #[error("the client may not get tokens for this resource")]
    Target,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// A token with which an application speaks for itself: with all scopes of its registration, or those it asks for. There
    /// is no refresh token, and nothing is stored; the registration is read whenever the token is used here.
    ///
    /// # Errors
    /// [`MachineError`]
    pub async fn machine_token(
        &self,
        by: &AuthenticatedApplication,
        scopes: Option<&Scopes>,
        resource: Option<String>,
    ) -> Result<ApplicationTokens, MachineError> {
        let application = by.application();
        if application.kind == ApplicationKind::Public || application.machine_scopes.is_empty() {
            return Err(MachineError::Unauthorized);
        }
        let scopes = scopes.unwrap_or(&application.machine_scopes);
        if scopes.is_empty() || !scopes.is_within(&application.machine_scopes) {
            return Err(MachineError::Scope);
        }
        if resource.as_ref().is_some_and(|resource| !application.resources.contains(resource)) {
            return Err(MachineError::Target);
        }
        let core = &self.0;
        let keys = core.read_keys().await?;
        let now = core.now();
        let env = &core.settings.env;
        let claims = AccessClaims::of_machine(&core.issuer, env, application, scopes, resource, now);
        let access_token = access_token::sign(&keys, &claims, &Map::new(), now).ok_or_else(|| {
            Fault::Unavailable("no signing key opens with the secret key of this instance".into())
        })?;
        Ok(ApplicationTokens {
            access_token,
            expires_in: core.policy().tokens.access_lifetime,
            refresh_token: None,
            id_token: None,
            scopes: scopes.clone(),
        })
    }
}
