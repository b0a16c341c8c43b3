//! The table `audit_events`: rows are added, read and swept, never changed.

use std::time::Duration;

use super::limits::Subject;
use crate::domain::access::operator::OperatorName;
use crate::domain::audit::{AuditActor, AuditEvent, AuditKind};
use crate::domain::ids::{AuditId, UserId};
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::store::Tx;
use crate::store::sql::{Row, args};

/// The columns of an [`AuditEvent`], in the order that [`event`] reads them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, at, kind, actor, actor_id, user_id, email, ip, user_agent, detail FROM audit_events ",
            $rest
        )
    };
}

/// The number of entries of one kind in a range.
macro_rules! count {
    ($kind:literal) => {
        concat!(
            "(SELECT COUNT(*) FROM (SELECT 1 FROM audit_events WHERE kind = ",
            $kind,
            " AND id >= $1 AND id < $2 LIMIT $3) AS counted)"
        )
    };
}

/// Sorts after every entry.
pub(crate) const END: AuditId = AuditId::from_bytes([0xff; 16]);

/// An operation writes a few entries; whoever does more at once is no person.
const AT_ONCE_MAX: i64 = 16;

/// Which entries to read.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    All,
    Kind(AuditKind),
    /// About a user, or by an anonymous client about the user's address.
    User(UserId),
    Address(Subject),
}

pub(crate) fn insert(tx: &mut Tx<'_>, event: &AuditEvent, address: Option<&Subject>) -> Result<(), Fault> {
    tx.execute(
        "INSERT INTO audit_events (id, at, kind, actor, actor_id, user_id, address, email, ip, user_agent, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            event.id,
            event.at,
            event.kind.name(),
            &*event.actor_name(),
            event.actor.user(),
            event.user_id,
            address,
            event.email,
            event.ip,
            event.user_agent,
            event.detail
        ],
    )?;
    Ok(())
}

pub(crate) fn by_id(tx: &mut Tx<'_>, id: AuditId) -> Result<Option<AuditEvent>, Fault> {
    tx.row(select!("WHERE id = $1"), args![id], event)
}

/// The entries about an address that were written at one time, in the order of writing.
pub(crate) fn at(tx: &mut Tx<'_>, address: &Subject, at: Timestamp) -> Result<Vec<AuditEvent>, Fault> {
    let [from, to] = [at, at + Duration::from_millis(1)].map(AuditId::first_at);
    let sql = select!("WHERE address = $1 AND id >= $2 AND id < $3 ORDER BY id LIMIT $4");
    tx.rows(sql, args![address, from, to, AT_ONCE_MAX], event)
}

/// Entries before `before`, newest first.
pub(crate) fn before(
    tx: &mut Tx<'_>,
    filter: &Filter,
    before: AuditId,
    limit: i64,
) -> Result<Vec<AuditEvent>, Fault> {
    match filter {
        Filter::All => {
            tx.rows(select!("WHERE id < $1 ORDER BY id DESC LIMIT $2"), args![before, limit], event)
        }
        Filter::Kind(kind) => {
            let sql = select!("WHERE kind = $3 AND id < $1 ORDER BY id DESC LIMIT $2");
            tx.rows(sql, args![before, limit, kind.name()], event)
        }
        Filter::User(user) => {
            let sql = select!("WHERE user_id = $3 AND id < $1 ORDER BY id DESC LIMIT $2");
            tx.rows(sql, args![before, limit, user], event)
        }
        Filter::Address(address) => {
            let sql = select!("WHERE address = $3 AND id < $1 ORDER BY id DESC LIMIT $2");
            tx.rows(sql, args![before, limit, address], event)
        }
    }
}

/// Entries after `after`, oldest first.
pub(crate) fn after(
    tx: &mut Tx<'_>,
    kind: Option<AuditKind>,
    after: AuditId,
    limit: i64,
) -> Result<Vec<AuditEvent>, Fault> {
    match kind {
        None => tx.rows(select!("WHERE id > $1 ORDER BY id LIMIT $2"), args![after, limit], event),
        Some(kind) => {
            let sql = select!("WHERE kind = $3 AND id > $1 ORDER BY id LIMIT $2");
            tx.rows(sql, args![after, limit, kind.name()], event)
        }
    }
}

/// The number of entries of each kind from `from` (included) to `to` (not included); each is counted up to `most`. The
/// ids begin with the time, so a range of ids is a range of time, and the index by kind suffices.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    kinds: [AuditKind; 4],
    [from, to]: [AuditId; 2],
    most: i64,
) -> Result<[i64; 4], Fault> {
    let sql = concat!("SELECT ", count!("$4"), ", ", count!("$5"), ", ", count!("$6"), ", ", count!("$7"));
    let [first, second, third, fourth] = kinds.map(AuditKind::name);
    let counted = tx.row(sql, args![from, to, most, first, second, third, fourth], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
    })?;
    Ok(counted.unwrap_or_default())
}

pub(crate) fn sweep(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, Fault> {
    tx.execute(
        "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at <= $1 LIMIT $2)",
        args![before, limit],
    )
}

fn event(row: &Row<'_>) -> Result<AuditEvent, Fault> {
    let unknown = |what: &str| Fault::Unavailable(format!("the audit trail has the unknown {what}"));
    let kind: String = row.get(2)?;
    let actor: String = row.get(3)?;
    let (actor, operator) = match actor.split_once(':') {
        Some((actor, name)) => (actor, OperatorName::new(name)),
        None => (actor.as_str(), None),
    };
    Ok(AuditEvent {
        id: row.get(0)?,
        at: row.get(1)?,
        kind: AuditKind::from_name(&kind).ok_or_else(|| unknown(&format!("kind {kind}")))?,
        actor: match (actor, row.get_opt(4)?) {
            ("user", Some(id)) => AuditActor::User(id),
            ("anonymous", None) => AuditActor::Anonymous,
            ("operator", None) => AuditActor::Operator,
            ("client", None) => AuditActor::Application,
            ("system", None) => AuditActor::System,
            _ => return Err(unknown(&format!("actor {actor}"))),
        },
        operator,
        user_id: row.get_opt(5)?,
        email: row.get_opt(6)?,
        ip: row.get_opt(7)?,
        user_agent: row.get_opt(8)?,
        detail: row.get_opt(9)?,
    })
}
