//! Backups: one SQLite file with every row, whichever database they come from, and a manifest that says what it holds.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::secret::Secret;
use crate::domain::secret_key::SecretKey;
use crate::domain::time::Timestamp;
use crate::env::Env;
use crate::fault::Fault;
use crate::migrator::migrate_up;
use crate::policy::DatabasePolicy;
use crate::settings::OpenError;
use crate::store::copy::tables::{TABLES, Table};
use crate::store::copy::{Contents, Reading, clear, insert, manifest, total};
use crate::store::error::{DatabaseError, StoreError};
use crate::store::migrations::{NEWEST, version};
use crate::store::{Snapshot, Store, Tx};
use crate::trail::Entry;
use crate::transfer::progress::{CopyWatch, Count};

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupManifest {
    /// The version of the program that made it.
    pub program: String,
    /// The version of its schema.
    pub schema: i64,
    /// When it was begun: everything acknowledged before is in it.
    pub created_at: Timestamp,
    /// Tells which secret key its keys open with, and nothing of that key; empty if that was not known.
    pub key_fingerprint: String,
    /// Whether that key is in it.
    #[serde(default)]
    pub with_key: bool,
    /// Its tables; none if the program that made it did not know the schema.
    pub tables: Vec<BackupTable>,
}

impl BackupManifest {
    /// How many rows all tables have.
    fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// What a backup says of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupTable {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over all of them.
    pub checksum: String,
}

/// How a backup is made.
#[derive(Clone, Debug, Default)]
pub struct BackupOptions {
    /// Puts the secret key into it: whoever has the file then has everything.
    pub with_key: bool,
    /// Who is told how far it is.
    pub watch: CopyWatch,
}

/// Why a backup was not made, or is not used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something at this path already.
    #[error("there is something at {} already; a backup overwrites nothing", .0.display())]
    Exists(PathBuf),
    /// The file is no backup of this program.
    #[error("{} is no backup: it has no manifest", .0.display())]
    NotABackup(PathBuf),
    /// The file is not what was written.
    #[error("the backup {} is damaged: {cause}", path.display())]
    Damaged {
        /// Its path.
        path: PathBuf,
        /// The place, and what is wrong there.
        cause: String,
    },
    /// The backup is from a newer program.
    #[error("the backup has schema version {found}, this program knows {known}: use a newer program")]
    Newer {
        /// The version of the backup.
        found: i64,
        /// The newest version of this program.
        known: i64,
    },
    /// A database or file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {cause}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The message of the system.
        cause: io::Error,
    },
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}

impl Accounts {
    /// Writes a backup of everything to the file `to`, readable by its owner only. Servers go on reading and writing
    /// meanwhile; what they commit after the beginning is not in it.
    ///
    /// # Errors
    /// [`BackupError::Exists`]: nothing is overwritten. Whatever fails, there is no file `to` afterwards.
    pub async fn back_up(&self, to: &Path) -> Result<BackupManifest, BackupError> {
        self.back_up_with(to, &BackupOptions::default()).await
    }

    /// The same, in another way.
    ///
    /// # Errors
    /// As for [`Self::back_up`].
    pub async fn back_up_with(&self, to: &Path, how: &BackupOptions) -> Result<BackupManifest, BackupError> {
        let made = back_up(&self.0.store, to, self.now(), Some(&self.0.settings.secret_key), how).await?;
        note(&self.0, how.with_key).await;
        Ok(made)
    }
}

/// A backup was made: the trail knows of it. Where it cannot be written to, the backup is there all the same.
async fn note(core: &Arc<Core>, with_key: bool) {
    let entry = Entry::by(AuditKind::BackedUp, Actor::Operator);
    let entry = if with_key { entry.detail("with the secret key") } else { entry };
    let (noting, now) = (core.clone(), core.now());
    let noted: Result<(), Fault> = core.store.write(move |tx| entry.write(tx, &noting, now)).await;
    if let Err(fault) = noted {
        tracing::warn!(%fault, "the audit trail does not know of the backup");
    }
}

/// Writes a backup of a database with the schema of any version, to be made before it is migrated. An older one has no
/// checksums, because only its own program knows its columns.
///
/// # Errors
/// As for [`Accounts::back_up`].
pub async fn back_up_before_migration(
    database_url: &Secret,
    secret_key: Option<&SecretKey>,
    to: &Path,
) -> Result<BackupManifest, BackupError> {
    let store = Store::open(database_url, &DatabasePolicy::default(), false).await?;
    let made = back_up(&store, to, Env::system().now(), secret_key, &BackupOptions::default()).await;
    store.close();
    made
}

