//! SQLite: one writer thread with group commit, reads on the calling thread. Knows rusqlite, but no table.
//!
//! **Nothing but SQLite opens the database file.** A process that closes any descriptor of a file loses all its POSIX
//! locks on it (`fcntl`), including those of SQLite's own connections. Other programs then take themselves for the only
//! user, and delete the write-ahead log with everything that was committed to it.

mod mark;
mod place;
mod refusal;
mod snapshot;
#[cfg(test)]
pub(super) mod steps;
mod surveyor;
pub(super) mod tx;
mod watch;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, TrySendError};
use rusqlite::{Connection, ErrorCode, ffi};
use thread_local::ThreadLocal;

use super::error::StoreError;
use super::job::{Job, QUEUE_MAX};
use super::times::Groups;
use super::{pulse, sql};
use crate::fault::Fault;
use place::Place;
pub(crate) use snapshot::Snapshot;
use surveyor::Surveyor;
use tx::Tx;
use watch::Watch;
use writer::{Order, serve};

/// How often to try to change a new database to write-ahead logging while others do the same.
const WAL_ATTEMPTS: usize = 100;

/// An SQLite database file, and all connections of this value to it.
#[derive(Debug)]
pub(crate) struct Sqlite {
    orders: Sender<Order>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// One connection per reading thread, taken out while in use.
    readers: ThreadLocal<Mutex<Option<Connection>>>,
    surveyor: Surveyor,
    closed: AtomicBool,
    place: Place,
    groups: Arc<Groups>,
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            pulse::damaged();
        }
        // The only triggers are those that hold a database while it is moved.
        if error.sqlite_error().is_some_and(|it| it.extended_code == ffi::SQLITE_CONSTRAINT_TRIGGER) {
            return Self::ReadOnly;
        }
        Self::Unavailable(format!("SQLite: {error}"))
    }
}

impl Sqlite {
    /// Opens the file, or creates it readable by its owner only.
    /// `:memory:` is a new database each time, for tests.
    pub(super) fn open(path: &str) -> Result<Self, StoreError> {
        let path = Path::new(path);
        let known = Watch::before(path)?;
        let place = Place::of(path).map_err(|error| refusal::of_file(path, &error))?;
        let connection = open_writer(&place).map_err(|error| refusal::of(path, error))?;
        let watch = place.path().map(|path| Watch::begin(path, known, &connection)).transpose()?;
        let (orders, queue) = crossbeam_channel::bounded(QUEUE_MAX);
        let groups = Arc::<Groups>::default();
        let counted = Arc::clone(&groups);
        let writer = std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || serve(&connection, watch.as_ref(), &queue, &counted))
            .map_err(|e| StoreError::Fault(Fault::Unavailable(format!("no thread for the database: {e}"))))?;
        let (writer, closed) = (Mutex::new(Some(writer)), AtomicBool::new(false));
        let surveyor = Surveyor::start(place.clone()).map_err(StoreError::Fault)?;
        Ok(Self { orders, writer, readers: ThreadLocal::new(), surveyor, closed, place, groups })
    }

    pub(super) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Accepts the file at this path as the current one from now on.
    pub(super) fn accept(path: &str) -> Result<(), StoreError> {
        watch::accept(Path::new(path))
    }

    /// Copies the database, as it is at this moment, into a new file.
    pub(super) fn copy_to(&self, to: &Path) -> Result<(), Fault> {
        let in_memory = || Fault::Unavailable("a database in memory has no backup".into());
        Snapshot::take(self.place.path().ok_or_else(in_memory)?, to)
    }

    pub(super) fn queue(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.orders.try_send(Order::Run(job)).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::Unavailable("too many changes wait for the database".into()),
            TrySendError::Disconnected(_) => Fault::Unavailable("the database is closed".into()),
        })
    }

    /// Queues a read that may take long, for the thread that runs such reads.
    pub(super) fn queue_survey(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.surveyor.queue(job)
    }

    /// Runs `work` immediately on this thread's own read-only connection.
    pub(super) fn read<T, E: From<Fault>>(
        &self,
        work: impl FnOnce(&mut sql::Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(Fault::Unavailable("the database is closed".into()).into());
        }
        let place = self.readers.get_or_default();
        // Taken out, so that `work` may read again inside.
        let waiting = lock(place).take();
        let connection = match waiting {
            Some(connection) => connection,
            None => self.place.connect("PRAGMA query_only=ON;").map_err(Fault::from)?,
        };
        let result = work(&mut sql::Tx::Sqlite(Tx(&connection)));
        let mut place = lock(place);
        if !self.closed.load(Ordering::SeqCst) {
            *place = Some(connection);
        }
        result
    }

    /// Runs what is queued, then closes every connection. The last connection to close moves the write-ahead log into
    /// the file and deletes it: afterwards the database is one file, unless another program has it open.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for place in &self.readers {
            drop(lock(place).take());
        }
        self.surveyor.close();
        let Some(writer) = lock(&self.writer).take() else { return };
        let _ = self.orders.send(Order::Close);
        // A job with the last reference drops it on the writer itself, which cannot wait for its own end.
        if writer.thread().id() != std::thread::current().id() && writer.join().is_err() {
            tracing::error!("the database thread panicked");
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The connection that writes. A file that is not a database, damaged or write-protected is found here, not at the
/// first sign-up.
fn open_writer(place: &Place) -> rusqlite::Result<Connection> {
    let connection = place.connect("PRAGMA synchronous=FULL;")?;
    if place.is_file() {
        keep_a_log(&connection)?;
    }
    connection.execute_batch("SELECT COUNT(*) FROM sqlite_schema;")?;
    // SQLite also opens a read-only file, and even begins a transaction on it.
    if connection.is_readonly("main")? {
        return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None));
    }
    Ok(connection)
}

