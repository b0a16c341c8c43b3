//! Recovery codes of a user: ten at a time, shown once.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::recovery_code::RecoveryCode;
use crate::domain::access::session::SignedIn;
use crate::domain::audit::AuditKind;
use crate::domain::ids::UserId;
use crate::fault::Fault;
use crate::ops::account::factor_change::{FactorChange, FactorError};
use crate::store::Tx;
use crate::store::tables::recovery_codes;
use crate::token::recovery;

/// Codes at a time.
const CODES: usize = 10;

impl Accounts {
    /// Gives ten new recovery codes, which are shown once; those of before stop working. Ends the other sessions.
    ///
    /// # Errors
    /// [`FactorError::StepUp`], [`NotFound`](FactorError::NotFound) where there is no second factor that they could stand in
    /// for, [`Fault`](FactorError::Fault).
    pub async fn make_recovery_codes(
        &self,
        who: &SignedIn,
        client: &Client,
    ) -> Result<Vec<RecoveryCode>, FactorError> {
        let core = self.0.clone();
        let change = FactorChange::new(&core, who, AuditKind::RecoveryCodesMade, client);
        let renew = move |tx: &mut Tx<'_>| -> Result<Vec<RecoveryCode>, FactorError> {
            let standing = change.begin(tx, &core)?;
            if !standing.has_factor() {
                return Err(FactorError::NotFound);
            }
            let codes = make(tx, &core, change.user())?;
            change.finish(tx, &core, None)?;
            Ok(codes)
        };
        let codes = self.0.store.write(renew).await?;
        self.0.mail_queued.notify_one();
        Ok(codes)
    }
}

/// New codes in place of those of before.
pub(crate) fn make(tx: &mut Tx<'_>, core: &Core, user: UserId) -> Result<Vec<RecoveryCode>, Fault> {
    let env = &core.settings.env;
    let codes: Vec<RecoveryCode> = (0..CODES).map(|_| RecoveryCode::from_random(env.random())).collect();
    let hashes: Vec<_> = codes.iter().map(|code| recovery::hash(&core.root, user, code)).collect();
    recovery_codes::replace(tx, user, &hashes, core.now())?;
    Ok(codes)
}
