//! What an account signs in with: as its owner sees it, and without a password.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::passkey::Passkey;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::AuditKind;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::account::factor_change::{FactorChange, FactorError, may_remove};
use crate::store::Tx;
use crate::store::tables::users::standing::{self, Standing};
use crate::store::tables::{authenticators, passkeys, users};

/// What an account signs in with.
#[derive(Clone, Debug, Default)]
pub struct WaysIn {
    /// Whether it has a password.
    pub password: bool,
    /// Its passkeys, oldest first.
    pub passkeys: Vec<Passkey>,
    /// When its authenticator app was confirmed.
    pub authenticator_confirmed_at: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes_left: u32,
    /// From when on it needs a second factor, where the policy demands one and it has none.
    pub second_factor_required_by: Option<Timestamp>,
}

impl WaysIn {
    /// Whether there is a second factor.
    pub fn has_factor(&self) -> bool {
        !self.passkeys.is_empty() || self.authenticator_confirmed_at.is_some()
    }
}

impl Accounts {
    /// What the user's account signs in with. `None`: the account is gone.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn ways_in(&self, who: &SignedIn) -> Result<Option<WaysIn>, Fault> {
        let (core, user) = (self.0.clone(), who.account.id);
        self.0.store.read(move |tx| ways_in(tx, &core, user)).await
    }

    /// Removes the password of a user who has a passkey. It can be set again with a mailed link and a second factor. Ends the
    /// other sessions.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`LastWayIn`](FactorError::LastWayIn), [`NotFound`](FactorError::NotFound),
    /// [`Fault`](FactorError::Fault).
    pub async fn remove_password(&self, who: &SignedIn, client: &Client) -> Result<(), FactorError> {
        let core = self.0.clone();
        let change = FactorChange::new(&core, who, AuditKind::PasswordRemoved, client);
        let remove = move |tx: &mut Tx<'_>| -> Result<(), FactorError> {
            let standing = change.begin(tx, &core)?;
            may_remove(&core, &Standing { has_password: false, ..standing })?;
            if !users::remove_password(tx, change.user())? {
                return Err(FactorError::NotFound);
            }
            change.finish(tx, &core, None)
        };
        self.0.store.write(remove).await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }
}

/// What a user signs in with.
pub(crate) fn ways_in(tx: &mut Tx<'_>, core: &Core, user: UserId) -> Result<Option<WaysIn>, Fault> {
    let Some(standing) = standing::of(tx, user, core.relying_party.is_some())? else { return Ok(None) };
    let is_demanded = core.policy().second_factor.requires(&standing.roles) && !standing.has_factor();
    Ok(Some(WaysIn {
        password: standing.has_password,
        passkeys: passkeys::of_user(tx, user)?,
        authenticator_confirmed_at: authenticators::of_user(tx, user)?.and_then(|found| found.confirmed_at),
        recovery_codes_left: u32::try_from(standing.recovery_codes).unwrap_or(0),
        second_factor_required_by: standing.factor_due_at.filter(|_| is_demanded),
    }))
}