/// Changes a new database to write-ahead logging, once and for all. SQLite does not wait for its lock there, as it does
/// for a transaction's; so while others do the same, wait for a transaction and look again.
fn keep_a_log(connection: &Connection) -> rusqlite::Result<()> {
    let change = || connection.execute_batch("PRAGMA journal_mode=WAL;");
    for _ in 0..WAL_ATTEMPTS {
        match change() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN EXCLUSIVE; COMMIT;")?;
            }
            changed => return changed,
        }
    }
    change()
}

#[cfg(test)]
mod tests {
    use super::super::sql::{Tx, args};
    use super::super::{Database, Store};
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let store = Store::new(Database::Sqlite(Box::new(Sqlite::open(path.to_str().unwrap()).unwrap())));
        (folder, store)
    }

    fn insert(tx: &mut Tx<'_>, number: i64) -> Result<u64, Fault> {
        tx.execute("INSERT INTO t (n, filling) VALUES ($1, $2)", args![number, vec![0_u8; 20_000]])
    }

    async fn rows(store: &Store) -> i64 {
        store.read(|tx| tx.count("SELECT COUNT(*) FROM t", &[])).await.unwrap()
    }

    // Several programs may open it first concurrently; the change to WAL does not wait for others by itself.
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
                    Sqlite::open(path).map(drop).map_err(|error| format!("{error:?}"))
                };
                let threads: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            assert_eq!(opened, vec![Ok(()); 16]);
            let mode = Connection::open(path).unwrap().query_one("PRAGMA journal_mode", [], |row| row.get(0));
            assert_eq!(mode, Ok("wal".to_owned()));
        }
    }

    // Several connections share one database; each opening makes another; and no file of that name exists.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_database_in_memory_is_whole_and_one_s_own() {
        let open = || Store::new(Database::Sqlite(Box::new(Sqlite::open(":memory:").unwrap())));
        let (store, other) = (open(), open());
        for store in [&store, &other] {
            store
                .write(|tx| tx.script("CREATE TABLE t (n BIGINT PRIMARY KEY, filling BYTEA)"))
                .await
                .unwrap();
        }
        let store = std::sync::Arc::new(store);
        let tasks = (0..8).map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..25 {
                    store.write(move |tx| insert(tx, task * 25 + number)).await.unwrap();
                    assert!(rows(&store).await > number);
                }
            })
        });
        futures_util::future::try_join_all(tasks.collect::<Vec<_>>()).await.unwrap();
        assert_eq!((rows(&store).await, rows(&other).await), (200, 0));
        assert!(!std::path::Path::new(":memory:").exists());
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

    // A job that shares its commit with nobody has no savepoint, and takes back what it did as well.
    #[tokio::test]
    async fn a_failing_job_alone_leaves_nothing() {
        let (_folder, store) = store();
        store.write(|tx| tx.script("CREATE TABLE t (n BIGINT PRIMARY KEY, filling BYTEA)")).await.unwrap();
        for panics in [false, true] {
            let failed = store.write(move |tx| -> Result<(), Fault> {
                insert(tx, 1)?;
                assert!(!panics, "a job that panics");
                Err(Fault::Unavailable("refused".into()))
            });
            assert!(failed.await.is_err());
            assert_eq!(rows(&store).await, 0);
        }
        store.write(|tx| insert(tx, 1)).await.unwrap();
        assert_eq!(rows(&store).await, 1);
    }

    // G4: on a full disk nothing is acknowledged, what was committed before stays, and the store recovers.
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

    // The file contains password hashes: only its owner may read it.
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

    // A statement that binds a value not covered by its index would be recompiled whenever its bindings are cleared,
    // which the cache does on each return.
    #[tokio::test]
    async fn a_look_up_is_compiled_once() {
        const LOOK_UP: &str =
            "SELECT v.ended FROM guests g JOIN visits v ON v.of = g.id WHERE v.id = $1 AND g.id = $2";
        let (_folder, store) = store();
        let make = |tx: &mut Tx<'_>| {
            tx.script(
                "CREATE TABLE guests (id BIGINT NOT NULL PRIMARY KEY); INSERT INTO guests (id) VALUES (2); \
                 CREATE TABLE visits (id BIGINT NOT NULL PRIMARY KEY, of BIGINT NOT NULL, ended BIGINT)",
            )?;
            tx.execute("INSERT INTO visits (id, of) VALUES ($1, $2)", args![1_i64, 2_i64])
        };
        assert_eq!(store.write::<_, Fault, _>(make).await.unwrap(), 1);
        let look_up = |tx: &mut Tx<'_>| {
            steps::take_compiled_again();
            for _ in 0..20 {
                let found = tx.row(LOOK_UP, args![1_i64, 2_i64], |row| row.get_opt::<i64>(0))?;
                assert_eq!(found, Some(None));
            }
            Ok(steps::take_compiled_again())
        };
        assert_eq!(store.read::<_, Fault, _>(look_up).await.unwrap(), 0);
    }
}