async fn back_up(
    store: &Store,
    to: &Path,
    now: Timestamp,
    secret_key: Option<&SecretKey>,
    how: &BackupOptions,
) -> Result<BackupManifest, BackupError> {
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = tempfile::Builder::new().prefix(".vestibule-backup-").tempdir_in(folder);
    let draft = draft.map_err(failed("write to", folder))?;
    let file = draft.path().join("draft.db");
    let read = store.snapshot(&file, &how.watch).await?;
    let (target, folder, how, key) = (to.to_owned(), folder.to_owned(), how.clone(), secret_key.cloned());
    let finish = move || {
        let made = finish(&file, read.as_deref(), now, key.as_ref(), &how)?;
        publish(&file, &target, &folder)?;
        drop(draft);
        Ok(made)
    };
    let finished = tokio::task::spawn_blocking(finish).await;
    finished.unwrap_or_else(|error| Err(Fault::Unavailable(error.to_string()).into()))
}

/// Opens a backup and checks all of it: pages, indexes, and, if it has the schema of this program, every row.
pub async fn verify_backup(path: &Path) -> Result<BackupManifest, BackupError> {
    let path = path.to_owned();
    let verified = tokio::task::spawn_blocking(move || {
        open_verified(&path, &CopyWatch::default()).map(|(manifest, _)| manifest)
    })
    .await;
    verified.unwrap_or_else(|error| Err(Fault::Unavailable(error.to_string()).into()))
}

