//! The decision about a queued message, made right before it is sent (T8) by the operation it belongs to.

use crate::core::Core;
use crate::domain::access::challenge::Challenge;
use crate::domain::audit::{AuditActor, AuditEvent, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::mail::{Mail, MailContent, Place};
use crate::ops::challenge;
use crate::store::Tx;
use crate::store::tables::outbox::Leased;
use crate::store::tables::{audit, challenges, users};
use crate::token::subject;

/// What to do with a message.
pub(crate) enum Draft {
    /// Send it.
    Send(Box<Mail>),
    /// Behave as if it were sent: the owner of a taken address was informed often enough today (S2, S3).
    Pretend,
    /// Delete it: the sign-up or the user is gone, or no longer needs it.
    Drop,
    /// Leave it to a newer version of the program.
    Unknown,
}

impl Draft {
    pub(crate) fn send(leased: &Leased, to: Email, locale: Option<String>, content: MailContent) -> Self {
        let Leased { id, created_at, .. } = *leased;
        Self::Send(Box::new(Mail { id, to, locale, created_at, content }))
    }

    /// A message about a user, to the address the user has now.
    pub(crate) fn notice(tx: &mut Tx<'_>, leased: &Leased, content: MailContent) -> Result<Self, Fault> {
        let user = users::by_id(tx, UserId::from_bytes(leased.about))?.map(|found| found.account);
        Ok(user.map_or(Self::Drop, |user| Self::send(leased, user.email, user.locale, content)))
    }

    /// The same, with the place that its cause came from.
    pub(crate) fn notice_from(
        tx: &mut Tx<'_>,
        core: &Core,
        leased: &Leased,
        causes: &[AuditKind],
        content: impl FnOnce(Place) -> MailContent,
    ) -> Result<Self, Fault> {
        let user = users::by_id(tx, UserId::from_bytes(leased.about))?.map(|found| found.account);
        let Some(user) = user else { return Ok(Self::Drop) };
        let place = place(tx, core, leased, (user.id, &user.email), causes)?;
        Ok(Self::send(leased, user.email, user.locale, content(place)))
    }
}

/// From where the cause of a message came, by the trail: both were written at the same time, about the address. Unknown when
/// the entry is gone or the address is another by now.
pub(crate) fn place(
    tx: &mut Tx<'_>,
    core: &Core,
    leased: &Leased,
    (owner, email): (UserId, &Email),
    causes: &[AuditKind],
) -> Result<Place, Fault> {
    let written = audit::at(tx, &subject::address(&core.root, email), leased.created_at)?;
    let cause = written.into_iter().find(|entry| causes.contains(&entry.kind));
    Ok(cause.map_or_else(Place::default, |entry| place_of(entry, owner)))
}

/// Where an administrator or a program sits is not the owner's concern.
pub(crate) fn place_of(entry: AuditEvent, owner: UserId) -> Place {
    match entry.actor {
        AuditActor::Anonymous => Place { device: entry.user_agent, ip: entry.ip },
        AuditActor::User(actor) if actor == owner => Place { device: entry.user_agent, ip: entry.ip },
        AuditActor::User(_) | AuditActor::Operator | AuditActor::Application | AuditActor::System => {
            Place::default()
        }
    }
}

/// A challenge whose link is to be mailed.
pub(crate) struct Linked {
    pub(crate) challenge: Challenge,
    pub(crate) user: Account,
    pub(crate) link: Secret,
}

/// The challenge that a message is about, with its link to `page`; `None` if it is no longer needed.
pub(crate) fn linked(
    tx: &mut Tx<'_>,
    core: &Core,
    leased: &Leased,
    page: &str,
    now: Timestamp,
) -> Result<Option<Linked>, Fault> {
    let found = challenges::by_id(tx, &leased.about)?;
    let Some(challenge) = found.filter(|found| found.used_at.is_none() && found.expires_at > now) else {
        return Ok(None);
    };
    let user = users::by_id(tx, challenge.user_id)?.map(|found| found.account);
    let secret = challenge::token(&core.root, &challenge);
    let link = core.page_with(page, &secret);
    Ok(user.map(|user| Linked { challenge, user, link }))
}
