//! Moves accounts to another database: `vestibule db move`.
//!
//! The source takes no changes from the first step on, so every row is read as it will be for good. The target is marked
//! as incomplete until the source is marked as moved: at no time do two databases take changes.

use std::ops::ControlFlow;

use crate::domain::access::actor::Actor;
use crate::domain::access::operator::Operator;
use crate::domain::audit::AuditKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::env::Env;
use crate::fault::Fault;
use crate::migrator::migrate_up;
use crate::policy::DatabasePolicy;
use crate::settings::OpenError;
use crate::store::copy::hold::{self, Role};
use crate::store::copy::tables::{TABLES, Table};
use crate::store::copy::{Contents, Reading, clear, first_with_rows, insert, total};
use crate::store::error::DatabaseError;
use crate::store::migrations::{MigrateError, holds_keys, status};
use crate::store::{Address, Store, Tx};
use crate::trail::Entry;
use crate::transfer::progress::CopyProgress;

/// Copies everything from one database into another, and leaves the first one read-only.
#[derive(Debug)]
pub struct Mover {
    source: Store,
    target: Store,
    from: String,
    to: String,
    env: Env,
}

/// Counts rows, and asks after each batch whether to go on.
struct Count<W> {
    watch: W,
    is_check: bool,
    rows: u64,
    of: u64,
}

impl<W: FnMut(CopyProgress) -> ControlFlow<()>> Count<W> {
    fn add(&mut self, table: &'static Table, rows: u64) -> Result<(), MoveError> {
        self.rows += rows;
        let Self { is_check, rows, of, .. } = *self;
        match (self.watch)(CopyProgress { table: table.name, is_check, rows, of }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(MoveError::Stopped),
        }
    }
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: &'static str,
    /// How many rows it has, in both databases.
    pub rows: u64,
    /// SHA-256 over all its rows, the same in both databases.
    pub checksum: String,
}

/// A move that was ended or taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortedMove {
    /// Where the accounts were moved to, without the user's name and password.
    pub to: String,
    /// When everything had been copied; `None` if the move was not finished.
    pub finished_at: Option<Timestamp>,
}

/// Why accounts were not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The source cannot be used as it is.
    #[error("the database to move from: {0}")]
    Source(OpenError),
    /// The target cannot be used as it is.
    #[error("the database to move to: {0}")]
    Target(OpenError),
    /// The target has rows already.
    #[error("the database to move to is not empty: there are rows in the table {0}")]
    NotEmpty(&'static str),
    /// The source has been moved.
    #[error("the accounts have moved from this database to {0} already")]
    AlreadyMoved(String),
    /// A table of the target is not what was read from the source.
    #[error(
        "the table {table} has other rows in the target than in the source: {found} instead of {expected}"
    )]
    Differs {
        /// Its name.
        table: &'static str,
        /// How many rows, and their checksum.
        expected: String,
        /// What the target has.
        found: String,
    },
    /// It was stopped. The source stays read-only.
    #[error("the move was stopped")]
    Stopped,
    /// A database failed. The source stays read-only.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Mover {
    /// Connects to both databases, and brings an empty target to the schema of this program.
    pub async fn connect(from: &Secret, to: &Secret, policy: &DatabasePolicy) -> Result<Self, MoveError> {
        let (from, from_shown) = (from, shown(from).map_err(MoveError::Source)?);
        let to_shown = shown(to).map_err(MoveError::Target)?;
        let env = Env::system();
        let source = open(from, policy, false).await.map_err(MoveError::Source)?;
        check_source(&source).await?;
        let target = open(to, policy, true).await.map_err(MoveError::Target)?;
        let mover = Self { source, target, from: from_shown, to: to_shown, env };
        mover.prepare_target().await?;
        Ok(mover)
    }

    /// Names the operator in the audit trail.
    #[must_use]
    pub fn operated_by(self, operator: Operator) -> Self {
        Self { env: self.env.operated_by(operator), ..self }
    }

    /// Where the accounts come from, without the user's name and password.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Where they go, without the user's name and password.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Makes the source read-only, copies every table and compares what has arrived. `watch` is called after each batch;
    /// where it breaks, the move is stopped and can be run again from its beginning.
    ///
    /// # Errors
    /// After any of them the source stays read-only until the move is run again or [`abort_move`] is called.
    pub async fn run(
        &self,
        watch: impl FnMut(CopyProgress) -> ControlFlow<()>,
    ) -> Result<Vec<MovedTable>, MoveError> {
        let (to, from, now) = (self.to.clone(), self.from.clone(), self.env.now());
        self.target.write(move |tx| begin_target(tx, &from, now)).await?;
        self.source.write::<_, Fault, _>(move |tx| hold::hold(tx, &to, now)).await?;
        // Each row is copied, then compared.
        let of = 2 * self.source.read::<_, Fault, _>(total).await?;
        let mut count = Count { watch, is_check: false, rows: 0, of };
        let mut sent = Vec::new();
        for table in &TABLES {
            sent.push((table, self.send(table, &mut count).await?));
        }
        count.is_check = true;
        let mut moved = Vec::new();
        for (table, expected) in sent {
            let found = contents(&self.target, table, &mut count).await?;
            if found != expected {
                let (expected, found) = (in_words(&expected), in_words(&found));
                return Err(MoveError::Differs { table: table.name, expected, found });
            }
            moved.push(MovedTable { name: table.name, rows: found.rows, checksum: found.checksum });
        }
        let now = self.env.now();
        self.source.write::<_, Fault, _>(move |tx| hold::finish(tx, now)).await?;
        let entry = Entry::by(AuditKind::DatabaseMoved, Actor::Operator)
            .detail(format!("from {} to {}", self.from, self.to));
        let env = self.env.clone();
        let open = move |tx: &mut Tx<'_>| {
            entry.write_to(tx, &env, now)?;
            hold::forget(tx)
        };
        self.target.write::<_, Fault, _>(open).await?;
        Ok(moved)
    }

    /// Closes both databases.
    pub fn close(self) {
        self.source.close();
        self.target.close();
    }

    async fn prepare_target(&self) -> Result<(), MoveError> {
        let failed = |error: MigrateError| MoveError::Target(error.into());
        migrate_up(&self.target, None, self.env.now()).await.map_err(failed)?;
        self.target.read(check_target).await
    }

    async fn send(
        &self,
        table: &'static Table,
        count: &mut Count<impl FnMut(CopyProgress) -> ControlFlow<()>>,
    ) -> Result<Contents, MoveError> {
        let mut reading = Reading::of(table);
        loop {
            let batch = self.source.read(reading.next()).await?;
            if batch.is_empty() {
                return Ok(reading.end());
            }
            let rows = reading.take(&batch);
            self.target.write::<_, Fault, _>(move |tx| insert(tx, table, &batch)).await?;
            count.add(table, rows)?;
        }
    }
}

