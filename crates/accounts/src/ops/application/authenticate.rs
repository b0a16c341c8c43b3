//! Which application asks (RFC 6749 §2.3).

use subtle::{Choice, ConstantTimeEq as _};

use crate::accounts::Accounts;
use crate::domain::application::id::ApplicationId;
use crate::domain::application::registered::{Application, ApplicationKind};
use crate::domain::secret::Secret;
use crate::fault::Fault;
use crate::ops::application::find::{application, hash_of_secret, secrets};

/// An application that has shown that it is itself, as far as its kind can.
#[derive(Clone, Debug)]
pub struct AuthenticatedApplication(pub(super) Application);

impl AuthenticatedApplication {
    /// The application.
    pub fn application(&self) -> &Application {
        &self.0
    }

    pub(crate) fn id(&self) -> &ApplicationId {
        &self.0.id
    }
}

/// Why an application is not served.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// Unknown, or its secret is wrong, missing, or one that it does not have.
    #[error("the client is unknown, or its secret is wrong")]
    Refused,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Authenticates an application by its secret, or by its name alone if it is public and gives none.
    ///
    /// # Errors
    /// [`ApplicationError::Refused`], [`Fault`](ApplicationError::Fault).
    pub async fn authenticate_application(
        &self,
        id: &str,
        secret: Option<&Secret>,
    ) -> Result<AuthenticatedApplication, ApplicationError> {
        let id: ApplicationId = id.parse().map_err(|_| ApplicationError::Refused)?;
        let core = self.0.clone();
        let read = move |tx: &mut crate::store::Tx<'_>| -> Result<_, Fault> {
            let Some(found) = application(tx, &core, id.as_str())? else { return Ok(None) };
            Ok(Some((secrets(tx, &core, id.as_str())?, found)))
        };
        let (known, found) = self.0.store.read(read).await?.ok_or(ApplicationError::Refused)?;
        let is_itself = match (found.kind, secret) {
            (ApplicationKind::Public, secret) => secret.is_none(),
            (ApplicationKind::Confidential, None) => false,
            (ApplicationKind::Confidential, Some(secret)) => {
                let given = hash_of_secret(secret.expose());
                let matches = |matched: Choice, one: &[u8; 32]| matched | one.ct_eq(&given);
                bool::from(known.iter().fold(Choice::from(0), matches))
            }
        };
        if is_itself { Ok(AuthenticatedApplication(found)) } else { Err(ApplicationError::Refused) }
    }
}
