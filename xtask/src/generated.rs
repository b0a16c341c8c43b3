//! Committed files that the program prints itself, and whether they are up to date.

use std::fs;

use crate::shell::{AS_FOR_TESTS, Result, cargo, output, program, root, run as execute, target_dir};

/// A committed file, and the command of `vestibule` that prints it.
pub(crate) struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
    /// The task that writes it.
    task: &'static str,
}

/// The description of the HTTP API.
pub(crate) const OPENAPI: [Generated; 1] =
    [Generated { path: "docs/openapi.json", arguments: &["openapi"], task: "openapi" }];

/// The reference of all settings, and the schema of their file.
pub(crate) const SETTINGS: [Generated; 2] = [
    Generated { path: "docs/settings.md", arguments: &["settings"], task: "settings" },
    Generated { path: "docs/settings.schema.json", arguments: &["settings", "--schema"], task: "settings" },
];

/// Writes the files anew.
pub(crate) fn write(files: &[Generated]) -> Result {
    files.iter().try_for_each(|file| {
        let path = root().join(file.path);
        fs::write(&path, generated(file)?).map_err(|e| format!("cannot write {}: {e}", path.display()))
    })
}

/// Fails if a committed file differs from what the program prints.
pub(crate) fn check(files: &[Generated]) -> Result {
    files.iter().try_for_each(|file| {
        let text = fs::read_to_string(root().join(file.path)).unwrap_or_default();
        match first_difference(&text, &generated(file)?) {
            None => Ok(()),
            Some(line) => {
                let (path, task) = (file.path, file.task);
                Err(format!("{path}:{line}: not what the program says; run `cargo xtask {task}`"))
            }
        }
    })
}

fn generated(file: &Generated) -> Result<String> {
    execute(cargo(["build", "--quiet", "--bin=vestibule"]).args(AS_FOR_TESTS))?;
    let text = output(program(target_dir()?.join("debug/vestibule")).args(file.arguments))?;
    Ok(format!("{}\n", text.trim_end()))
}

/// The number of the first line that differs.
fn first_difference(one: &str, other: &str) -> Option<usize> {
    if one == other {
        return None;
    }
    let same = one.lines().zip(other.lines()).take_while(|(a, b)| a == b).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_found_in_its_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("", "a\n"), Some(1));
    }
}
