//! Restoring a backup: its rows come into a database, and what somebody may have got hold of since no longer counts.
//!
//! In two steps: the rows, in one transaction, with a mark that keeps servers from opening the database; then sessions,
//! links and keys end, in one transaction that removes the mark.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::migrator::migrate_up;
use crate::ops::session_end::end_everything;
use crate::policy::DatabasePolicy;
use crate::settings::{OpenError, OpenMode, Settings};
use crate::store::copy::hold::{self, Role};
use crate::store::copy::restored::{give_up_waiting, void_links, void_recovery_codes};
use crate::store::copy::tables::TABLES;
use crate::store::copy::{first_with_rows, total};
use crate::store::error::DatabaseError;
use crate::store::migrations::{NEWEST, holds_keys};
use crate::store::tables::keys::{StoredKey, insert_signing, signing, update_signing};
use crate::store::{Snapshot, Store, Tx};
use crate::token::keyring::generate;
use crate::trail::Entry;
use crate::transfer::backup::{
    BackupError, BackupManifest, contents, copy_all, failed, fingerprint, open_verified,
};
use crate::transfer::progress::{CopyWatch, Count};

/// How often to look whether others are connected, and how long to wait in between.
const COMPANY_LOOKS: usize = 10;
const COMPANY_PAUSE: Duration = Duration::from_millis(100);

/// How to restore a backup.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestoreOptions {
    /// Delete what the database has. Otherwise one with rows is refused.
    pub replace: bool,
    /// Sessions go on, links and codes work, keys stay.
    pub keep_sessions: bool,
    /// Messages that waited are sent, though most will have been sent since.
    pub resend: bool,
}

/// What was restored, and what ended with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: BackupManifest,
    /// Sessions that ended.
    pub sessions_ended: u64,
    /// Recovery codes that no longer work: those used since the backup would work again.
    pub recovery_codes_voided: u64,
    /// Messages that became dead letters.
    pub mails_given_up: u64,
}

/// Why a backup was not restored. The database is as it was, unless the error says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup cannot be used.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The database has rows already.
    #[error("the database is not empty: there are rows in the table {0}")]
    NotEmpty(&'static str),
    /// Others are connected to the database.
    #[error("{0} other connection(s) use the database: no server may run on it")]
    InUse(i64),
    /// The keys in the backup open with another secret key.
    #[error("the backup {} was made with another secret key", .0.display())]
    WrongKey(PathBuf),
    /// A table is not what was read from the backup.
    #[error("the table {0} did not arrive as the backup has it; nothing was changed")]
    Differs(&'static str),
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Restores the backup `file` into the database of these settings, which is made if it is missing. No server may run on it.
pub async fn restore_backup(
    settings: Settings,
    file: &Path,
    how: RestoreOptions,
) -> Result<Restored, RestoreError> {
    restore_backup_watched(settings, file, how, &CopyWatch::default()).await
}

/// The same, and says how far it is.
pub async fn restore_backup_watched(
    settings: Settings,
    file: &Path,
    how: RestoreOptions,
    watch: &CopyWatch,
) -> Result<Restored, RestoreError> {
    let (manifest, snapshot, draft) = current(file, watch).await?;
    let keys = [Some(&settings.secret_key), settings.previous_secret_key.as_ref()];
    let needed = &manifest.key_fingerprint;
    if !needed.is_empty() && !keys.into_iter().flatten().any(|key| fingerprint(key) == *needed) {
        return Err(RestoreError::WrongKey(file.to_owned()));
    }
    let policy = DatabasePolicy { connections: 1, ..settings.policy.database.clone() };
    let store = Store::open(&settings.database_url, &policy, true).await.map_err(OpenError::from)?;
    store.read(move |tx| check(tx, how)).await?;
    refuse_company(&store).await?;
    let now = settings.env.now();
    migrate_up(&store, None, now).await.map_err(OpenError::from)?;
    let from = format!("the backup {}", file.display());
    let watch = watch.clone();
    store.write(move |tx| fill(tx, &snapshot, how, &from, now, &watch)).await?;
    store.close();
    drop(draft);

    let accounts = Accounts::open_restored(settings).await?;
    let (core, now) = (accounts.0.clone(), accounts.now());
    let (backup, made) = (manifest.clone(), manifest.created_at);
    let restored = accounts.0.store.write(move |tx| end(tx, &core, how, backup.clone(), made, now)).await?;
    accounts.close().await;
    Ok(restored)
}

/// The backup, checked and in the schema of this program; and the folder of the copy that was migrated, if it was older.
async fn current(
    file: &Path,
    watch: &CopyWatch,
) -> Result<(BackupManifest, Snapshot, Option<tempfile::TempDir>), RestoreError> {
    let (path, watch) = (file.to_owned(), watch.clone());
    let opened = tokio::task::spawn_blocking(move || open_verified(&path, &watch)).await;
    let (manifest, snapshot) =
        opened.unwrap_or_else(|error| Err(Fault::Unavailable(error.to_string()).into()))?;
    if manifest.schema == NEWEST {
        return Ok((manifest, snapshot, None));
    }
    let draft = tempfile::tempdir().map_err(failed("make a migrated copy of", file))?;
    let copy = draft.path().join("older.db");
    std::fs::copy(file, &copy).map_err(failed("copy", file))?;
    let url = Secret::from(format!("sqlite:{}", copy.display()));
    let store = Store::open(&url, &DatabasePolicy::default(), false).await.map_err(OpenError::from)?;
    migrate_up(&store, None, manifest.created_at).await.map_err(OpenError::from)?;
    store.close();
    let snapshot = Snapshot::open(&copy).map_err(OpenError::from)?;
    Ok((manifest, snapshot, Some(draft)))
}

/// No server may have the database open. What this program has opened itself may take a moment to be gone.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing tells when a connection of one's own has ended at the server"
)]
async fn refuse_company(store: &Store) -> Result<(), RestoreError> {
    let mut others = 0;
    for _ in 0..COMPANY_LOOKS {
        others = store.other_connections().await?;
        if others == 0 {
            return Ok(());
        }
        tokio::time::sleep(COMPANY_PAUSE).await;
    }
    Err(RestoreError::InUse(others))
}

