//! How an operation records what it did: in the audit trail, and for the endpoints of webhooks.

use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditEvent, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::{AuditId, EventId, MailId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::env::Env;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::tables::limits::Subject;
use crate::store::tables::{audit, outbox, webhooks};
use crate::token::subject;
use crate::webhook::WebhookEvent;

/// An entry to be written to the trail, in the transaction of what it records.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    kind: AuditKind,
    actor: AuditActor,
    user: Option<UserId>,
    email: Option<Email>,
    ip: Option<String>,
    user_agent: Option<String>,
    detail: Option<String>,
}

impl Entry {
    pub(crate) fn new(kind: AuditKind, actor: AuditActor, from: &Client) -> Self {
        Self {
            kind,
            actor,
            user: actor.user(),
            email: None,
            ip: from.ip.map(|ip| ip.to_canonical().to_string()),
            user_agent: from.device(),
            detail: None,
        }
    }

    /// An action of an administrator or operator. It concerns no user until one is set; never the actor.
    pub(crate) fn by(kind: AuditKind, actor: Actor<'_>) -> Self {
        let entry = match actor {
            Actor::Operator => Self::new(kind, AuditActor::Operator, &Client::default()),
            Actor::Application(application, client) => {
                Self::new(kind, AuditActor::Application, client).detail(application.id.as_str())
            }
            Actor::User(who, client) => Self::new(kind, AuditActor::User(who.account.id), client),
        };
        Self { user: None, ..entry }
    }

    pub(crate) fn about(&self, user: &Account) -> Self {
        Self { user: Some(user.id), email: Some(user.email.clone()), ..self.clone() }
    }

    pub(crate) fn address(&self, email: &Email) -> Self {
        Self { email: Some(email.clone()), ..self.clone() }
    }

    pub(crate) fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    pub(crate) fn kind(&self, kind: AuditKind) -> Self {
        Self { kind, ..self.clone() }
    }

    pub(crate) fn detail(&self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self.clone() }
    }

    /// Adds the reason an administrator gave, if any, after other details.
    pub(crate) fn because(&self, reason: Option<&Reason>) -> Self {
        let said = reason.map(Reason::as_str).filter(|text| !text.is_empty());
        let said = said.map(|text| format!("reason: {text}"));
        let told: Vec<String> = self.detail.iter().cloned().chain(said).collect();
        Self { detail: (!told.is_empty()).then(|| told.join("; ")), ..self.clone() }
    }

    pub(crate) fn write(&self, tx: &mut Tx<'_>, core: &Core, now: Timestamp) -> Result<(), Fault> {
        self.write_as(tx, core, AuditId::from_bytes(core.settings.env.new_id(now)), now)
    }

    /// Also mails the user what happened, and from where.
    pub(crate) fn write_and_notify(&self, tx: &mut Tx<'_>, core: &Core, now: Timestamp) -> Result<(), Fault> {
        let id = AuditId::from_bytes(core.settings.env.new_id(now));
        self.write_as(tx, core, id, now)?;
        let Some(user) = self.user else { return Ok(()) };
        let mail = MailId::from_bytes(core.settings.env.new_id(now));
        outbox::push_to(tx, mail, MailKind::SecurityNotice, id.as_bytes(), user, now)
    }

    /// Writes it to a database that is not open as accounts. It is about no address: its key is not known.
    pub(crate) fn write_to(&self, tx: &mut Tx<'_>, env: &Env, now: Timestamp) -> Result<(), Fault> {
        audit::insert(tx, &self.event(env, AuditId::from_bytes(env.new_id(now)), now), None)
    }

    fn event(&self, env: &Env, id: AuditId, now: Timestamp) -> AuditEvent {
        let operator = env.operator().filter(|_| self.actor == AuditActor::Operator);
        let said = self.because(operator.and_then(|operator| operator.reason.as_ref()));
        AuditEvent {
            id,
            at: now,
            kind: self.kind,
            actor: self.actor,
            operator: operator.map(|operator| operator.name.clone()),
            user_id: self.user,
            email: self.email.as_ref().map(Email::masked),
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            detail: said.detail,
        }
    }

    fn write_as(&self, tx: &mut Tx<'_>, core: &Core, id: AuditId, now: Timestamp) -> Result<(), Fault> {
        let address: Option<Subject> = self.email.as_ref().map(|email| subject::address(&core.root, email));
        let event = self.event(&core.settings.env, id, now);
        let actor = event.actor_name();
        // The log stream beside the table (O2). A line whose transaction then fails is possible; a missing one is not.
        tracing::info!(
            target: "vestibule::audit",
            kind = event.kind.name(),
            actor = &*actor,
            user = event.user_id.map(tracing::field::display),
            email = event.email,
            ip = event.ip,
            detail = event.detail,
            "audit"
        );
        core.tally.event(event.kind);
        audit::insert(tx, &event, address.as_ref())
    }
}

/// Queues the event that a user was updated, if something about them changed.
pub(crate) fn announce_update(
    tx: &mut Tx<'_>,
    core: &Core,
    before: &Account,
    after: &Account,
    now: Timestamp,
) -> Result<(), Fault> {
    if before == after { Ok(()) } else { announce(tx, core, WebhookEvent::UserUpdated, after.id, now) }
}

/// Queues an event for every endpoint that wants it, in the transaction of its cause (M7).
pub(crate) fn announce(
    tx: &mut Tx<'_>,
    core: &Core,
    event: WebhookEvent,
    user: UserId,
    now: Timestamp,
) -> Result<(), Fault> {
    let id = EventId::from_bytes(core.settings.env.new_id(now));
    let mut wanted = core.policy().webhooks.iter().filter(|it| it.events.contains(&event));
    wanted.try_for_each(|it| webhooks::push(tx, id, &it.endpoint, event.name(), user, now))
}
