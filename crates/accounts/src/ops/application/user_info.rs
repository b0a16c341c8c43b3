//! What an application may know of a user (OpenID Connect Core §5.3, §5.4).

use serde_json::{Map, Value};

use crate::accounts::Accounts;
use crate::domain::application::scope::{EMAIL, OPENID, PROFILE};
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::access::{ApplicationAccess, ApplicationUser};
use crate::ops::sign_in::authenticate::AuthenticateError;
use crate::token::application::access_token::user_info_uri;

/// What the scopes of a token say of its user; with their names in OpenID Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// `sub`
    pub sub: UserId,
    /// `email`, which is always confirmed: with `email`.
    pub email: Option<String>,
    /// `name`, where there is one: with `profile`.
    pub name: Option<String>,
    /// `preferred_username`, where there is one: with `profile`.
    pub preferred_username: Option<String>,
    /// `locale`, where it is known: with `profile`.
    pub locale: Option<String>,
    /// When the account was created: with `profile`.
    pub created_at: Option<Timestamp>,
    /// More claims, of the application's registration.
    pub claims: Map<String, Value>,
}

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The token is no application's, or it does not work any more.
    #[error("the token is not valid")]
    Invalid,
    /// The token was not issued with `openid`, or not for this.
    #[error("the token is not for the user info: ask for the scope `openid`")]
    InsufficientScope,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// What the holder of an application's access token may know of its user.
    ///
    /// # Errors
    /// [`UserInfoError`]
    pub async fn user_info(&self, token: &str) -> Result<UserInfo, UserInfoError> {
        let access = self.authenticate_access(token).await.map_err(|error| match error {
            AuthenticateError::Invalid => UserInfoError::Invalid,
            AuthenticateError::Fault(fault) => UserInfoError::Fault(fault),
        })?;
        let ApplicationAccess { application, user, scopes, audience, .. } = access;
        let is_for_this = scopes.has(OPENID) && audience.contains(&user_info_uri(&self.0.issuer));
        let Some(ApplicationUser { account, .. }) = user.filter(|_| is_for_this) else {
            return Err(UserInfoError::InsufficientScope);
        };
        let (profile, email) = (scopes.has(PROFILE), scopes.has(EMAIL));
        Ok(UserInfo {
            claims: application.claims.of(&account),
            sub: account.id,
            email: email.then(|| account.email.as_str().to_owned()),
            name: account.display_name.filter(|_| profile).map(|name| name.as_str().to_owned()),
            preferred_username: account.user_name.filter(|_| profile).map(|name| name.as_str().to_owned()),
            locale: account.locale.filter(|_| profile),
            created_at: profile.then_some(account.created_at),
        })
    }
}
