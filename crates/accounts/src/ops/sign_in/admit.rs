//! The only place where a session begins, and where it is decided whether one may continue.
//!
//! Callers need [`Proofs`], which only the verifiers can make. The user is read again in the transaction that opens the
//! session, so changes since the proof take effect.

use std::time::Duration;

use crate::core::Core;
use crate::domain::access::amr::{Amr, Method};
use crate::domain::access::client::Client;
use crate::domain::access::factor::Factor;
use crate::domain::access::session::Proven;
use crate::domain::access::way::Way;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::ops::account::factor_due::follow_policy;
use crate::ops::application::allowed::Allowed;
use crate::ops::application::authorization::redeemed::RedeemedCode;
use crate::ops::registration::confirmed::Confirmed;
use crate::ops::session_end::{Which, end};
use crate::ops::sign_in::attempt::RightPassword;
use crate::ops::sign_in::factor::RightFactor;
use crate::policy::factors::SecondFactorPolicy;
use crate::store::Tx;
use crate::store::tables::application::sessions::{self as application_sessions, OfApplication};
use crate::store::tables::sessions::{self, NewSession, SessionState, TokenHash};
use crate::store::tables::users::standing::{self, Standing};
use crate::store::tables::users::{self, Credentials};
use crate::trail::Entry;

/// How long a session that was opened with an enrolment link may go on without a second factor.
const ENROLMENT: Duration = Duration::from_mins(30);

/// What somebody has proven, and what was true of the user then.
pub(crate) struct Proofs<'a> {
    way: Way,
    user: UserId,
    credential_version: i64,
    proven: Proven,
    password: Option<&'a RightPassword>,
    factor: Option<&'a RightFactor>,
}

impl<'a> Proofs<'a> {
    /// The password was right for these credentials.
    pub(crate) fn password(right: &'a RightPassword, of: &Credentials, now: Timestamp) -> Self {
        Self {
            way: Way::Password,
            user: of.account.id,
            credential_version: of.credential_version,
            proven: Proven { amr: Method::Password.into(), password_at: Some(now), factor_at: None },
            password: Some(right),
            factor: None,
        }
    }

    /// The password was right, and the mailbox was reached by an enrolment link.
    pub(crate) fn enrolment(right: &'a RightPassword, of: &Credentials, now: Timestamp) -> Self {
        Self { way: Way::Enrolment, ..Self::password(right, of, now) }
    }

    /// The account has just been activated, and this browser has given its password.
    pub(crate) fn confirmation(confirmed: &Confirmed, now: Timestamp) -> Self {
        Self {
            way: Way::Confirmation,
            user: confirmed.user(),
            // The version of a new user: it grows with whatever ends sessions.
            credential_version: 0,
            proven: Proven { amr: Method::Password.into(), password_at: Some(now), factor_at: None },
            password: None,
            factor: None,
        }
    }

    /// An application has brought the code that it got for somebody who was signed in in a browser.
    pub(crate) fn code(redeemed: &RedeemedCode) -> Self {
        Self {
            way: Way::Application,
            user: redeemed.user(),
            credential_version: redeemed.credential_version(),
            proven: redeemed.proven(),
            password: None,
            factor: None,
        }
    }

    /// A second factor was right, alone or after the password.
    pub(crate) fn factor(right: &'a RightFactor) -> Self {
        let (way, password_at) = match (right.password_at, right.factor) {
            (None, _) => (Way::Passkey, None),
            (Some(at), Factor::Passkey) => (Way::PasswordAndPasskey, Some(at)),
            (Some(at), Factor::Totp) => (Way::PasswordAndCode, Some(at)),
            (Some(at), Factor::RecoveryCode) => (Way::PasswordAndRecoveryCode, Some(at)),
        };
        let password = password_at.map_or(Amr::default(), |_| Method::Password.into());
        Self {
            way,
            user: right.user,
            credential_version: right.credential_version,
            proven: Proven { amr: password.with(right.method), password_at, factor_at: Some(right.at) },
            password: None,
            factor: Some(right),
        }
    }
}

