//! The audit trail: how operations write it, and how administrators read it.

use crate::accounts::Inner;
use crate::limits;
use crate::ops::admin::{Actor, AdminError};
use crate::ops::cursor::{List, PageSize};
use crate::store::Tx;
use crate::store::audit::{self, Filter};
use crate::store::limits::Subject;
use crate::{
    Account, Accounts, AuditActor, AuditEvent, AuditId, AuditKind, Client, Email, Fault, Page, Reason,
    Timestamp, UserId,
};

/// Entries that [`Accounts::audit_after`] gives at most.
const BATCH: i64 = 1000;

/// Which entries to list. At most one of the conditions counts: the first that is there.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only what is about this user.
    pub user: Option<UserId>,
    /// Only what is about this address, whether it has an account or not.
    pub email: Option<Email>,
    /// Only this kind.
    pub kind: Option<AuditKind>,
    /// Entries per page, 1 to 200; 50 where it is `None`.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl Accounts {
    /// A page of the audit trail, newest first.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`LimitInvalid`](AdminError::LimitInvalid),
    /// [`CursorInvalid`](AdminError::CursorInvalid), [`Fault`](AdminError::Fault).
    pub async fn list_audit(
        &self,
        actor: Actor<'_>,
        query: &AuditQuery,
    ) -> Result<Page<AuditEvent>, AdminError> {
        actor.must_be_admin()?;
        let size = PageSize::new(query.limit)?;
        let filter = query.filter(&self.0);
        let name = format!("{filter:?}");
        let list = List { root: &self.0.root, conditions: &[b"audit", name.as_bytes()] };
        let from = match &query.cursor {
            None => audit::END,
            Some(cursor) => list.open(cursor)?.parse().map_err(|_| AdminError::CursorInvalid)?,
        };
        let read = move |tx: &mut Tx<'_>| audit::before(tx, &filter, from, size.and_one_more());
        let items = self.0.store.read(read).await.map_err(AdminError::Fault)?;
        Ok(size.page(items, |last| list.cursor(&last.id.to_string())))
    }

    /// Entries after `after`, oldest first, at most a thousand, of one kind or of all: to follow the trail, or to copy
    /// it. [`AuditId::first_at`] makes a time the beginning.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::Fault`].
    pub async fn audit_after(
        &self,
        actor: Actor<'_>,
        after: Option<AuditId>,
        kind: Option<AuditKind>,
    ) -> Result<Vec<AuditEvent>, AdminError> {
        actor.must_be_admin()?;
        let after = after.unwrap_or(AuditId::from_bytes([0; 16]));
        self.0.store.read(move |tx| audit::after(tx, kind, after, BATCH)).await.map_err(AdminError::Fault)
    }
}

impl AuditQuery {
    fn filter(&self, inner: &Inner) -> Filter {
        match self {
            Self { user: Some(user), .. } => Filter::User(*user),
            Self { email: Some(email), .. } => Filter::Address(limits::address(&inner.root, email)),
            Self { kind: Some(kind), .. } => Filter::Kind(*kind),
            _ => Filter::All,
        }
    }
}

/// An entry on its way into the trail. It is written in the transaction of what it tells of.
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

    /// What an administrator or operator did. It is about nobody until that is said: not about whoever did it.
    pub(crate) fn by(kind: AuditKind, actor: Actor<'_>) -> Self {
        let entry = match actor {
            Actor::Operator => Self::new(kind, AuditActor::Operator, &Client::default()),
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

    /// Why an administrator did it, where that was said: after what there is to tell already.
    pub(crate) fn because(&self, reason: Option<&Reason>) -> Self {
        let said = reason.map(Reason::as_str).filter(|text| !text.is_empty());
        let said = said.map(|text| format!("reason: {text}"));
        let told: Vec<String> = self.detail.iter().cloned().chain(said).collect();
        Self { detail: (!told.is_empty()).then(|| told.join("; ")), ..self.clone() }
    }

    pub(crate) fn write(&self, tx: &mut Tx<'_>, inner: &Inner, now: Timestamp) -> Result<(), Fault> {
        let address: Option<Subject> = self.email.as_ref().map(|email| limits::address(&inner.root, email));
        let event = AuditEvent {
            id: AuditId::from_bytes(inner.settings.env.new_id(now)),
            at: now,
            kind: self.kind,
            actor: self.actor,
            user_id: self.user,
            email: self.email.as_ref().map(Email::masked),
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            detail: self.detail.clone(),
        };
        // The stream beside the table (O2). A line whose transaction fails after it is possible, a missing one is not.
        tracing::info!(
            target: "vestibule::audit",
            kind = event.kind.name(),
            actor = event.actor.name(),
            user = event.user_id.map(tracing::field::display),
            email = event.email,
            ip = event.ip,
            detail = event.detail,
            "audit"
        );
        audit::insert(tx, &event, address.as_ref())
    }
}
