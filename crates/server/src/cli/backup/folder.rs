//! A folder of backups: how they are named, and which are deleted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use vestibule::{BackupError, Env, back_up_before_migration};

use crate::config::settings::{Config, Database};
use crate::data_dir;
use crate::failure::Failure;

const BEGINS: &str = "vestibule-";
const ENDS: &str = ".backup";
/// How many backups that were made before a migration are kept.
const BEFORE_MIGRATIONS: usize = 3;

/// The name of a backup of this time. Names in order are times in order.
pub(super) fn name(time: &str) -> String {
    format!("{BEGINS}{}{ENDS}", time.replace(':', "-"))
}

/// Deletes all but the newest `keep` backups. Files with other names stay.
pub(super) fn prune(folder: &Path, keep: usize) -> Result<(), Failure> {
    let cannot = |error: io::Error| {
        Failure::failed(format!("cannot delete the oldest backups in {}: {error}", folder.display()))
    };
    let mut backups = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let is_ours = |name: &str| name.starts_with(BEGINS) && name.ends_with(ENDS);
        if entry.file_name().to_str().is_some_and(is_ours)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            backups.push(entry.path());
        }
    }
    backups.sort();
    let surplus = backups.len().saturating_sub(keep);
    backups.iter().take(surplus).try_for_each(fs::remove_file).map_err(cannot)
}

/// Backs an SQLite database up before its schema changes. `None`: there is none yet, or it is on a server, whose operators
/// have their own.
pub(crate) async fn before_migration(config: &Config) -> Result<Option<PathBuf>, Failure> {
    let Database::Sqlite(path) = &config.database else { return Ok(None) };
    if !path.exists() {
        return Ok(None);
    }
    let key = match &config.secret_key {
        Some(key) => Some(key.clone()),
        None => data_dir::read_key(&config.data_dir)?,
    };
    let folder = path.parent().unwrap_or(Path::new(".")).join("before-migrations");
    data_dir::create(&folder)?;
    let file = folder.join(name(&Env::system().now().to_string()));
    let made = back_up_before_migration(&config.database.url(), key.as_ref(), &file).await;
    made.map_err(|error: BackupError| {
        Failure::from(error).after("no backup was made, and nothing migrated: ")
    })?;
    prune(&folder, BEFORE_MIGRATIONS)?;
    Ok(Some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_backups_are_kept_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().unwrap();
        let days: Vec<String> = (1..=5).map(|day| name(&format!("2026-01-0{day}T03:00:00.000Z"))).collect();
        let others = ["vestibule.db", "vestibule-notes.txt", "my.backup"].map(str::to_owned);
        for name in days.iter().rev().chain(&others) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        prune(folder.path(), 2).unwrap();
        let left: std::collections::BTreeSet<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(left, days[3..].iter().chain(&others).cloned().collect());
        prune(folder.path(), 7).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    }
}
