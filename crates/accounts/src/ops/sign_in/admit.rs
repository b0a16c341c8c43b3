//! The only place where a session begins, and where it is decided whether one may continue.
//!
//! Callers need [`Proofs`], which only the verifiers can make. The user is read again in the transaction that opens the
//! session, so changes since the proof take effect.

use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::way::Way;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::ops::registration::confirmed::Confirmed;
use crate::ops::sign_in::attempt::RightPassword;
use crate::store::Tx;
use crate::store::tables::sessions::{self, NewSession, SessionState, TokenHash};
use crate::store::tables::users::{self, Credentials};
use crate::trail::Entry;

/// What was proven about a user, and the user's state at that time.
pub(crate) struct Proofs<'a> {
    way: Way,
    user: UserId,
    credential_version: i64,
    password: Option<&'a RightPassword>,
}

impl<'a> Proofs<'a> {
    /// The password was right for these credentials.
    pub(crate) fn password(right: &'a RightPassword, of: &Credentials) -> Self {
        Self {
            way: Way::Password,
            user: of.account.id,
            credential_version: of.credential_version,
            password: Some(right),
        }
    }

    /// The account has just been activated in the browser that gave its password.
    pub(crate) fn confirmation(confirmed: &Confirmed) -> Self {
        Self {
            way: Way::Confirmation,
            user: confirmed.user(),
            // The version of a new user: it grows with whatever ends sessions.
            credential_version: 0,
            password: None,
        }
    }
}

/// How a session is recognised later.
#[derive(Clone, Copy)]
pub(crate) enum SessionKey {
    /// Its first refresh token.
    Refresh(TokenHash),
    /// The hash of a browser's cookie, and that of the previous one, whose session ends (R4).
    Browser { hash: TokenHash, replaces: Option<TokenHash> },
}

/// The outcome of admitting a user.
pub(crate) enum Admission {
    Session(Box<Opened>),
    Refused(Refusal),
}

/// Why no session begins, although the proofs are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Disabled,
    /// The password or the address has changed since the proof, or the user is gone.
    Changed,
}

/// A session that has just begun.
pub(crate) struct Opened {
    pub(crate) user: Credentials,
    pub(crate) session: SessionId,
    pub(crate) began_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Opens a session for the user of these proofs, if they may sign in now.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    core: &Core,
    proofs: &Proofs<'_>,
    key: SessionKey,
    client: &Client,
) -> Result<Admission, Fault> {
    let now = core.now();
    let Some(user) = users::record_sign_in(tx, proofs.user, proofs.credential_version, now)? else {
        return refuse(tx, proofs).map(Admission::Refused);
    };
    if let Some(right) = proofs.password {
        right.forget_failures(tx)?;
    }
    let session = NewSession {
        id: SessionId::from_bytes(core.settings.env.new_id(now)),
        user_id: proofs.user,
        created_at: now,
        expires_at: now + core.policy().tokens.session_absolute,
        user_agent: client.device(),
        ip: client.ip.map(|ip| ip.to_string()),
        browser: match key {
            SessionKey::Refresh(_) => None,
            SessionKey::Browser { hash, .. } => Some(hash),
        },
        way: proofs.way,
    };
    sessions::insert(tx, &session)?;
    match key {
        SessionKey::Refresh(hash) => {
            let expires_at = now + core.policy().tokens.session_idle;
            sessions::insert_token(tx, &hash, session.id, now, expires_at)?;
        }
        SessionKey::Browser { replaces, .. } => {
            replaces.map_or(Ok(()), |old| sessions::end_of_browser(tx, &old, now))?;
        }
    }
    let entry = Entry::new(AuditKind::SignedIn, AuditActor::User(proofs.user), client).about(&user.account);
    let entry = match proofs.way {
        Way::Password => entry,
        Way::Confirmation => entry.detail("after the confirmation"),
    };
    entry.write(tx, core, now)?;
    let NewSession { id: session, expires_at, .. } = session;
    Ok(Admission::Session(Box::new(Opened { user, session, began_at: now, expires_at })))
}

fn refuse(tx: &mut Tx<'_>, proofs: &Proofs<'_>) -> Result<Refusal, Fault> {
    let found = users::by_id(tx, proofs.user)?;
    let is_disabled = |found: &Credentials| {
        found.credential_version == proofs.credential_version && found.account.disabled_at.is_some()
    };
    Ok(if found.as_ref().is_some_and(is_disabled) { Refusal::Disabled } else { Refusal::Changed })
}

/// Whether a session may continue: checked by every continuation before it issues anything.
pub(crate) fn may_continue(session: &SessionState, user: &Account, now: Timestamp) -> bool {
    let SessionState { ended_at, expires_at, user_id, .. } = session;
    ended_at.is_none() && *expires_at > now && *user_id == user.id && user.disabled_at.is_none()
}
