//! SQLite: one writer thread with group commit, reads on the calling thread. Knows rusqlite, and no table.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use crossbeam_channel::{Receiver, Sender, TrySendError};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::QUEUE_MAX;
use super::job::Job;
use super::sql::{self, Value};
use crate::Fault;

/// Jobs that share one commit. They are never waited for: whoever is in the queue when the writer is free comes along.
const GROUP_MAX: usize = 64;

/// How often a new database is tried to be changed to write-ahead logging, while others do the same.
const WAL_ATTEMPTS: usize = 100;

/// An SQLite database file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    jobs: Sender<Box<dyn Job>>,
    path: Arc<PathBuf>,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(format!("SQLite: {error}"))
    }
}

impl Sqlite {
    /// Opens the file, or makes it, readable by its owner only.
    pub(super) fn open(path: &str) -> Result<Self, Fault> {
        create_private(Path::new(path))?;
        let path = Path::new(path)
            .canonicalize()
            .map_err(|e| Fault::Unavailable(format!("the database file {path} cannot be opened: {e}")))?;
        let writer = connect(&path, "PRAGMA synchronous=FULL;")?;
        keep_a_log(&writer)?;
        let (jobs, queue) = crossbeam_channel::bounded(QUEUE_MAX);
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(&writer, &queue))
            .map_err(|e| Fault::Unavailable(format!("no thread for the database: {e}")))?;
        Ok(Self { jobs, path: Arc::new(path) })
    }

    pub(super) fn queue(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::Unavailable("too many changes wait for the database".into()),
            TrySendError::Disconnected(_) => Fault::Unavailable("the database thread has ended".into()),
        })
    }

    /// Runs `work` here and now on this thread's own read-only connection.
    pub(super) fn read<T, E: From<Fault>>(
        &self,
        work: impl FnOnce(&mut sql::Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = match take_reader(&self.path) {
            Some(connection) => connection,
            None => connect(&self.path, "PRAGMA query_only=ON;")?,
        };
        let result = work(&mut sql::Tx::Sqlite(Tx(&connection)));
        READERS.with_borrow_mut(|readers| readers.push((Arc::downgrade(&self.path), connection)));
        result
    }
}

thread_local! {
    /// This thread's connections, by the database they belong to.
    static READERS: RefCell<Vec<(Weak<PathBuf>, Connection)>> = const { RefCell::new(Vec::new()) };
}

/// Takes this thread's connection out of its place, so that `work` may read again inside; forgets closed databases.
fn take_reader(path: &Arc<PathBuf>) -> Option<Connection> {
    READERS.with_borrow_mut(|readers| {
        readers.retain(|(of, _)| of.strong_count() > 0);
        let index = readers.iter().position(|(of, _)| std::ptr::eq(of.as_ptr(), Arc::as_ptr(path)))?;
        Some(readers.swap_remove(index).1)
    })
}

fn create_private(path: &Path) -> Result<(), Fault> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| {
        Fault::Unavailable(format!("the database file {} cannot be opened: {e}", path.display()))
    })
}

fn connect(path: &Path, pragmas: &str) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;")?;
    connection.execute_batch(pragmas)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Changes a new database to write-ahead logging, once for ever. SQLite does not wait for its lock there, as it does for a
/// transaction's; so where others are at it, wait for a transaction, and look again.
fn keep_a_log(connection: &Connection) -> Result<(), Fault> {
    let change = || connection.execute_batch("PRAGMA journal_mode=WAL;");
    for _ in 0..WAL_ATTEMPTS {
        match change() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN EXCLUSIVE; COMMIT;")?;
            }
            changed => return Ok(changed?),
        }
    }
    Ok(change()?)
}

/// The writer: takes what waits, commits it together, answers. Ends when the store is dropped.
fn serve(connection: &Connection, queue: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        while group.len() < GROUP_MAX {
            match queue.try_recv() {
                Ok(job) => group.push(job),
                Err(_) => break,
            }
        }
        commit_group(connection, group);
    }
}

/// Runs each job in a savepoint of one transaction; their answers are given after its commit.
fn commit_group(connection: &Connection, mut group: Vec<Box<dyn Job>>) {
    let outcomes = run_group(connection, &mut group);
    // Whatever went wrong above, the next group starts with a clean connection.
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a failed transaction was not rolled back");
    }
    match outcomes {
        Ok(()) => {
            for job in group {
                job.finish(Ok(()));
            }
        }
        Err(error) => {
            let cause = Fault::from(error).to_string();
            tracing::error!(cause, "a transaction failed");
            for job in group {
                job.finish(Err(Fault::Unavailable(cause.clone())));
            }
        }
    }
}

fn run_group(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), rusqlite::Error> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for job in group {
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        if !job.run(&mut sql::Tx::Sqlite(Tx(connection))) {
            // Fails when SQLite has already given up the whole transaction (full disk): then nobody is told "done".
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
    }
    connection.prepare_cached("COMMIT")?.execute([]).map(drop)
}

