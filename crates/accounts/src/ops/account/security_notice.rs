//! The notice that something which protects an account was changed or used: what the audit trail says of it, to its owner.

use crate::core::Core;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ids::AuditId;
use crate::fault::Fault;
use crate::mail::{MailContent, SecurityEvent};
use crate::ops::application::find::application;
use crate::ops::draft::{Draft, place_of};
use crate::store::Tx;
use crate::store::tables::outbox::Leased;
use crate::store::tables::{audit, recovery_codes, users};

/// Tells the owner, at the address of now.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased) -> Result<Draft, Fault> {
    let Some(found) = audit::by_id(tx, AuditId::from_bytes(leased.about))? else { return Ok(Draft::Drop) };
    let Some(event) = event(tx, core, &found)? else { return Ok(Draft::Drop) };
    let user = found.user_id.map(|user| users::by_id(tx, user)).transpose()?.flatten();
    let Some(user) = user.map(|found| found.account) else { return Ok(Draft::Drop) };
    let place = place_of(found, user.id);
    let (account, forgot) = (core.page("account"), core.page("forgot"));
    let content = MailContent::SecurityNotice { event, place, account, forgot };
    Ok(Draft::send(leased, user.email, user.locale, content))
}

fn event(tx: &mut Tx<'_>, core: &Core, of: &AuditEvent) -> Result<Option<SecurityEvent>, Fault> {
    let name = || of.detail.clone().unwrap_or_default();
    Ok(Some(match of.kind {
        AuditKind::PasskeyAdded => SecurityEvent::PasskeyAdded(name()),
        AuditKind::PasskeyRemoved => SecurityEvent::PasskeyRemoved(name()),
        AuditKind::PasskeyCounterWentBack => SecurityEvent::PasskeyCounterWentBack(name()),
        AuditKind::AuthenticatorAdded => SecurityEvent::AuthenticatorAdded,
        AuditKind::AuthenticatorRemoved => SecurityEvent::AuthenticatorRemoved,
        AuditKind::RecoveryCodesMade => SecurityEvent::RecoveryCodesMade,
        AuditKind::RecoveryCodeUsed => {
            let left = of.user_id.map_or(Ok(0), |user| recovery_codes::count_left(tx, user))?;
            SecurityEvent::RecoveryCodeUsed(u32::try_from(left).unwrap_or(0))
        }
        AuditKind::PasswordRemoved => SecurityEvent::PasswordRemoved,
        AuditKind::FactorsReset => SecurityEvent::FactorsReset,
        AuditKind::SecondFactorFailed => SecurityEvent::SecondFactorFailed,
        AuditKind::ApplicationAllowed => allowed(tx, core, &name())?,
        _ => return Ok(None),
    }))
}

/// The application by its name of now, or its id where it is not registered any more; `detail` is `id: scopes`.
fn allowed(tx: &mut Tx<'_>, core: &Core, detail: &str) -> Result<SecurityEvent, Fault> {
    let (id, scopes) = detail.split_once(':').unwrap_or((detail, ""));
    let name = application(tx, core, id)?.map_or_else(|| id.to_owned(), |application| application.name);
    let scopes = scopes.split_ascii_whitespace().map(str::to_owned).collect();
    Ok(SecurityEvent::ApplicationAllowed { name, scopes })
}
