//! How old the newest backup is.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use vestibule::Env;

use super::report::Finding;

const CHECK: &str = "backups";
/// A daily backup may be late by some hours.
const OLD: Duration = Duration::from_hours(30);
const TOO_OLD: Duration = Duration::from_hours(8 * 24);

/// Looks at the files of the folder.
pub(super) fn check(folder: &Path) -> Finding {
    let shown = folder.display();
    let command = format!("vestibule backup create {shown}");
    match newest(folder) {
        Ok(Some(written_at)) => {
            let age = Env::system().now().as_millis().saturating_sub(millis(written_at));
            judged(Duration::from_millis(u64::try_from(age).unwrap_or(0)), folder, command)
        }
        Ok(None) => Finding::fail(CHECK, format!("there is no backup in {shown}")).fix(command),
        Err(error) => Finding::fail(CHECK, format!("the folder {shown} cannot be read: {error}")).fix(
            "name the folder of the backups, as a user who may read it: `vestibule doctor --backups FOLDER`",
        ),
    }
}

fn judged(age: Duration, folder: &Path, command: String) -> Finding {
    let hours = age.as_secs() / 3600;
    let found =
        format!("the newest in {} is {} day(s) and {} hour(s) old", folder.display(), hours / 24, hours % 24);
    let cause = "what made the backups has stopped, or makes them elsewhere";
    match age {
        _ if age > TOO_OLD => Finding::fail(CHECK, found).cause(cause).fix(command),
        _ if age > OLD => Finding::warn(CHECK, found).cause(cause).fix(command),
        _ => Finding::ok(CHECK, found),
    }
}

fn newest(folder: &Path) -> io::Result<Option<SystemTime>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let meta = entry?.metadata()?;
        if meta.is_file() && meta.len() > 0 {
            newest = newest.max(Some(meta.modified()?));
        }
    }
    Ok(newest)
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
