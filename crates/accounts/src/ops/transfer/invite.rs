//! Users whose address was not confirmed in the other system: they become sign-ups, whose owners choose a password.

use std::time::Duration;

use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::mail::kind::MailKind;
use crate::domain::registration::Registration;
use crate::domain::time::{MONTH, Timestamp};
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::limits::{MailsLeft, mails_left};
use crate::ops::transfer::outcome::{ImportRefusal, Imported};
use crate::store::Tx;
use crate::store::tables::limits::{Rule, record};
use crate::store::tables::{outbox, registrations, users};
use crate::token::root::Purpose;
use crate::token::subject;
use crate::trail::Entry;

/// The pause between two such mails. Those of people who sign up meanwhile do not wait behind all of them.
const PACE: Duration = Duration::from_millis(200);

/// Makes a sign-up and queues its mail. It may wait for that for a month; its own time begins when the mail leaves. The
/// caller has the lock of the address.
pub(super) fn invite(
    tx: &mut Tx<'_>,
    core: &Core,
    wanted: &Account,
    now: Timestamp,
) -> Result<Imported, Fault> {
    let address = subject::address(&core.root, &wanted.email);
    let mut open = registrations::of_email(tx, &wanted.email, now)?.into_iter();
    if open.any(|it| it.activated_at.is_none()) || mails_left(tx, core, &address, now)? == MailsLeft::None {
        return Ok(Imported::Waiting);
    }
    if let Some(name) = &wanted.user_name
        && users::name_exists(tx, name)?
    {
        return Ok(Imported::Refused(ImportRefusal::UserNameTaken));
    }
    let env = &core.settings.env;
    let salt = core.root.short_mac(Purpose::SignUpSalt, &[wanted.email.key().as_bytes()]);
    let registration = Registration {
        id: RegistrationId::from_bytes(env.new_id(now)),
        email: wanted.email.clone(),
        user_name: wanted.user_name.clone(),
        display_name: wanted.display_name.clone(),
        data: wanted.data.clone(),
        password_hash: core.hasher.of_nobody(salt)?,
        locale: wanted.locale.clone(),
        created_at: now,
        expires_at: now + MONTH,
        decoy_at: None,
        // Its link lets the owner of the mailbox choose the password.
        crowded_at: Some(now),
        imported_at: Some(now),
        terms_accepted_at: None,
        activated_at: None,
    };
    registrations::insert(tx, &registration)?;
    record(tx, &address, Rule::MailRequested, now)?;
    let due = outbox::last_due(tx)?.map_or(now, |last| now.max(last + PACE));
    let mail = MailId::from_bytes(env.new_id(now));
    outbox::push_at(tx, mail, MailKind::Confirmation, registration.id.as_bytes(), [now, due])?;
    let entry = Entry::new(AuditKind::Imported, AuditActor::Operator, &Client::default());
    entry.address(&wanted.email).detail("invited to choose a password").write(tx, core, now)?;
    Ok(Imported::Invited)
}
