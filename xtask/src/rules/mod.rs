//! Rules about the sources that no compiler or linter knows.

mod layers;
mod text;

use std::fs;
use std::path::Path;

use crate::shell::{Result, output, program, root};

/// A file of the repository.
struct Source {
    /// From the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|own| own == extension)
    }

    /// The numbered lines that are not only a comment.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let numbered = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// A rule: what it finds wrong in one file, as (line, what to do).
type Rule = fn(&Source) -> Vec<(usize, String)>;

const RULES: [Rule; 7] = [
    text::short_rust_file,
    text::short_decision,
    text::no_machine_paths,
    text::no_registry_hosts,
    layers::sql_in_the_store,
    layers::no_http_in_the_library,
    layers::drivers_in_two_files,
];

/// Checks every file that is or would be committed.
pub(crate) fn run() -> Result {
    let mut found: Vec<String> = sources()?.iter().flat_map(violations).collect();
    if found.is_empty() {
        return Ok(());
    }
    found.sort();
    Err(found.join("\n"))
}

fn violations(source: &Source) -> Vec<String> {
    let found = RULES.iter().flat_map(|rule| rule(source));
    found.map(|(line, message)| format!("{}:{line}: {message}", source.path)).collect()
}

fn sources() -> Result<Vec<Source>> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let paths = output(program("git").args(list))?;
    let read = |path: &str| {
        // A file that was deleted, or is not text, has nothing to check.
        let text = fs::read_to_string(root().join(path)).ok()?;
        Some(Source { path: path.to_owned(), text })
    };
    Ok(paths.split_terminator('\0').filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What all rules say about a file.
    pub(super) fn findings(path: &str, text: &str) -> Vec<String> {
        violations(&Source { path: path.to_owned(), text: text.to_owned() })
    }

    #[test]
    fn a_finding_names_file_and_line() {
        let text = "//! Words.\nuse axum::Router;\n";
        let expected = "crates/accounts/src/ops/sign_up.rs:2: `axum`: the library knows no HTTP; that belongs to crates/http";
        assert_eq!(findings("crates/accounts/src/ops/sign_up.rs", text), [expected]);
    }
}