/// Lets the source of a move take changes again, whether the move was finished or not. `None`: it was no source. The audit
/// trail names the operator of `env`.
pub async fn abort_move(
    url: &Secret,
    policy: &DatabasePolicy,
    env: &Env,
) -> Result<Option<AbortedMove>, OpenError> {
    let store = open(url, policy, false).await?;
    let (env, now) = (env.clone(), env.now());
    let aborted = store.write::<_, Fault, _>(move |tx| {
        let Some(Role::Source { to, finished_at }) = hold::role(tx)? else { return Ok(None) };
        hold::release(tx)?;
        let entry = Entry::by(AuditKind::DatabaseMoved, Actor::Operator);
        entry.detail(format!("the move to {to} was called off")).write_to(tx, &env, now)?;
        Ok(Some(AbortedMove { to, finished_at }))
    });
    let aborted = aborted.await?;
    store.close();
    Ok(aborted)
}

/// Whether and where the accounts of this database are being moved, or were.
pub async fn find_move(url: &Secret, policy: &DatabasePolicy) -> Result<Option<AbortedMove>, OpenError> {
    let store = open(url, policy, false).await?;
    let role = store.read::<_, Fault, _>(hold::role).await?;
    store.close();
    Ok(match role {
        Some(Role::Source { to, finished_at }) => Some(AbortedMove { to, finished_at }),
        _ => None,
    })
}

async fn open(url: &Secret, policy: &DatabasePolicy, may_make: bool) -> Result<Store, OpenError> {
    let policy = DatabasePolicy { connections: 1, ..policy.clone() };
    Ok(Store::open(url, &policy, may_make).await?)
}

fn shown(url: &Secret) -> Result<String, OpenError> {
    Ok(Address::read(url)?.shown())
}

/// An empty database, or one that an unfinished move has filled.
fn check_target(tx: &mut Tx<'_>) -> Result<(), MoveError> {
    if let Some(Role::Target { .. }) = hold::role(tx)? {
        return Ok(());
    }
    first_with_rows(tx)?.map_or(Ok(()), |table| Err(MoveError::NotEmpty(table)))
}

fn begin_target(tx: &mut Tx<'_>, from: &str, now: Timestamp) -> Result<(), MoveError> {
    check_target(tx)?;
    hold::expect_rows(tx, from, now)?;
    Ok(clear(tx)?)
}

/// Every table must be there, and filled by a server.
async fn check_source(source: &Store) -> Result<(), MoveError> {
    match source.read::<_, Fault, _>(hold::role).await? {
        Some(Role::Source { to, finished_at: Some(_) }) => return Err(MoveError::AlreadyMoved(to)),
        Some(Role::Target { from }) => {
            return Err(MoveError::Source(DatabaseError::HalfMoved(from).into()));
        }
        Some(Role::Source { .. }) | None => {}
    }
    let wrong = |error: OpenError| MoveError::Source(error);
    if !source.read::<_, Fault, _>(holds_keys).await? {
        return Err(wrong(DatabaseError::Empty.into()));
    }
    let versions = source.read(|tx: &mut Tx<'_>| status(tx)).await.map_err(|error| wrong(error.into()))?;
    match versions.iter().filter(|version| version.applied_at.is_none()).count() {
        0 => Ok(()),
        pending => Err(wrong(OpenError::Pending(pending))),
    }
}

async fn contents(
    store: &Store,
    table: &'static Table,
    count: &mut Count<impl FnMut(CopyProgress) -> ControlFlow<()>>,
) -> Result<Contents, MoveError> {
    let mut reading = Reading::of(table);
    loop {
        let batch = store.read(reading.next()).await?;
        if batch.is_empty() {
            return Ok(reading.end());
        }
        count.add(table, reading.take(&batch))?;
    }
}

fn in_words(contents: &Contents) -> String {
    format!("{} rows with the checksum {}", contents.rows, contents.checksum)
}