/// The secret key in a backup that was made with it.
///
/// # Errors
/// [`BackupError`] if the file cannot be read, or the key is damaged.
pub async fn secret_key_of_backup(path: &Path) -> Result<Option<SecretKey>, BackupError> {
    let path = path.to_owned();
    let read = move || -> Result<Option<SecretKey>, BackupError> {
        File::open(&path).map_err(failed("read", &path))?;
        let text = Snapshot::open(&path)?.read(manifest::read_key)?;
        let damaged =
            |_| BackupError::Damaged { path: path.clone(), cause: "its secret key cannot be read".into() };
        text.map(|text| text.parse().map_err(damaged)).transpose()
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.unwrap_or_else(|error| Err(Fault::Unavailable(error.to_string()).into()))
}

/// A backup that was checked.
pub(super) fn open_verified(
    path: &Path,
    watch: &CopyWatch,
) -> Result<(BackupManifest, Snapshot), BackupError> {
    File::open(path).map_err(failed("read", path))?;
    let damaged = |cause: String| BackupError::Damaged { path: path.to_owned(), cause };
    let snapshot = Snapshot::open(path).map_err(|error| match error {
        StoreError::Database(DatabaseError::Damaged { cause, .. }) => damaged(cause),
        error => error.into(),
    })?;
    let text = snapshot.read(manifest::read).map_err(|fault| damaged(fault.to_string()))?;
    let text = text.ok_or_else(|| BackupError::NotABackup(path.to_owned()))?;
    let said: BackupManifest = serde_json::from_str(&text)
        .map_err(|error| damaged(format!("its manifest cannot be read: {error}")))?;
    if said.schema > NEWEST {
        return Err(BackupError::Newer { found: said.schema, known: NEWEST });
    }
    let defects = snapshot.defects().map_err(|fault| damaged(fault.to_string()))?;
    if !defects.is_empty() {
        return Err(damaged(defects.join("; ")));
    }
    // Another version has other columns: its checksums are compared by the program that knows them.
    if said.schema == NEWEST {
        check_tables(&snapshot, &said, watch).map_err(damaged)?;
    }
    Ok((said, snapshot))
}

fn check_tables(snapshot: &Snapshot, said: &BackupManifest, watch: &CopyWatch) -> Result<(), String> {
    if snapshot.read(version).map_err(|fault| fault.to_string())? != said.schema {
        return Err("its schema is not the one of the manifest".to_owned());
    }
    let mut count = Count::check(watch, said.rows());
    for table in &TABLES {
        let found = snapshot.read(|tx| contents(tx, table, &mut count)).map_err(|fault| fault.to_string())?;
        let listed = said.tables.iter().find(|listed| listed.name == table.name);
        let listed = listed.ok_or_else(|| format!("its manifest lacks the table {}", table.name))?;
        if (found.rows, &found.checksum) != (listed.rows, &listed.checksum) {
            return Err(format!(
                "the table {} has {} rows with the checksum {} instead of {} with {}",
                table.name, found.rows, found.checksum, listed.rows, listed.checksum
            ));
        }
    }
    Ok(())
}

/// Writes the manifest of a file that has all rows, and leaves it closed.
fn finish(
    file: &Path,
    read: Option<&[Contents]>,
    created_at: Timestamp,
    key: Option<&SecretKey>,
    how: &BackupOptions,
) -> Result<BackupManifest, BackupError> {
    let snapshot = Snapshot::open_to_write(file)?;
    let schema = snapshot.read(version)?;
    let mut tables = Vec::new();
    let mut count = Count::check(&how.watch, if schema == NEWEST { snapshot.read(total)? } else { 0 });
    // The columns of another version are not known here.
    for (index, table) in TABLES.iter().enumerate().filter(|_| schema == NEWEST) {
        let found = snapshot.read(|tx| contents(tx, table, &mut count))?;
        if let Some(expected) = read.and_then(|read| read.get(index))
            && *expected != found
        {
            let cause = format!("the table {} did not arrive as it was read", table.name);
            return Err(Fault::Unavailable(cause).into());
        }
        tables.push(BackupTable { name: table.name.to_owned(), rows: found.rows, checksum: found.checksum });
    }
    let program = env!("CARGO_PKG_VERSION").to_owned();
    let key_fingerprint = key.map(fingerprint).unwrap_or_default();
    let kept = key.filter(|_| how.with_key);
    let with_key = kept.is_some();
    let made = BackupManifest { program, schema, created_at, key_fingerprint, with_key, tables };
    let text = serde_json::to_string(&made).map_err(|error| Fault::Unavailable(error.to_string()))?;
    snapshot.write(|tx| {
        kept.map_or(Ok(()), |key| manifest::write_key(tx, key.to_hex().expose()))?;
        manifest::write(tx, &text)
    })?;
    snapshot.finish()?;
    Ok(made)
}

/// Gives the file its name once all of it is on the disk. Never takes the place of another.
fn publish(file: &Path, to: &Path, folder: &Path) -> Result<(), BackupError> {
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).map_err(failed("write", file))?;
    File::open(file).and_then(|file| file.sync_all()).map_err(failed("write", file))?;
    std::fs::hard_link(file, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => failed("write", to)(error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write to", folder))
}

/// What a table holds.
pub(super) fn contents(
    tx: &mut Tx<'_>,
    table: &'static Table,
    count: &mut Count<'_>,
) -> Result<Contents, Fault> {
    let mut reading = Reading::of(table);
    loop {
        let batch = reading.next()(tx)?;
        if batch.is_empty() {
            return Ok(reading.end());
        }
        count.add(table.name, reading.take(&batch));
    }
}

/// Tells keys apart, and nothing else: half of a SHA-256 of 32 random bytes.
pub(super) fn fingerprint(key: &SecretKey) -> String {
    let mut sum = Context::new(&SHA256);
    sum.update(b"vestibule: which secret key a backup needs\0");
    sum.update(&*key.0);
    let digest = sum.finish();
    HEXLOWER.encode(digest.as_ref().get(..16).unwrap_or_default())
}

pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |cause| BackupError::File { doing, path, cause }
}

impl Store {
    /// Writes every row, as all of them are at one moment, into the new file `to`; what was read, if the rows were copied
    /// one by one.
    async fn snapshot(&self, to: &Path, watch: &CopyWatch) -> Result<Option<Vec<Contents>>, BackupError> {
        if self.copy_file(to)? {
            return Ok(None);
        }
        let url = Secret::from(format!("sqlite:{}", to.display()));
        let draft = Self::open(&url, &DatabasePolicy::default(), true).await?;
        migrate_up(&draft, None, Timestamp::from_millis(0)).await.map_err(OpenError::from)?;
        draft.close();
        let (file, watch) = (to.to_owned(), watch.clone());
        let copied = self.write(move |tx| -> Result<Vec<Contents>, BackupError> {
            tx.script("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")?;
            let mut count = Count::new(&watch, total(tx)?);
            let draft = Snapshot::open_to_write(&file)?;
            draft.write(|into| copy_all(tx, into, &mut count))
        });
        copied.await.map(Some)
    }
}

pub(super) fn copy_all(
    from: &mut Tx<'_>,
    into: &mut Tx<'_>,
    count: &mut Count<'_>,
) -> Result<Vec<Contents>, BackupError> {
    // It may run again from its beginning.
    clear(into)?;
    let mut copied = Vec::new();
    for table in &TABLES {
        let mut reading = Reading::of(table);
        loop {
            let batch = reading.next()(from)?;
            if batch.is_empty() {
                break;
            }
            let rows = reading.take(&batch);
            insert(into, table, &batch)?;
            count.add(table.name, rows);
        }
        copied.push(reading.end());
    }
    Ok(copied)
}