/// How a session is recognised later.
#[derive(Clone, Copy)]
pub(crate) enum SessionKey<'a> {
    /// Its first refresh token.
    Refresh(TokenHash),
    /// The hash of a browser's cookie, and that of the previous one, whose session ends (R4).
    Browser { hash: TokenHash, replaces: Option<TokenHash> },
    /// By its application, with the first refresh token if it gets one; otherwise it ends with the browser's session, which
    /// expires at `until`.
    Application { refresh: Option<TokenHash>, of: &'a OfApplication, until: Timestamp },
}

/// The outcome of admitting a user.
pub(crate) enum Admission {
    Session(Box<Opened>),
    /// The proofs are good, and not enough: one of these is asked for.
    SecondFactor(Vec<Factor>),
    Refused(Refusal),
}

/// Why no session begins, although the proofs are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Disabled,
    /// The credentials were changed since the proof, or the user is gone.
    Changed,
    /// A second factor is demanded and overdue, and the user has none: only a mailed link lets one enrol it.
    EnrolmentRequired,
}

/// A session that has just begun.
pub(crate) struct Opened {
    pub(crate) user: Credentials,
    pub(crate) session: SessionId,
    pub(crate) proven: Proven,
    pub(crate) began_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Opens a session for whoever brings these proofs, if the user may sign in now and they are enough.
pub(crate) fn admit(
    tx: &mut Tx<'_>,
    core: &Core,
    proofs: &Proofs<'_>,
    key: SessionKey<'_>,
    client: &Client,
) -> Result<Admission, Fault> {
    let now = core.now();
    let Some(standing) = standing::of(tx, proofs.user, core.relying_party.is_some())? else {
        return Ok(Admission::Refused(Refusal::Changed));
    };
    if standing.credential_version != proofs.credential_version {
        return Ok(Admission::Refused(Refusal::Changed));
    }
    if standing.disabled {
        return Ok(Admission::Refused(Refusal::Disabled));
    }
    if let Some(right) = proofs.password {
        right.forget_failures(tx)?;
    }
    match demand(&core.policy().second_factor, &standing, proofs, now) {
        Demand::Nothing => {}
        Demand::Factor(factors) => return Ok(Admission::SecondFactor(factors)),
        Demand::Enrolment => return Ok(Admission::Refused(Refusal::EnrolmentRequired)),
    }
    // Under the lock of the user, which every change of credentials takes, too.
    let Some(user) = users::record_sign_in(tx, proofs.user, proofs.credential_version, now)? else {
        return Ok(Admission::Refused(Refusal::Changed));
    };
    if let Some(right) = proofs.factor {
        right.forget_failures(tx)?;
    }
    follow_policy(tx, core, proofs.user, &standing.roles, standing.factor_due_at, now)?;
    let opened = open(tx, core, proofs, key, client, user)?;
    Ok(Admission::Session(Box::new(opened)))
}

fn open(
    tx: &mut Tx<'_>,
    core: &Core,
    proofs: &Proofs<'_>,
    key: SessionKey<'_>,
    client: &Client,
    user: Credentials,
) -> Result<Opened, Fault> {
    let now = core.now();
    let tokens = &core.policy().tokens;
    let expires_at = match key {
        SessionKey::Application { refresh: None, until, .. } => until,
        _ => now + tokens.session_absolute,
    };
    let session = NewSession {
        id: SessionId::from_bytes(core.settings.env.new_id(now)),
        user_id: proofs.user,
        created_at: now,
        expires_at,
        user_agent: client.device(),
        ip: client.ip.map(|ip| ip.to_string()),
        browser: match key {
            SessionKey::Refresh(_) | SessionKey::Application { .. } => None,
            SessionKey::Browser { hash, .. } => Some(hash),
        },
        application: match key {
            SessionKey::Application { of, .. } => Some(of.clone()),
            SessionKey::Refresh(_) | SessionKey::Browser { .. } => None,
        },
        proven: proofs.proven,
        enrol_until: (proofs.way == Way::Enrolment).then(|| now + ENROLMENT),
    };
    sessions::insert(tx, &session)?;
    match key {
        SessionKey::Refresh(hash) | SessionKey::Application { refresh: Some(hash), .. } => {
            sessions::insert_token(tx, &hash, session.id, now, now + tokens.session_idle)?;
        }
        SessionKey::Application { refresh: None, of, .. } => {
            let expired = now - tokens.access_lifetime - tokens.leeway;
            application_sessions::retire_surplus(tx, of, expired, now)?;
        }
        SessionKey::Browser { replaces, .. } => {
            if let Some(old) = replaces {
                end(tx, core, Which::Browser(&old), now)?;
            }
        }
    }
    let entry = Entry::new(AuditKind::SignedIn, AuditActor::User(proofs.user), client).about(&user.account);
    let entry = match (&session.application, proofs.way.detail()) {
        (Some(of), _) => entry.detail(format!("at the application {}", of.id)),
        (None, Some(detail)) => entry.detail(detail),
        (None, None) => entry,
    };
    entry.write(tx, core, now)?;
    core.tally.session_began(proofs.way);
    let NewSession { id: session, expires_at, proven, .. } = session;
    Ok(Opened { user, session, proven, began_at: now, expires_at })
}

/// What is missing for a session.
enum Demand {
    Nothing,
    Factor(Vec<Factor>),
    Enrolment,
}

fn demand(policy: &SecondFactorPolicy, standing: &Standing, proofs: &Proofs<'_>, now: Timestamp) -> Demand {
    let required = policy.requires(&standing.roles);
    let is_asked = standing.has_authenticator || (required && standing.passkeys > 0);
    if proofs.proven.amr.is_multi_factor() {
        return Demand::Nothing;
    }
    if is_asked {
        return Demand::Factor(factors(standing));
    }
    let overdue = required && standing.factor_due_at.is_some_and(|due| due <= now);
    match proofs.way {
        Way::Enrolment => Demand::Nothing,
        _ if overdue => Demand::Enrolment,
        _ => Demand::Nothing,
    }
}

fn factors(standing: &Standing) -> Vec<Factor> {
    let has = |factor: &Factor| match factor {
        Factor::Totp => standing.has_authenticator,
        Factor::Passkey => standing.passkeys > 0,
        Factor::RecoveryCode => standing.recovery_codes > 0,
    };
    Factor::ALL.iter().copied().filter(has).collect()
}

/// What a user may give as a second factor.
pub(crate) fn factors_of(tx: &mut Tx<'_>, core: &Core, user: UserId) -> Result<Vec<Factor>, Fault> {
    Ok(standing::of(tx, user, core.relying_party.is_some())?.as_ref().map_or_else(Vec::new, factors))
}

/// What a session that may go on is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GoesOn {
    Fully,
    /// A second factor is overdue: only to enrol it.
    ToEnrol,
}

