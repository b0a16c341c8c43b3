//! The licences of the program's parts, which ask to be passed on with it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::components::Components;
use crate::shell::Result;

/// How files with a licence, or with what it wants to be passed on, begin.
const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "NOTICE"];

/// For each crate of others its licence, and the texts that lie beside its sources.
pub(super) fn of(components: &Components) -> Result<String> {
    let mut notices = "Vestibule is made of the following crates of others.\n".to_owned();
    for (id, component) in components.0.iter().filter(|(_, it)| it.checksum.is_some()) {
        let _ = write!(notices, "\n{}\n{} {}: {}\n", "=".repeat(72), id.name, id.version, component.licence);
        let Some(folder) = &component.folder else { continue };
        for (name, text) in texts(folder)? {
            let _ = write!(notices, "\n--- {name}\n\n{}\n", text.trim_end());
        }
    }
    Ok(notices)
}

/// The files of a folder with such names, in order.
fn texts(folder: &Path) -> Result<Vec<(String, String)>> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_one = NAMES.iter().any(|begin| name.to_ascii_uppercase().starts_with(begin));
        if is_one && entry.path().is_file() {
            let bytes = fs::read(entry.path()).map_err(cannot)?;
            texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    texts.sort();
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_found_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["license-mit", "COPYING", "Cargo.toml", "NOTICE.md"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let names: Vec<String> = texts(folder.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["COPYING", "NOTICE.md", "license-mit"]);
    }
}
