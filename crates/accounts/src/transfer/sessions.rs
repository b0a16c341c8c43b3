//! The end of all sessions at once: after a leak.

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::reason::Reason;
use crate::fault::Fault;
use crate::ops::session_end::end_everything;
use crate::trail::Entry;

impl Accounts {
    /// Ends every session of everybody, also those of applications, which are told: after a leak. How many there were.
    /// Access tokens are refused at once; services that verify them offline accept them until they expire.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn end_all_sessions(&self, reason: &Reason) -> Result<u64, Fault> {
        let (core, now) = (self.0.clone(), self.0.now());
        let entry = Entry::by(AuditKind::SignedOut, Actor::Operator);
        let entry = entry.detail("every session of everybody").because(Some(reason));
        self.0
            .store
            .write(move |tx| {
                let ended = end_everything(tx, &core, now)?;
                entry.write(tx, &core, now)?;
                Ok(ended)
            })
            .await
    }
}
