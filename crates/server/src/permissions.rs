//! Who may read a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Whether all users may read the file.
pub(crate) fn is_world_readable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}
