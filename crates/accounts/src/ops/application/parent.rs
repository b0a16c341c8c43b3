//! The browser's session that an application's came from.

use crate::core::Core;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::sign_in::admit::{GoesOn, may_continue};
use crate::store::Tx;
use crate::store::tables::{sessions, users};

/// Whether the session of this user lives and may do everything.
pub(crate) fn is_alive(
    tx: &mut Tx<'_>,
    core: &Core,
    user: UserId,
    session: SessionId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let Some(state) = sessions::alive(tx, user, session, now)? else { return Ok(false) };
    let Some(found) = users::by_id(tx, user)? else { return Ok(false) };
    let policy = &core.policy().second_factor;
    Ok(may_continue(policy, &state, &found.account, found.factor_due_at, now) == Some(GoesOn::Fully))
}
