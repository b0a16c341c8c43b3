//! Who may keep data about users: administrators, and applications for themselves.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use vestibule::{Accounts, Actor, AppDataAccessError, Application, AuthenticateError, Client, SignedIn};

use super::bearer::AccessToken;
use crate::problem::Problem;

/// A signed-in administrator, or an application whose token is for this alone. 403 `forbidden` for other users,
/// `insufficient_scope` for other tokens of applications, whatever they sent. The operation checks again.
pub(crate) enum AppDataKeeper {
    Administrator(SignedIn),
    Application(Application),
}

impl AppDataKeeper {
    pub(crate) fn actor<'a>(&'a self, client: &'a Client) -> Actor<'a> {
        match self {
            Self::Administrator(who) => Actor::User(who, client),
            Self::Application(application) => Actor::Application(application, client),
        }
    }
}

impl<S> FromRequestParts<S> for AppDataKeeper
where
    S: Send + Sync,
    Accounts: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AccessToken(token) = AccessToken::from_request_parts(parts, state).await?;
        let accounts = Accounts::from_ref(state);
        match accounts.authenticate(&token).await {
            Ok(who) if who.is_admin() => Ok(Self::Administrator(who)),
            Ok(_) => Err(Problem::lacking_role("admin")),
            Err(AuthenticateError::Invalid) => of_application(&accounts, &token).await,
            Err(error) => Err(error.into()),
        }
    }
}

async fn of_application(accounts: &Accounts, token: &str) -> Result<AppDataKeeper, Problem> {
    match accounts.authenticate_app_data(token).await {
        Ok(application) => Ok(AppDataKeeper::Application(application)),
        Err(AppDataAccessError::InsufficientScope) => Err(Problem::insufficient_scope("users:app-data")),
        Err(AppDataAccessError::Invalid) => Err(AuthenticateError::Invalid.into()),
        Err(AppDataAccessError::Fault(fault)) => Err(fault.into()),
    }
}
