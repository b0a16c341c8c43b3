//! The data folder: created on first use, for its owner only, with the secret key in a file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use vestibule::SecretKey;

use crate::failure::Failure;
use crate::permissions::is_world_readable;

const KEY_FILE: &str = "secret.key";

/// Creates the folder with mode 0700, unless it exists.
pub(crate) fn create(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| cannot("make the data folder", folder, &error))
}

/// The path of this folder's key file.
pub(crate) fn key_file(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

/// The key in the folder's key file, if there is one.
pub(crate) fn read_key(folder: &Path) -> Result<Option<SecretKey>, Failure> {
    let path = key_file(folder);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot("read the secret key", &path, &error)),
    };
    if is_world_readable(&path) {
        let cause = format!("every user of this machine can read the secret key {}", path.display());
        return Err(Failure::config(cause).fix(format!("chmod 600 {}", path.display())));
    }
    let key = text.trim_end().parse().map_err(|error| {
        Failure::config(format!("{}: {error}", path.display()))
            .fix("restore the file from the backup of the data folder")
    })?;
    Ok(Some(key))
}

/// The key in the folder's key file, which is created if missing. Processes that start together get the same key.
pub(crate) fn read_or_make_key(folder: &Path) -> Result<SecretKey, Failure> {
    if let Some(key) = read_key(folder)? {
        return Ok(key);
    }
    let path = key_file(folder);
    let made = make_key(folder, &path, &SecretKey::generate());
    made.map_err(|error| cannot("write the secret key", &path, &error))?;
    // Whichever process came first: the key that counts is the one in the file.
    read_key(folder)?.ok_or_else(|| Failure::failed(format!("{} is gone", path.display())))
}

/// Puts this key into the folder's key file, unless there is one; whether it did.
pub(crate) fn keep_key(folder: &Path, key: &SecretKey) -> Result<bool, Failure> {
    if read_key(folder)?.is_some() {
        return Ok(false);
    }
    let path = key_file(folder);
    make_key(folder, &path, key).map_err(|error| cannot("write the secret key", &path, &error))?;
    Ok(true)
}

/// Written under another name and then linked, so that the file is never incomplete; linking never replaces a file.
fn make_key(folder: &Path, path: &Path, key: &SecretKey) -> io::Result<()> {
    let draft = folder.join(format!("{KEY_FILE}.{}", std::process::id()));
    let written = write_new(&draft, key).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result,
    });
    let removed = fs::remove_file(&draft);
    written.and(removed)?;
    // Otherwise a power cut could keep the database and lose its key.
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, key: &SecretKey) -> io::Result<()> {
    // A leftover draft of an earlier process with this id.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key.to_hex().expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    let cause = format!("cannot {what} {}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Failure::permission(cause)
            .fix("let the user that runs vestibule write there, or name another folder with VESTIBULE_DATA_DIR"),
        _ => Failure::failed(cause).fix("name a folder on a local disk with VESTIBULE_DATA_DIR"),
    }
}

/// Whether others may add files to the folder, and so replace the database and the key. Containers and orchestrators
/// create such folders where there are no other users, so it is logged rather than refused.
pub(crate) fn is_open_to_others(folder: &Path) -> bool {
    let sticky_or_closed = |mode: u32| mode & 0o002 == 0 || mode & 0o1000 != 0;
    fs::metadata(folder).is_ok_and(|meta| !sticky_or_closed(meta.permissions().mode()))
}

/// Marks the database file as used by this server, while the value lives. `None`: another server uses it.
pub(crate) fn claim(database: &Path) -> Option<File> {
    let mut name = database.as_os_str().to_owned();
    name.push(".server");
    let claim = OpenOptions::new().create(true).append(true).mode(0o600).open(name);
    // If the file cannot be created there is nothing to report: the database will fail by itself.
    claim.ok().filter(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folder_and_key_are_for_their_owner_only() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/data");
        create(&folder).unwrap();
        assert!(read_key(&folder).unwrap().is_none());
        let key = read_or_make_key(&folder).unwrap();
        assert_eq!((mode(&folder), mode(&key_file(&folder))), (0o700, 0o600));
        let again = read_or_make_key(&folder).unwrap();
        assert_eq!(key.to_hex().expose(), again.to_hex().expose());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no draft is left");
        create(&folder).unwrap();
    }

    #[test]
    fn a_key_that_lost_the_race_is_thrown_away() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_make_key(folder.path()).unwrap();
        make_key(folder.path(), &key_file(folder.path()), &SecretKey::generate()).unwrap();
        let second = read_key(folder.path()).unwrap().unwrap();
        assert_eq!(first.to_hex().expose(), second.to_hex().expose());
    }

    #[test]
    fn an_exposed_or_broken_key_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        read_or_make_key(folder.path()).unwrap();
        let path = key_file(folder.path());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read_key(folder.path()).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "short").unwrap();
        assert!(read_key(folder.path()).unwrap_err().to_string().contains("backup"));
    }
}
