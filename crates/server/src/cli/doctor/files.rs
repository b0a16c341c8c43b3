//! The files of the data folder: who may read them, whose they are, who has them open, how much room is left.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::statvfs;

use super::openers::openers;
use super::report::Finding;
use crate::config::settings::{Config, Database};
use crate::data_dir::{is_open_to_others, key_file};

const MIB: u64 = 1024 * 1024;
/// Without this much, the next changes may fail.
const ROOM_FAIL: u64 = 128 * MIB;
/// With less, a busy night may fill it.
const ROOM_WARN: u64 = 1024 * MIB;

/// Checks the files that exist.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.secret_key.is_none() {
        findings.extend(key(config));
    }
    if let Database::Sqlite(path) = &config.database
        && let Ok(meta) = fs::metadata(path)
    {
        findings.push(database_file(path, &meta, config));
        findings.push(room(path, &meta));
        findings.extend(used_by(path));
    }
    findings
}

/// The key file in the data folder. One that the settings name is looked at with the configuration.
fn key(config: &Config) -> Option<Finding> {
    let path = key_file(&config.data_dir);
    let meta = fs::metadata(&path).ok()?;
    let shown = path.display();
    let mode = meta.permissions().mode() & 0o777;
    let found = format!("{shown} has mode {mode:04o} and belongs to the user {}", meta.uid());
    if mode & 0o007 != 0 {
        return Some(
            Finding::fail("key file", found)
                .cause("every user of this machine could make links, codes and tokens")
                .fix(format!("chmod 600 {shown}")),
        );
    }
    if mode & 0o070 != 0 {
        let cause = format!("the group {} may read it, and make links, codes and tokens", meta.gid());
        return Some(Finding::warn("key file", found).cause(cause).fix(format!("chmod 600 {shown}")));
    }
    let Database::Sqlite(database) = &config.database else { return Some(Finding::ok("key file", found)) };
    match fs::metadata(database) {
        Ok(other) if other.uid() != meta.uid() => Some(
            Finding::fail("key file", found)
                .cause(format!("the database belongs to the user {}, who cannot read the key", other.uid()))
                .fix(format!("chown --reference={} {shown}", database.display())),
        ),
        _ => Some(Finding::ok("key file", found)),
    }
}

/// That all users may open it is among the refusals of the configuration.
fn database_file(path: &Path, meta: &Metadata, config: &Config) -> Finding {
    let shown = path.display();
    let mode = meta.permissions().mode() & 0o777;
    let found = format!("{shown} has mode {mode:04o} and belongs to the user {}", meta.uid());
    if is_open_to_others(&config.data_dir) {
        let folder = config.data_dir.display();
        return Finding::fail("database file", found)
            .cause(format!("every user of this machine may exchange the files in {folder}"))
            .fix(format!("chmod 700 {folder}"));
    }
    if mode & 0o077 != 0 {
        let who = if mode & 0o007 != 0 { "every user of this machine" } else { "its group" };
        return Finding::warn("database file", found)
            .cause(format!("{who} may open it, with the addresses and password hashes of all users"))
            .fix(format!("chmod 600 {shown}*"));
    }
    let foreign = ["-wal", "-shm"].iter().find_map(|end| {
        let beside = format!("{shown}{end}");
        let other = fs::metadata(&beside).ok()?;
        (other.uid() != meta.uid()).then_some((beside, other.uid()))
    });
    if let Some((beside, uid)) = foreign {
        return Finding::fail("database file", found)
            .cause(format!("{beside} belongs to the user {uid}: the server cannot write it"))
            .fix(format!("chown --reference={shown} {beside}"));
    }
    Finding::ok("database file", found)
}

fn room(path: &Path, meta: &Metadata) -> Finding {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match statvfs(folder) {
        Ok(disk) => judged(disk.f_bavail.saturating_mul(disk.f_frsize), meta.len(), folder),
        Err(error) => Finding::warn("disk", format!("how much is free is not known: {error}"))
            .fix(format!("df -h {}", folder.display())),
    }
}

/// A backup and a migration need as much room as the database itself.
fn judged(free: u64, used: u64, folder: &Path) -> Finding {
    let folder = folder.display();
    let found =
        format!("{} MiB free beside the database, which takes {} MiB", free / MIB, used.div_ceil(MIB));
    if free < ROOM_FAIL {
        return Finding::fail("disk", found)
            .cause("on a full disk nobody can sign up or in")
            .fix(format!("make room: `du -xh {folder} | sort -h | tail`; or give the volume more"));
    }
    if free < ROOM_WARN || free < used {
        return Finding::warn("disk", found)
            .cause("a backup takes as much room as the database, and the log grows with it")
            .fix(format!("make room: `du -xh {folder} | sort -h | tail`; or give the volume more"));
    }
    Finding::ok("disk", found)
}

/// Who has the database open, as far as this user may see it.
fn used_by(path: &Path) -> Option<Finding> {
    let openers = openers(path)?;
    let names: Vec<_> = openers.iter().map(|it| format!("{} ({})", it.program, it.process)).collect();
    if names.is_empty() {
        return Some(Finding::ok("openers", "no process that this user may see has the database open"));
    }
    let found = format!("the database is open in {}", names.join(", "));
    if openers.iter().filter(|it| it.serves).count() > 1 {
        return Some(
            Finding::fail("openers", found)
                .cause("SQLite is for one server; several share a PostgreSQL")
                .fix("stop all but one: `systemctl stop vestibule`, or `kill PROCESS`"),
        );
    }
    Some(Finding::ok("openers", found))
}

#[cfg(test)]
mod tests {
    use super::super::report::State;
    use super::*;

    #[test]
    fn there_is_room_for_a_copy_and_a_busy_night() {
        let state = |free, used| judged(free * MIB, used * MIB, Path::new("/data")).state;
        assert_eq!(state(127, 1), State::Fail);
        assert_eq!(state(128, 1), State::Warn);
        assert_eq!(state(1024, 1), State::Ok);
        assert_eq!(state(5000, 5001), State::Warn);
    }
}
