//! The only place where sessions end. An application that somebody is signed out of with it is told (OpenID Connect
//! Back-Channel Logout): in the transaction that ends the session, so that none is forgotten.
//!
//! A session that expires ends by itself, and nobody is told; nor is an application that is removed, or that gives its own
//! token back.

use std::collections::HashMap;

use crate::core::Core;
use crate::domain::ids::{EventId, SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::find::application;
use crate::store::Tx;
use crate::store::tables::sessions::ends;
pub(crate) use crate::store::tables::sessions::ends::{Ended, Which};
use crate::store::tables::{users, webhooks};

/// Ends a session, and the sessions of applications that cannot go on without it. `None`: there is none, or it has ended.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    core: &Core,
    which: Which<'_>,
    now: Timestamp,
) -> Result<Option<Ended>, Fault> {
    let Some(ended) = ends::one(tx, which, now)? else { return Ok(None) };
    let mut told = match ended.application {
        Some(_) => Vec::new(),
        None => ends::children(tx, ended.id, now)?,
    };
    told.push(ended);
    tell(tx, core, &told, now)?;
    Ok(told.pop())
}

/// Ends a session, whose user is returned if it was alive.
pub(crate) fn end_alive(
    tx: &mut Tx<'_>,
    core: &Core,
    which: Which<'_>,
    now: Timestamp,
) -> Result<Option<UserId>, Fault> {
    let ended = end(tx, core, which, now)?;
    Ok(ended.filter(|ended| ended.was_alive(now)).map(|ended| ended.user_id))
}

/// Ends the session of an application that gives its own token back, and so knows; its user, if it was alive.
pub(crate) fn end_given_back(
    tx: &mut Tx<'_>,
    which: Which<'_>,
    now: Timestamp,
) -> Result<Option<UserId>, Fault> {
    let ended = ends::one(tx, which, now)?;
    Ok(ended.filter(|ended| ended.was_alive(now)).map(|ended| ended.user_id))
}

/// Ends every session of a user.
pub(crate) fn end_all(tx: &mut Tx<'_>, core: &Core, user: UserId, now: Timestamp) -> Result<(), Fault> {
    let ended = ends::all(tx, user, now)?;
    tell(tx, core, &ended, now)
}

/// Ends every session of everybody; how many were alive.
pub(crate) fn end_everything(tx: &mut Tx<'_>, core: &Core, now: Timestamp) -> Result<u64, Fault> {
    let at_applications = ends::everywhere(tx, now)?;
    tell(tx, core, &at_applications, now)?;
    let alive = at_applications.iter().filter(|session| session.was_alive(now)).count();
    Ok(alive as u64 + ends::own(tx, now)?)
}

/// Ends the sessions of a user but this one; how many there were.
pub(crate) fn end_others(
    tx: &mut Tx<'_>,
    core: &Core,
    user: UserId,
    but: SessionId,
    now: Timestamp,
) -> Result<usize, Fault> {
    let ended = ends::others(tx, user, but, now)?;
    tell(tx, core, &ended, now)?;
    Ok(ended.len())
}

/// Ends the sessions of a user at an application.
pub(crate) fn end_at_application(
    tx: &mut Tx<'_>,
    core: &Core,
    user: UserId,
    application: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let ended = ends::at_application(tx, user, application, now)?;
    tell(tx, core, &ended, now)
}

/// Ends every session at an application that is removed: nobody is left to be told.
pub(crate) fn end_removed(tx: &mut Tx<'_>, application: &str, now: Timestamp) -> Result<(), Fault> {
    ends::all_at_application(tx, application, now)
}

/// Deletes a user, whose sessions end with it. `false`: another request deleted it first.
pub(crate) fn delete_user(tx: &mut Tx<'_>, core: &Core, user: UserId, now: Timestamp) -> Result<bool, Fault> {
    end_all(tx, core, user, now)?;
    users::delete(tx, user)
}

/// Queues what the applications of these sessions are to be told. The rows carry all of it: user and session may be gone.
fn tell(tx: &mut Tx<'_>, core: &Core, ended: &[Ended], now: Timestamp) -> Result<(), Fault> {
    let mut listens: HashMap<&str, bool> = HashMap::new();
    for session in ended.iter().filter(|session| session.was_alive(now)) {
        let Some(id) = session.application.as_deref() else { continue };
        let told = match listens.get(id) {
            Some(listens) => *listens,
            None => application(tx, core, id)?.is_some_and(|found| found.logout_uri.is_some()),
        };
        listens.insert(id, told);
        if told {
            let event = EventId::from_bytes(core.settings.env.new_id(now));
            webhooks::push_logout(tx, event, id, session.user_id, session.id, now)?;
        }
    }
    Ok(())
}
