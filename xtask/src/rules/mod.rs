//! Rules about the sources that no compiler or linter checks.

mod circles;
mod layers;
mod modules;
mod source;
mod text;
mod written;

use self::source::{Source, sources};
use crate::shell::Result;

/// A rule: its findings in one file, as (line, what to do).
type Rule = fn(&Source) -> Vec<(usize, String)>;

const RULES: [Rule; 10] = [
    text::short_rust_file,
    text::short_decision,
    text::no_machine_paths,
    text::no_registry_hosts,
    text::development_mode_is_a_subject,
    layers::sql_in_the_store,
    layers::no_http_in_the_library,
    layers::drivers_in_two_files,
    layers::sessions_begin_at_one_door,
    layers::sessions_end_at_one_door,
];

/// The same for rules that need to see all files; findings are whole lines.
type RuleOfAll = fn(&[Source]) -> Vec<String>;

const RULES_OF_ALL: [RuleOfAll; 2] = [circles::imports, circles::folders_of_few_files];

/// Checks every file that is or would be committed.
pub(crate) fn run() -> Result {
    let sources = sources()?;
    let mut found: Vec<String> = sources.iter().flat_map(violations).collect();
    found.extend(RULES_OF_ALL.iter().flat_map(|rule| rule(&sources)));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings of all rules in a file.
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
