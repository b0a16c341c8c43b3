//! The authenticator app of a user: added with its first code, removed, and kept readable when the secret key changes.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::amr::Method;
use crate::domain::access::client::Client;
use crate::domain::access::recovery_code::RecoveryCode;
use crate::domain::access::session::SignedIn;
use crate::domain::access::totp_code::TotpCode;
use crate::domain::audit::AuditKind;
use crate::domain::secret::Secret;
use crate::fault::Fault;
use crate::ops::account::factor_change::{FactorChange, FactorError, may_remove};
use crate::ops::account::recovery_codes::make;
use crate::ops::sign_in::factor::spend;
use crate::store::Tx;
use crate::store::tables::authenticators::{self, StoredAuthenticator};
use crate::store::tables::recovery_codes;
use crate::store::tables::users::standing::Standing;
use crate::token::totp::TotpSecret;

/// The secret of a new authenticator app, which counts once a code of it was given.
#[derive(Clone, Debug)]
pub struct NewAuthenticator {
    /// For people who type it: base 32 (RFC 4648 §6).
    pub secret: Secret,
    /// For the QR code: `otpauth://totp/…`.
    pub uri: Secret,
}

impl Accounts {
    /// Begins to add an authenticator app. A second call replaces what was not confirmed.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`Exists`](FactorError::Exists), [`Fault`](FactorError::Fault).
    pub async fn begin_authenticator(
        &self,
        who: &SignedIn,
        client: &Client,
    ) -> Result<NewAuthenticator, FactorError> {
        let core = self.0.clone();
        let secret = TotpSecret::new(core.settings.env.random());
        let issuer = &core.policy().passwords.service_name;
        let new =
            NewAuthenticator { secret: secret.text(), uri: secret.uri(issuer, who.account.email.as_str()) };
        let change = FactorChange::new(&core, who, AuditKind::AuthenticatorAdded, client);
        let sealed = secret.seal(&core.root, who.account.id).ok_or_else(unsealed)?;
        let put = move |tx: &mut Tx<'_>| -> Result<(), FactorError> {
            change.begin(tx, &core)?;
            let stored = StoredAuthenticator {
                user: change.user(),
                secret: sealed.clone(),
                created_at: change.now(),
                confirmed_at: None,
            };
            let is_put = authenticators::put(tx, &stored, core.root.wrap.seal)?;
            is_put.then_some(()).ok_or(FactorError::Exists)
        };
        self.0.store.write(put).await?;
        Ok(new)
    }

    /// Adds the authenticator app with its first code, which is spent by it. Gives ten recovery codes, which are shown once.
    /// Ends the other sessions.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`CodeInvalid`](FactorError::CodeInvalid), [`NotFound`](FactorError::NotFound),
    /// [`Fault`](FactorError::Fault).
    pub async fn confirm_authenticator(
        &self,
        who: &SignedIn,
        first: &TotpCode,
        client: &Client,
    ) -> Result<Vec<RecoveryCode>, FactorError> {
        let (core, first) = (self.0.clone(), first.clone());
        let change = FactorChange::new(&core, who, AuditKind::AuthenticatorAdded, client);
        let confirm = move |tx: &mut Tx<'_>| -> Result<Vec<RecoveryCode>, FactorError> {
            change.begin(tx, &core)?;
            let waiting = authenticators::of_user(tx, change.user())?.filter(|it| it.confirmed_at.is_none());
            let waiting = waiting.ok_or(FactorError::NotFound)?;
            if !spend(tx, &core, &waiting, &first, change.now())? {
                return Err(FactorError::CodeInvalid);
            }
            if !authenticators::confirm(tx, change.user(), change.now())? {
                return Err(FactorError::NotFound);
            }
            let codes = make(tx, &core, change.user())?;
            change.note(tx, &core, AuditKind::RecoveryCodesMade, "with the authenticator app")?;
            change.proves(tx, Method::OneTimeCode)?;
            change.finish(tx, &core, None)?;
            Ok(codes)
        };
        let codes = self.0.store.write(confirm).await?;
        self.0.mail_queued.notify_one();
        Ok(codes)
    }

    /// Removes the authenticator app. Without any other second factor the recovery codes go, too. Ends the other sessions.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`NotFound`](FactorError::NotFound), [`LastWayIn`](FactorError::LastWayIn) where the policy
    /// demands a second factor, [`Fault`](FactorError::Fault).
    pub async fn remove_authenticator(&self, who: &SignedIn, client: &Client) -> Result<(), FactorError> {
        let core = self.0.clone();
        let change = FactorChange::new(&core, who, AuditKind::AuthenticatorRemoved, client);
        let remove = move |tx: &mut Tx<'_>| -> Result<(), FactorError> {
            let standing = change.begin(tx, &core)?;
            if !authenticators::remove(tx, change.user())? {
                return Err(FactorError::NotFound);
            }
            let after = Standing { has_authenticator: false, ..standing };
            may_remove(&core, &after)?;
            if !after.has_factor() {
                recovery_codes::remove(tx, change.user())?;
            }
            change.finish(tx, &core, None)
        };
        self.0.store.write(remove).await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }
}

impl Core {
    /// Encrypts some of the secrets that were encrypted under the secret key before; how many.
    pub(crate) async fn reseal_authenticators(self: Arc<Self>, most: i64) -> Result<u64, Fault> {
        let core = self.clone();
        let reseal = move |tx: &mut Tx<'_>| -> Result<u64, Fault> {
            let seal = core.root.wrap.seal;
            let mut rows = 0;
            for old in authenticators::sealed_otherwise(tx, seal, most)? {
                // One that does not open stays as it is: its secret key may come back.
                let Some(secret) = TotpSecret::unseal(&core.root, old.user, &old.secret) else { continue };
                let sealed = secret.seal(&core.root, old.user).ok_or_else(unsealed)?;
                rows += authenticators::reseal(tx, &old, &sealed, seal)?;
            }
            Ok(rows)
        };
        self.store.write(reseal).await
    }
}

fn unsealed() -> Fault {
    Fault::Unavailable("a secret could not be encrypted".into())
}
