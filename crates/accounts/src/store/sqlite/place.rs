//! Where an SQLite database is, and how to connect to it.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

/// Where the database is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In this file.
    File(PathBuf),
    /// In the memory of this process, under this name: all connections to the name share it, and it ends with the last.
    Memory(String),
}

impl Place {
    /// `:memory:`, or the path of a file, which is created.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path == Path::new(":memory:") { Ok(Self::in_memory()) } else { Self::file(path) }
    }

    pub(super) const fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    fn file(path: &Path) -> io::Result<Self> {
        make_private(path)?;
        path.canonicalize().map(Self::File)
    }

    fn in_memory() -> Self {
        static OPENED: AtomicU64 = AtomicU64::new(0);
        // Connections of the process share a name that begins with a slash (sqlite.org, memdb.c).
        Self::Memory(format!("file:/vestibule-{}?vfs=memdb", OPENED.fetch_add(1, Ordering::Relaxed)))
    }

    /// The path of the file, if the database is in one.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Memory(_) => None,
        }
    }

    /// Opens one more connection.
    pub(super) fn connect(&self, pragmas: &str) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags)?,
            Self::Memory(uri) => {
                let flags = flags | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(uri, flags)?
            }
        };
        // Plans do not depend on bound values, so that no statement is recompiled when its bindings are cleared.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;")?;
        connection.execute_batch(pragmas)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(connection)
    }
}

/// The files a connection has open, to notice when they are deleted or replaced: SQLite would continue to write to
/// files that nobody can find.
#[derive(Debug)]
pub(super) struct Files([(PathBuf, Inode); 2]);

/// The number of the device, and of the file on it.
type Inode = (u64, u64);

impl Files {
    /// The files at this path: the database and its log.
    pub(super) fn at(database: &Path) -> io::Result<Self> {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let of = |path: PathBuf| inode(&path).map(|inode| (path, inode));
        Ok(Self([of(database.to_owned())?, of(log.into())?]))
    }

    /// The first that no longer exists.
    pub(super) fn missing(&self) -> Option<&Path> {
        let gone = self.0.iter().find(|(path, opened)| inode(path).ok() != Some(*opened));
        gone.map(|(path, _)| path.as_path())
    }
}

fn inode(path: &Path) -> io::Result<Inode> {
    std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino()))
}

/// Creates an empty file, readable by its owner only, unless there is one. It is named only after its descriptor was
/// closed: a file with that name is opened by SQLite only.
fn make_private(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let made = NamedTempFile::new_in(folder).and_then(|draft| {
        let kept = draft.into_temp_path().persist_noclobber(path);
        kept.map_err(|refused| refused.error)
    });
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
