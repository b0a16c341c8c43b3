//! What an application gets: an access token, and where they were asked for an ID token and a refresh token.

use std::time::Duration;

use crate::core::Core;
use crate::domain::application::scope::Scopes;
use crate::domain::secret::Secret;
use crate::fault::Fault;
use crate::token::application::access_token::{self, AccessClaims};
use crate::token::application::id_token::{self, IdClaims};
use crate::token::application::recipient::Recipient;
use crate::token::keys::KeySet;

/// The tokens of an application (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Clone, Debug)]
pub struct ApplicationTokens {
    /// A JWT (RFC 9068) for `Authorization: Bearer`.
    pub access_token: Secret,
    /// How long it works.
    pub expires_in: Duration,
    /// Works once; only with the scope `offline_access`.
    pub refresh_token: Option<Secret>,
    /// Who signed in; only with the scope `openid`.
    pub id_token: Option<Secret>,
    /// What the access token is for.
    pub scopes: Scopes,
}

impl Core {
    /// Signs the tokens.
    pub(crate) fn application_tokens(
        &self,
        keys: &KeySet,
        recipient: &Recipient,
        refresh_token: Option<Secret>,
    ) -> Result<ApplicationTokens, Fault> {
        let (now, carried) = (self.now(), &recipient.carried);
        let no_key =
            || Fault::Unavailable("no signing key opens with the secret key of this instance".into());
        let claims = AccessClaims::of_user(&self.issuer, &self.settings.env, recipient, now);
        let access_token = access_token::sign(keys, &claims, carried, now).ok_or_else(no_key)?;
        let id_token = match &recipient.login {
            Some(login) => {
                let claims = IdClaims::of(&self.issuer, keys, recipient, login, &access_token, now);
                let claims = claims.ok_or_else(no_key)?;
                Some(id_token::sign(keys, &claims, carried, now).ok_or_else(no_key)?)
            }
            None => None,
        };
        Ok(ApplicationTokens {
            access_token,
            expires_in: self.policy().tokens.access_lifetime,
            refresh_token,
            id_token,
            scopes: recipient.of.scopes.clone(),
        })
    }
}
