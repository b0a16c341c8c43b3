//! From when on a second factor is due, where a policy demands one, and telling its owner so beforehand.

use std::sync::{Arc, PoisonError};

use crate::core::Core;
use crate::domain::ids::{MailId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::time::{DAY, Timestamp};
use crate::fault::Fault;
use crate::mail::MailContent;
use crate::ops::draft::Draft;
use crate::policy::factors::RequireFactor;
use crate::store::Tx;
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::users::standing::{self, OutOfStep};
use crate::store::tables::users::{self, list};

/// Users told per step of the sweeper. While so many messages wait, nobody is told: confirmations and links go first.
const BATCH: i64 = 50;

/// The time until a second factor is due begins with the first contact under a policy that demands one, which is also when
/// the user is told; and it is forgotten with the policy.
pub(crate) fn follow_policy(
    tx: &mut Tx<'_>,
    core: &Core,
    user: UserId,
    roles: &[String],
    due: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Fault> {
    match (core.policy().second_factor.requires(roles), due) {
        (true, None) => begin(tx, core, user, now),
        (false, Some(_)) => users::forget_factor_due(tx, user),
        (true, Some(_)) | (false, None) => Ok(()),
    }
}

/// Of several that do this at once, in whatever instance, one sets the time and tells the user.
fn begin(tx: &mut Tx<'_>, core: &Core, user: UserId, now: Timestamp) -> Result<(), Fault> {
    if !users::set_factor_due(tx, user, now + core.policy().second_factor.grace)? {
        return Ok(());
    }
    let standing = standing::of(tx, user, core.relying_party.is_some())?;
    if standing.is_none_or(|standing| standing.has_factor()) {
        return Ok(());
    }
    let mail = MailId::from_bytes(core.settings.env.new_id(now));
    outbox::push_to(tx, mail, MailKind::SecondFactorDue, user.as_bytes(), user, now)
}

impl Core {
    /// Brings a few users in step with the policy who have not signed in since it was changed. Each step looks at a bounded part
    /// of the users, the next one at those after them. Returns how many it found.
    pub(crate) async fn bring_in_step(self: Arc<Self>) -> Result<u64, Fault> {
        let after = *self.in_step_until.lock().unwrap_or_else(PoisonError::into_inner);
        let core = self.clone();
        let (found, next) = self.store.survey(move |tx| core.out_of_step(tx, after)).await?;
        for &user in &found {
            let core = self.clone();
            // A transaction for each, so that none holds the rows of several users.
            let follow = move |tx: &mut Tx<'_>| -> Result<(), Fault> {
                let Some(user) = users::by_id(tx, user)? else { return Ok(()) };
                let (account, due) = (user.account, user.factor_due_at);
                follow_policy(tx, &core, account.id, &account.roles, due, core.now())
            };
            self.store.write(follow).await?;
        }
        *self.in_step_until.lock().unwrap_or_else(PoisonError::into_inner) = next;
        if !found.is_empty() {
            self.mail_queued.notify_one();
        }
        Ok(u64::try_from(found.len()).unwrap_or(u64::MAX))
    }

    /// Some users whose due time is not as the policy wants it, and after which user to look for more.
    fn out_of_step(
        &self,
        tx: &mut Tx<'_>,
        after: Option<UserId>,
    ) -> Result<(Vec<UserId>, Option<UserId>), Fault> {
        let demanded = self.policy().second_factor.require;
        if demanded != RequireFactor::Off && outbox::count_waiting(tx, BATCH)?.0 >= BATCH {
            return Ok((Vec::new(), after));
        }
        let which = OutOfStep {
            demanded,
            with_passkeys: self.relying_party.is_some(),
            // One that has not passed, or only just, may be the work of an instance that has newer settings.
            due_before: self.now() - DAY,
            limit: BATCH,
        };
        let after = after.unwrap_or(UserId::from_bytes([0; 16]));
        let end = list::end_of_stretch(tx, after)?;
        let found = standing::out_of_step(tx, after, end, &which)?;
        let has_more = i64::try_from(found.len()).is_ok_and(|found| found >= BATCH);
        let next = if has_more { found.last().copied() } else { end };
        Ok((found, next))
    }
}

/// The message that says from when on a second factor is asked for.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased) -> Result<Draft, Fault> {
    let user = UserId::from_bytes(leased.about);
    let Some(standing) = standing::of(tx, user, core.relying_party.is_some())? else {
        return Ok(Draft::Drop);
    };
    match standing.factor_due_at {
        Some(due_at) if !standing.disabled && !standing.has_factor() => {
            let account = core.page("account#security");
            Draft::notice(tx, leased, MailContent::SecondFactorDue { due_at, account })
        }
        // It is not due any more, or there is one.
        Some(_) | None => Ok(Draft::Drop),
    }
}
