//! Finds the operation that composes a message.

use crate::core::Core;
use crate::domain::mail::kind::MailKind;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::account::{email, factor_due, forgot, password, security_notice};
use crate::ops::condition;
use crate::ops::draft::Draft;
use crate::ops::registration::{activation, confirmation_mail, invitation};
use crate::ops::sign_in::{attempt, enrolment, refresh};
use crate::store::Tx;
use crate::store::tables::outbox::Leased;

/// Decides what to do with a message.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased, now: Timestamp) -> Result<Draft, Fault> {
    let Some(kind) = leased.kind else { return Ok(Draft::Unknown) };
    match kind {
        MailKind::Confirmation => confirmation_mail::compose(tx, core, leased, now),
        MailKind::Invitation => invitation::compose(tx, core, leased, now),
        MailKind::Welcome => activation::compose(tx, core, leased),
        MailKind::PasswordChanged => password::compose(tx, core, leased),
        MailKind::FailedSignIns => attempt::compose(tx, core, leased),
        MailKind::RefreshReused => refresh::compose(tx, core, leased),
        MailKind::SecurityNotice => security_notice::compose(tx, core, leased),
        MailKind::Enrolment => enrolment::compose(tx, core, leased, now),
        MailKind::SecondFactorDue => factor_due::compose(tx, core, leased),
        MailKind::PasswordReset => forgot::compose(tx, core, leased, now),
        MailKind::EmailChange => email::compose_change(tx, core, leased, now),
        MailKind::Test => condition::compose(tx, leased),
        MailKind::EmailUndo => email::compose_undo(tx, core, leased, now),
    }
}