/// Before anything is changed: a database that is used needs `replace`, whichever schema it has.
fn check(tx: &mut Tx<'_>, how: RestoreOptions) -> Result<(), RestoreError> {
    match hold::role(tx)? {
        Some(Role::Source { to, .. }) => Err(OpenError::from(DatabaseError::Moved(to)).into()),
        None if !how.replace && holds_keys(tx)? => Err(RestoreError::NotEmpty("signing_keys")),
        _ => Ok(()),
    }
}

fn fill(
    tx: &mut Tx<'_>,
    snapshot: &Snapshot,
    how: RestoreOptions,
    from: &str,
    now: Timestamp,
    watch: &CopyWatch,
) -> Result<(), RestoreError> {
    tx.lock_schema()?;
    // Rows of an attempt that came no further are no reason to refuse.
    if hold::role(tx)?.is_none()
        && !how.replace
        && let Some(table) = first_with_rows(tx)?
    {
        return Err(RestoreError::NotEmpty(table));
    }
    hold::expect_rows(tx, from, now)?;
    let mut count = Count::new(watch, 2 * snapshot.read(total)?);
    let read = snapshot.read(|backup| copy_all(backup, tx, &mut count))?;
    count.is_check = true;
    for (table, expected) in TABLES.iter().zip(read) {
        if contents(tx, table, &mut count)? != expected {
            return Err(RestoreError::Differs(table.name));
        }
    }
    Ok(())
}

fn end(
    tx: &mut Tx<'_>,
    core: &Core,
    how: RestoreOptions,
    manifest: BackupManifest,
    made: Timestamp,
    now: Timestamp,
) -> Result<Restored, Fault> {
    tx.lock_schema()?;
    let mails_given_up = if how.resend { 0 } else { give_up_waiting(tx, now)? };
    let recovery_codes_voided = void_recovery_codes(tx, now)?;
    let mut sessions_ended = 0;
    if !how.keep_sessions {
        void_links(tx, now)?;
        sessions_ended = end_everything(tx, core, now)?;
        replace_keys(tx, core, now)?;
    }
    let entry = Entry::by(AuditKind::DatabaseAccepted, Actor::Operator);
    let kept = if how.keep_sessions { "; sessions were kept" } else { "" };
    entry.detail(format!("a backup of {made} was restored{kept}")).write(tx, core, now)?;
    hold::forget(tx)?;
    Ok(Restored { manifest, sessions_ended, recovery_codes_voided, mails_given_up })
}

/// No token of before is valid, whoever may have signed it.
fn replace_keys(tx: &mut Tx<'_>, core: &Core, now: Timestamp) -> Result<(), Fault> {
    for key in signing(tx)?.into_iter().filter(|key| key.lives(now)) {
        update_signing(tx, &StoredKey { retired_at: Some(now), private_key: Vec::new(), ..key })?;
    }
    insert_signing(tx, &generate(&core.root.wrap, core.policy().tokens.algorithm, now, now)?)
}

impl Accounts {
    /// Opens a database whose restore has not ended.
    async fn open_restored(settings: Settings) -> Result<Self, OpenError> {
        Self::open_as_it_is(OpenMode::Everything, settings, false).await
    }
}
