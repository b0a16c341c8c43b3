//! How far an import of a file has come, kept in a file beside it, where `--resume` goes on.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

/// Where an import ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// How many records are done, from the beginning of the file.
    pub(crate) records: u64,
    /// The digest of the last of them, by which the place is recognised.
    pub(crate) last: String,
    /// Which database they went into.
    pub(crate) database: String,
}

/// The file that keeps a [`Mark`].
pub(crate) struct Bookmark(PathBuf);

impl Bookmark {
    /// That of a file of users: its name, with `.resume` after it.
    pub(crate) fn beside(file: &Path) -> Self {
        let mut path = file.as_os_str().to_owned();
        path.push(".resume");
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// `None`: no import of the file has been interrupted.
    pub(crate) fn read(&self) -> io::Result<Option<Mark>> {
        match fs::read(&self.0) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// In one step, so that a crash leaves this mark or the one before. Only its owner may read it.
    pub(crate) fn put(&self, mark: &Mark) -> io::Result<()> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec(mark)?)?;
        file.persist(&self.0)?;
        Ok(())
    }

    /// The import is at its end.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Tells records apart.
pub(crate) fn digest(record: &[u8]) -> String {
    Sha256::digest(record).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_kept_until_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let bookmark = Bookmark::beside(&folder.path().join("users.jsonl"));
        assert_eq!(bookmark.path().file_name().unwrap(), "users.jsonl.resume");
        assert_eq!(bookmark.read().unwrap(), None);
        bookmark.remove().unwrap();
        for records in [250, 500] {
            let mark = Mark { records, last: digest(b"{}"), database: "sqlite:x".to_owned() };
            bookmark.put(&mark).unwrap();
            assert_eq!(bookmark.read().unwrap(), Some(mark));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(bookmark.path(), "{").unwrap();
        assert!(bookmark.read().is_err());
        bookmark.remove().unwrap();
        assert_eq!(bookmark.read().unwrap(), None);
        assert_ne!(digest(b"a"), digest(b"b"));
    }
}
