//! Reading the audit trail, as administrators do.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::{AuditId, UserId};
use crate::domain::reason::Reason;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::paging::{List, Page, PageSize};
use crate::store::Tx;
use crate::store::tables::audit::{self, Filter};
use crate::token::subject;
use crate::trail::Entry;

/// Entries returned by [`Accounts::audit_after`] at most.
const BATCH: i64 = 1000;

/// Which entries to list. Only one condition applies: the first that is set.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only entries about this user.
    pub user: Option<UserId>,
    /// Only entries about this address, with or without an account.
    pub email: Option<Email>,
    /// Only entries of this kind.
    pub kind: Option<AuditKind>,
    /// Entries per page, 1 to 200; 50 if `None`.
    pub limit: Option<u32>,
    /// The cursor at the end of the previous page.
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
        let items = self.0.store.survey(read).await.map_err(AdminError::Fault)?;
        Ok(size.page(items, |last| list.cursor(&last.id.to_string())))
    }

    /// Entries after `after`, oldest first, at most a thousand, of one kind or of all: to follow the trail, or to copy
    /// it. [`AuditId::first_at`] turns a time into a starting point.
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
        self.0.store.survey(move |tx| audit::after(tx, kind, after, BATCH)).await.map_err(AdminError::Fault)
    }
}

impl Accounts {
    /// Records that this database was accepted ([`accept_database`](crate::accept_database)), and why.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn note_accepted_database(&self, reason: &Reason) -> Result<(), Fault> {
        let entry = Entry::by(AuditKind::DatabaseAccepted, Actor::Operator).because(Some(reason));
        let (core, now) = (self.0.clone(), self.0.now());
        self.0.store.write(move |tx| entry.write(tx, &core, now)).await
    }
}

impl AuditQuery {
    fn filter(&self, core: &Core) -> Filter {
        match self {
            Self { user: Some(user), .. } => Filter::User(*user),
            Self { email: Some(email), .. } => Filter::Address(subject::address(&core.root, email)),
            Self { kind: Some(kind), .. } => Filter::Kind(*kind),
            _ => Filter::All,
        }
    }
}
