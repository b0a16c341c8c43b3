//! The text of a confirmation mail: a link, a code within the limits of the address, or that there is an account
//! already.

use crate::core::Core;
use crate::domain::ids::RegistrationId;
use crate::domain::registration::Registration;
use crate::domain::time::{DAY, Timestamp};
use crate::fault::Fault;
use crate::limits::codes_allowed;
use crate::mail::MailContent;
use crate::ops::draft::Draft;
use crate::store::Tx;
use crate::store::tables::limits::{Rule, count, lock, record};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::{registrations, users};
use crate::token::challenge::{code, link_token};
use crate::token::subject;

/// A confirmation, or a notice to the owner of the address.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased, now: Timestamp) -> Result<Draft, Fault> {
    let found = registrations::by_id(tx, RegistrationId::from_bytes(leased.about))?;
    let Some(registration) = found.filter(|found| found.expires_at > now) else {
        return Ok(Draft::Drop);
    };
    let address = subject::address(&core.root, &registration.email);
    lock(tx, &address, now)?;
    // Sign-ups that cannot be confirmed (any longer) use up codes, too, so that the number of codes reveals nothing
    // (S3).
    let with_code = registration.crowded_at.is_none()
        && (leased.code_at.is_some() || grant_code(tx, core, leased, &address, now)?);
    let Some(account_since) = registration.activated_at.or(registration.decoy_at) else {
        let registration = begun(tx, core, registration, now)?;
        let content = confirmation(core, leased, &registration, with_code);
        return Ok(Draft::send(leased, registration.email, registration.locale, content));
    };
    // Requested while it could still be confirmed: no longer needed (T8).
    if leased.created_at < account_since {
        return Ok(Draft::Pretend);
    }
    let Some(owner) = users::by_email(tx, &registration.email)?.map(|found| found.account) else {
        return Ok(Draft::Pretend);
    };
    if count(tx, &address, Rule::Notice, now - DAY)?.number >= core.policy().sign_up.notices_per_day {
        return Ok(Draft::Pretend);
    }
    outbox::is_for(tx, leased.id, owner.id)?;
    // To the stored address, never to the requester's spelling (CVE-2019-19844).
    Ok(Draft::send(
        leased,
        owner.email,
        owner.locale,
        MailContent::AlreadyRegistered { sign_in: core.page("login") },
    ))
}

/// Whether this message may carry a code: within the limits of the address (C4, C5).
fn grant_code(
    tx: &mut Tx<'_>,
    core: &Core,
    leased: &Leased,
    address: &[u8; 16],
    now: Timestamp,
) -> Result<bool, Fault> {
    let policy = &core.policy().confirm;
    let granted = policy.code
        && codes_allowed(tx, address, policy, now)?
        && count(tx, address, Rule::Code, now - DAY)?.number < policy.codes_per_day;
    if granted {
        record(tx, address, Rule::Code, now)?;
        outbox::allow_code(tx, leased.id, now)?;
    }
    Ok(granted)
}

/// The lifetime of an imported sign-up begins with its first mail.
fn begun(
    tx: &mut Tx<'_>,
    core: &Core,
    registration: Registration,
    now: Timestamp,
) -> Result<Registration, Fault> {
    let expires_at = now + core.policy().sign_up.lifetime;
    if registration.imported_at.is_some() && registrations::begin(tx, registration.id, expires_at)? {
        return Ok(Registration { expires_at, ..registration });
    }
    Ok(registration)
}

fn confirmation(core: &Core, leased: &Leased, registration: &Registration, with_code: bool) -> MailContent {
    let policy = &core.policy().confirm;
    let link = || core.page_with("confirm", &link_token(&core.root, registration.id));
    if registration.imported_at.is_some() {
        return MailContent::MoveIn { link: link(), link_expires_at: registration.expires_at };
    }
    if registration.crowded_at.is_some() {
        return MailContent::ChoosePassword { link: link(), link_expires_at: registration.expires_at };
    }
    MailContent::Confirm {
        // With the link switched off and no code left, a mail without either would be useless.
        link: (policy.link || !with_code).then(link),
        code: with_code.then(|| code(&core.root, registration.id, leased.id, policy.code_digits)),
        code_lifetime: policy.code_lifetime,
        link_expires_at: registration.expires_at,
    }
}
