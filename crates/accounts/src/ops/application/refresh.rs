//! The next tokens of an application (RFC 6749 §6): the same exchange as everywhere, for its own sessions only.

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::application::scope::{OPENID, Scopes};
use crate::fault::Fault;
use crate::ops::application::authenticate::AuthenticatedApplication;
use crate::ops::application::tokens::ApplicationTokens;
use crate::ops::sign_in::refresh::{RefreshError, Refreshed, Whose};
use crate::store::tables::application::sessions::OfApplication;
use crate::token::application::recipient::{Login, Recipient};

/// Why an application gets no next tokens.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationRefreshError {
    /// The refresh token is refused.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// It asks for more than the user has allowed.
    #[error("the refresh token was not recipient with these scopes")]
    Scope,
    /// It asks for tokens for another resource.
    #[error("the refresh token was not recipient for this resource")]
    Target,
}

impl From<Fault> for ApplicationRefreshError {
    fn from(fault: Fault) -> Self {
        Self::Refresh(RefreshError::Fault(fault))
    }
}

impl Accounts {
    /// Exchanges a refresh token of an application as [`refresh`](Self::refresh) does. Application, grant, session and user are
    /// read again. The access token may be for fewer scopes; the refresh token stays what it was.
    ///
    /// # Errors
    /// [`ApplicationRefreshError`]: `Scope` and `Target` cost nothing, and the token may be brought again.
    pub async fn refresh_for_application(
        &self,
        by: &AuthenticatedApplication,
        token: &str,
        scopes: Option<&Scopes>,
        resource: Option<&str>,
        client: &Client,
    ) -> Result<ApplicationTokens, ApplicationRefreshError> {
        if let Some(of) = self.0.clone().of_refresh_token(token, by.id()).await? {
            if scopes.is_some_and(|asked| !asked.is_within(&of.scopes)) {
                return Err(ApplicationRefreshError::Scope);
            }
            if resource.is_some() && resource != of.resource.as_deref() {
                return Err(ApplicationRefreshError::Target);
            }
        }
        let whose = Whose::Application(by.id().to_string());
        let (keys, Refreshed { account, session, of }, successor) =
            self.0.clone().exchange_refresh_token(token, whose, client).await?;
        let of = of.ok_or(RefreshError::Invalid)?;
        let recipient = Recipient {
            carried: by.application().claims.of(&account),
            account,
            session: session.id,
            auth_time: session.auth_time,
            amr: session.amr,
            login: of.scopes.has(OPENID).then_some(Login { nonce: None }),
            of: OfApplication { scopes: scopes.cloned().unwrap_or_else(|| of.scopes.clone()), ..of },
        };
        Ok(self.0.application_tokens(&keys, &recipient, Some(successor))?)
    }
}
