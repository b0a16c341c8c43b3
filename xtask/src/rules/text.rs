//! Rules about files as text.

use std::env;

use super::source::Source;
use crate::shell::root;

const RUST_LINES: usize = 400;
const DECISION_LINES: usize = 60;

/// Where packages come from is each machine's own setting. Split in two, so that this file obeys its own rule.
const REGISTRY_HOSTS: [(&str, &str); 8] = [
    ("index.crates", "io"),
    ("static.crates", "io"),
    ("registry.npmjs", "org"),
    ("registry.yarnpkg", "com"),
    ("files.pythonhosted", "org"),
    ("pypi", "org/simple"),
    ("deb.debian", "org"),
    ("proxy.golang", "org"),
];

/// Tests of the mode itself, of its refusals, of the README that begins with it, and of pages; and the helpers that
/// start it.
const OF_DEVELOPMENT_MODE: [&str; 6] = [
    "crates/server/tests/it/administration.rs",
    "crates/server/tests/it/browser.rs",
    "crates/server/tests/it/lifecycle.rs",
    "crates/server/tests/it/readme.rs",
    "crates/server/tests/it/settings.rs",
    "crates/testing/src/site.rs",
];
/// Split in two each, so that this file obeys its own rule.
const DEVELOPMENT_MODE: [(&str, &str); 2] = [("\"--", "dev\""), ("serve_for_", "development")];

/// A Rust file can be read in one sitting.
pub(super) fn short_rust_file(source: &Source) -> Vec<(usize, String)> {
    if source.is_rust() { at_most(source, RUST_LINES) } else { Vec::new() }
}

/// A decision record fits on two screens.
pub(super) fn short_decision(source: &Source) -> Vec<(usize, String)> {
    let is_decision = source.path.starts_with("docs/decisions/") && source.has_extension("md");
    if is_decision { at_most(source, DECISION_LINES) } else { Vec::new() }
}

fn at_most(source: &Source, limit: usize) -> Vec<(usize, String)> {
    let lines = source.text.lines().count();
    let too_long = (lines > limit).then(|| (limit + 1, format!("{lines} lines; the limit is {limit}")));
    too_long.into_iter().collect()
}

/// The repository works wherever it is checked out.
pub(super) fn no_machine_paths(source: &Source) -> Vec<(usize, String)> {
    let own = root().to_string_lossy();
    let home = env::var("HOME").unwrap_or_default();
    // A path with one component, such as /app, is also a sensible place inside an image.
    let specific = own.matches('/').count() > 1;
    let candidates = [(specific, own.as_ref()), (home.len() > 1, home.as_str())];
    let paths = candidates.map(|(named, path)| named.then(|| format!("{path}/")));
    let paths: Vec<&str> = paths.iter().flatten().map(String::as_str).collect();
    lines_with(source, &paths, "is a path of this machine")
}

/// No package registry is named.
pub(super) fn no_registry_hosts(source: &Source) -> Vec<(usize, String)> {
    let hosts = REGISTRY_HOSTS.map(|(name, end)| format!("{name}.{end}"));
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    lines_with(source, &hosts, "is a registry's host; each machine has its own")
}

/// Tests use what people run, not the development mode.
pub(super) fn development_mode_is_a_subject(source: &Source) -> Vec<(usize, String)> {
    let program = source.path.starts_with("crates/server/src/");
    if !source.is_rust() || program || OF_DEVELOPMENT_MODE.contains(&source.path.as_str()) {
        return Vec::new();
    }
    let words = DEVELOPMENT_MODE.map(|(name, end)| format!("{name}{end}"));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    lines_with(source, &words, "is not what people run: use `Site::serve`")
}

fn lines_with(source: &Source, words: &[&str], message: &str) -> Vec<(usize, String)> {
    let numbered = source.text.lines().enumerate();
    let found = numbered.flat_map(|(index, line)| {
        let words = words.iter().filter(move |word| line.contains(**word));
        words.map(move |word| (index + 1, format!("{word} {message}")))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::findings;
    use super::*;

    #[test]
    fn only_rust_files_and_decisions_have_a_length() {
        let long = "word\n".repeat(401);
        assert_eq!(
            findings("crates/http/src/a.rs", &long),
            ["crates/http/src/a.rs:401: 401 lines; the limit is 400"]
        );
        assert_eq!(findings("README.md", &long).len(), 0);
        assert_eq!(findings("docs/decisions/0001-a.md", &"word\n".repeat(60)).len(), 0);
        assert_eq!(findings("docs/decisions/0001-a.md", &"word\n".repeat(61)).len(), 1);
    }

    #[test]
    fn the_path_of_the_working_copy_is_found() {
        let text = format!("see {}/README.md", root().display());
        assert_eq!(findings("docs/a.md", &text).len(), 1);
        assert_eq!(findings("docs/a.md", "see /usr/lib/postgresql and /tmp/x").len(), 0);
    }

    #[test]
    fn development_mode_is_tested_where_it_is_the_subject() {
        let (name, end) = DEVELOPMENT_MODE[0];
        let text = format!("command.args([\"serve\", {name}{end}]);");
        assert_eq!(findings("crates/server/tests/it/keys.rs", &text).len(), 1);
        assert_eq!(findings("xtask/src/bench/program.rs", &text).len(), 1);
        assert_eq!(findings("crates/server/tests/it/settings.rs", &text).len(), 0);
        assert_eq!(findings("crates/server/src/cli.rs", &text).len(), 0);
    }

    #[test]
    fn a_registry_is_found() {
        let (name, end) = REGISTRY_HOSTS[2];
        let text = format!("index-url = https://{name}.{end}/");
        assert_eq!(findings(".npmrc", &text).len(), 1);
    }
}
