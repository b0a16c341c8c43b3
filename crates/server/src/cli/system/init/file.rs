//! Writes new files, all of them or none.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A file to be written.
pub(super) struct Draft {
    /// Its path in the folder.
    pub(super) path: &'static str,
    pub(super) text: String,
    /// Whether only its owner may read it, and the folder it is in.
    pub(super) secret: bool,
}

/// Writes the files and returns their paths. If one is there already, or cannot be written, there is none of them.
pub(super) fn write_all(folder: &Path, drafts: &[Draft]) -> Result<Vec<PathBuf>, Failure> {
    let there: Vec<String> = drafts
        .iter()
        .map(|draft| folder.join(draft.path))
        .filter(|path| path.symlink_metadata().is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !there.is_empty() {
        return Err(Failure::failed(format!("nothing was written: there is already {}", there.join(", ")))
            .fix("name an empty folder with --into, or move these files away"));
    }
    let mut written = Vec::new();
    for draft in drafts {
        let path = folder.join(draft.path);
        if let Err(error) = write(&path, draft) {
            // What was made a moment ago is of no use alone.
            for path in &written {
                let _ = fs::remove_file(path);
            }
            return Err(failure(&path, &error));
        }
        written.push(path);
    }
    Ok(written)
}

fn write(path: &Path, draft: &Draft) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(if draft.secret { 0o700 } else { 0o755 }).create(folder)?;
    }
    let mode = if draft.secret { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    let done = file.write_all(draft.text.as_bytes()).and_then(|()| file.sync_all());
    done.inspect_err(|_| drop(fs::remove_file(path)))
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let cause = format!("nothing was written: cannot write {}: {error}", path.display());
    let failure = match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::permission(cause),
        _ => Failure::failed(cause),
    };
    failure.fix("name a folder that you may write to with --into")
}
