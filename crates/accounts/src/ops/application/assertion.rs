//! An application authenticates with an assertion that it has signed (RFC 7523 §2.2, OpenID Connect Core §9).

use crate::accounts::Accounts;
use crate::fault::Fault;
use crate::ops::application::authenticate::AuthenticatedApplication;
use crate::ops::application::find::{application, hash_of_secret};
use crate::store::tables::application::assertions;
use crate::token::application::assertion::{Assertion, AssertionInvalid};

/// Why an assertion proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum AssertionError {
    /// It is not what an assertion must be.
    #[error(transparent)]
    Invalid(#[from] AssertionInvalid),
    /// There is no such application, or none of its keys has signed it.
    #[error("the client is unknown, or the assertion is not signed with a key of its registration")]
    Refused,
    /// One with this `jti` was used before.
    #[error("an assertion of this client with this `jti` was used before")]
    Used,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Authenticates an application by an assertion (`private_key_jwt`), which works once; `id` is the `client_id` that came
    /// with it, if one did.
    ///
    /// # Errors
    /// [`AssertionError`]
    pub async fn authenticate_application_by_assertion(
        &self,
        id: Option<&str>,
        assertion: &str,
    ) -> Result<AuthenticatedApplication, AssertionError> {
        let issuer = self.public_url();
        let audiences = [issuer.to_owned(), format!("{issuer}{TOKEN_ENDPOINT}")];
        let assertion = Assertion::read(assertion, id, &audiences, self.0.now())?;
        let (core, named) = (self.0.clone(), assertion.application.clone());
        let found = self.0.store.read(move |tx| application(tx, &core, named.as_str())).await?;
        let found = found.ok_or(AssertionError::Refused)?;
        if !assertion.is_signed_with(&found.keys) {
            return Err(AssertionError::Refused);
        }
        let (hash, expires_at) = (hash_of_secret(&assertion.jti), assertion.expires_at);
        let id = assertion.application;
        let write = move |tx: &mut crate::store::Tx<'_>| assertions::note(tx, id.as_str(), &hash, expires_at);
        let is_first: bool = self.0.store.write(write).await?;
        if is_first { Ok(AuthenticatedApplication(found)) } else { Err(AssertionError::Used) }
    }
}

/// Where applications get tokens, below the public URL.
const TOKEN_ENDPOINT: &str = "/v1/token";