/// Whether a session of this service itself may go on: what every continuation asks, before it gives anything.
pub(crate) fn may_continue(
    policy: &SecondFactorPolicy,
    session: &SessionState,
    user: &Account,
    factor_due_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<GoesOn> {
    // What an application was given opens nothing here.
    if session.application.is_some() {
        return None;
    }
    stands(policy, session, user, factor_due_at, now)
}

/// Whether the session of an application may go on: the same, and the user still allows it what it is for.
pub(crate) fn application_may_continue(
    policy: &SecondFactorPolicy,
    session: &SessionState,
    user: &Account,
    factor_due_at: Option<Timestamp>,
    allowed: &Allowed,
    now: Timestamp,
) -> bool {
    let is_its_own = session.application.as_deref() == Some(allowed.id());
    is_its_own
        && allowed.is_by(session.user_id)
        && stands(policy, session, user, factor_due_at, now) == Some(GoesOn::Fully)
}

fn stands(
    policy: &SecondFactorPolicy,
    session: &SessionState,
    user: &Account,
    factor_due_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<GoesOn> {
    let SessionState { ended_at, expires_at, user_id, proven, enrol_until, .. } = session;
    let lives = ended_at.is_none() && *expires_at > now && *user_id == user.id && user.disabled_at.is_none();
    let overdue = policy.requires(&user.roles)
        && !proven.amr.is_multi_factor()
        && factor_due_at.is_some_and(|due| due <= now);
    match lives {
        true if !overdue => Some(GoesOn::Fully),
        true if enrol_until.is_some_and(|until| until > now) => Some(GoesOn::ToEnrol),
        _ => None,
    }
}