/// A connection, inside or outside a transaction.
pub(crate) struct Tx<'c>(&'c Connection);

impl Tx<'_> {
    pub(super) fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64, Fault> {
        let rows = self.0.prepare_cached(&numbered(sql))?.execute(rusqlite::params_from_iter(args))?;
        Ok(rows as u64)
    }

    pub(super) fn rows<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut map: impl FnMut(&sql::Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let mut rows = statement.query(rusqlite::params_from_iter(args))?;
        let mut mapped = Vec::new();
        while let Some(row) = rows.next()? {
            mapped.push(map(&sql::Row::Sqlite(Row(row)))?);
        }
        Ok(mapped)
    }

    pub(super) fn script(&mut self, sql: &str) -> Result<(), Fault> {
        Ok(self.0.execute_batch(sql)?)
    }
}

/// `$1` names a parameter for PostgreSQL; SQLite counts by number only when it is written `?1`.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Int(Some(number)) => ValueRef::Integer(*number),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Text(None) | Self::Int(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

pub(crate) struct Row<'r>(&'r rusqlite::Row<'r>);

impl Row<'_> {
    pub(super) fn text(&self, index: usize) -> Result<Option<String>, Fault> {
        Ok(self.0.get(index)?)
    }

    pub(super) fn int(&self, index: usize) -> Result<Option<i64>, Fault> {
        Ok(self.0.get(index)?)
    }

    pub(super) fn bytes(&self, index: usize) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.0.get(index)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::super::sql::{Tx, args};
    use super::*;
    use crate::Secret;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let url = Secret::from(format!("sqlite:{}", folder.path().join("test.db").display()));
        (folder, Store::open(&url).unwrap())
    }

    fn insert(tx: &mut Tx<'_>, number: i64) -> Result<u64, Fault> {
        tx.execute("INSERT INTO t (n, filling) VALUES ($1, $2)", args![number, vec![0_u8; 20_000]])
    }

    async fn rows(store: &Store) -> i64 {
        store.read(|tx| tx.count("SELECT COUNT(*) FROM t", &[])).await.unwrap()
    }

    // Several programs may be the first at once; the change to WAL does not wait for others by itself.
    #[test]
    fn many_may_open_a_new_database_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("test.db");
            let path = path.to_str().unwrap();
            let together = std::sync::Barrier::new(16);
            let opened = std::thread::scope(|scope| {
                let open = || {
                    together.wait();
                    Sqlite::open(path).map(drop).map_err(|fault| fault.to_string())
                };
                let threads: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(opened, vec![Ok(()); 16]);
            let mode = Connection::open(path).unwrap().query_one("PRAGMA journal_mode", [], |row| row.get(0));
            assert_eq!(mode, Ok("wal".to_owned()));
        }
    }

    // Jobs that share a commit do not share their failures.
    #[tokio::test]
    async fn a_failing_job_takes_nobody_with_it() {
        let (_folder, store) = store();
        store.write(|tx| tx.script("CREATE TABLE t (n BIGINT PRIMARY KEY, filling BYTEA)")).await.unwrap();
        let jobs = (0..40).map(|number| {
            store.write(move |tx| -> Result<(), Fault> {
                insert(tx, number)?;
                assert!(number != 7, "a job that panics");
                if number % 2 == 1 { Err(Fault::Unavailable("refused".into())) } else { Ok(()) }
            })
        });
        let results = futures_util::future::join_all(jobs).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 20);
        assert_eq!(rows(&store).await, 20);
    }

    // G4: on a full disk nobody is told "done", what was committed before stays, and the store recovers.
    #[tokio::test]
    async fn a_full_disk_loses_nothing() {
        let (_folder, store) = store();
        let begin = "CREATE TABLE t (n BIGINT PRIMARY KEY, filling BYTEA); PRAGMA max_page_count = 60";
        store.write(move |tx| tx.script(begin)).await.unwrap();
        let mut done = 0;
        for round in 0..8 {
            let jobs = (0..5).map(|number| store.write(move |tx| insert(tx, round * 5 + number)));
            done += futures_util::future::join_all(jobs).await.iter().filter(|done| done.is_ok()).count();
        }
        assert!((1..40).contains(&done), "the disk was filled: {done}");
        assert_eq!(usize::try_from(rows(&store).await).unwrap(), done);
        store.write(|tx| tx.script("PRAGMA max_page_count = 1000")).await.unwrap();
        store.write(|tx| insert(tx, 1000)).await.unwrap();
    }

    // The file holds password hashes: its owner reads it, and nobody else.
    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, store) = store();
        store.write(|tx| tx.script("CREATE TABLE t (n BIGINT PRIMARY KEY)")).await.unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
