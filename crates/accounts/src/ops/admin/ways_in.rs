//! What administrators and operators see and undo of a user's ways in: for whoever has lost everything.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::access::factor::Factor;
use crate::domain::audit::AuditKind;
use crate::domain::reason::Reason;
use crate::domain::user::{Account, UserRef};
use crate::fault::Fault;
use crate::ops::account::factor_change::invalidate;
use crate::ops::account::ways_in::{WaysIn, ways_in};
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::{find, find_locked, must_be_replaceable};
use crate::ops::session_end;
use crate::ops::sign_in::enrolment;
use crate::store::Tx;
use crate::store::tables::limits::{Failures, set_failures};
use crate::store::tables::{authenticators, passkeys, recovery_codes, users};
use crate::token::subject;
use crate::trail::Entry;

impl Accounts {
    /// What a user signs in with.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`Fault`](AdminError::Fault).
    pub async fn ways_in_of(&self, actor: Actor<'_>, user: &UserRef) -> Result<WaysIn, AdminError> {
        actor.must_be_admin()?;
        let (core, user) = (self.0.clone(), user.clone());
        let read = move |tx: &mut Tx<'_>| -> Result<WaysIn, AdminError> {
            let account = find(tx, &user)?;
            ways_in(tx, &core, account.id)?.ok_or(AdminError::NotFound)
        };
        self.0.store.read(read).await
    }

    /// Removes every second factor of a user who has lost them, ends all sessions, tells the owner, and mails a link to enrol
    /// another one. The last administrator's are removed by an operator only.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`StepUp`](AdminError::StepUp), [`NotFound`](AdminError::NotFound),
    /// [`LastAdmin`](AdminError::LastAdmin), [`Fault`](AdminError::Fault).
    pub async fn reset_ways_in(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        reason: &Reason,
    ) -> Result<Account, AdminError> {
        let (core, user, now) = (self.0.clone(), user.clone(), self.0.now());
        actor.must_be_fresh_admin(&core, now).await?;
        let by_operator = matches!(actor, Actor::Operator);
        let entry = Entry::by(AuditKind::FactorsReset, actor).because(Some(reason));
        let reset = move |tx: &mut Tx<'_>| -> Result<Account, AdminError> {
            let account = find_locked(tx, &user)?;
            if !by_operator {
                must_be_replaceable(tx, &account)?;
            }
            remove_factors(tx, &core, &account)?;
            session_end::end_all(tx, &core, account.id, now)?;
            entry.about(&account).write_and_notify(tx, &core, now)?;
            // Read again: the link is good for the credentials of now.
            let after = users::by_id(tx, account.id)?.ok_or(AdminError::NotFound)?;
            if account.disabled_at.is_none() {
                enrolment::queue(tx, &core, &after, now)?;
            }
            Ok(account)
        };
        let account = self.0.store.write(reset).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }
}

fn remove_factors(tx: &mut Tx<'_>, core: &Core, account: &Account) -> Result<(), Fault> {
    passkeys::remove_all(tx, account.id)?;
    authenticators::remove(tx, account.id)?;
    recovery_codes::remove(tx, account.id)?;
    for &factor in Factor::ALL {
        set_failures(tx, &subject::factor(&core.root, account.id, factor), Failures::default())?;
    }
    invalidate(tx, account.id)
}
