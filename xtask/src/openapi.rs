//! The committed description of the HTTP API, and whether it is up to date.

use std::fs;
use std::path::PathBuf;

use crate::shell::{Result, cargo, output, program, root, run as execute, target_dir};

/// Writes the server's description of itself to docs/openapi.json.
pub(crate) fn write() -> Result {
    let path = committed();
    fs::write(&path, generated()?).map_err(|e| format!("cannot write {}: {e}", path.display()))
}

/// Fails if docs/openapi.json differs from the server's description.
pub(crate) fn check() -> Result {
    let generated = generated()?;
    let text = fs::read_to_string(committed()).unwrap_or_default();
    match first_difference(&text, &generated) {
        None => Ok(()),
        Some(line) => {
            Err(format!("docs/openapi.json:{line}: not what the server says; run `cargo xtask openapi`"))
        }
    }
}

fn committed() -> PathBuf {
    root().join("docs/openapi.json")
}

/// Built with the whole workspace, so that the dependencies are those the tests use and nothing is compiled twice.
fn generated() -> Result<String> {
    execute(&mut cargo(["build", "--quiet", "--workspace", "--all-features", "--bin=vestibule"]))?;
    let text = output(program(target_dir()?.join("debug/vestibule")).arg("openapi"))?;
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
