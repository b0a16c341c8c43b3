//! The list of checks.

use std::env;
use std::time::Instant;

use crate::shell::{Result, cargo, run as execute};
use crate::{deny, faults, openapi, rules, setup};

struct Step {
    name: &'static str,
    purpose: &'static str,
    check: fn() -> Result,
}

/// Cheap checks first. The tests are last, so that the output ends with their summary.
const STEPS: [Step; 12] = [
    Step { name: "setup", purpose: "install the programs the checks need", check: setup::run },
    Step { name: "format", purpose: "cargo fmt changes nothing", check: format },
    Step { name: "rules", purpose: "what the design forbids is not in the sources", check: rules::run },
    Step {
        name: "deny",
        purpose: "licences, banned crates, and who may use which crate (deny.toml)",
        check: deny::run,
    },
    Step { name: "clippy", purpose: "no warning, in code and tests", check: clippy },
    Step { name: "doc", purpose: "the documentation builds without a warning", check: doc },
    Step { name: "sqlite-only", purpose: "no warning in the library without PostgreSQL", check: sqlite_only },
    Step { name: "postgres-only", purpose: "no warning in the library without SQLite", check: postgres_only },
    Step { name: "openapi", purpose: "docs/openapi.json describes the server", check: openapi::check },
    Step {
        name: "faults",
        purpose: "nothing is lost when the server is killed and its database disturbed",
        check: faults::short,
    },
    Step { name: "doctests", purpose: "the examples in the documentation run", check: doctests },
    Step { name: "tests", purpose: "every test, on both databases", check: tests },
];

pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

pub(crate) fn list() {
    for step in &STEPS {
        println!("{:<14} {}", step.name, step.purpose);
    }
}

/// Runs the named checks, or all, and reports how long each took.
pub(crate) fn run(only: &[String]) -> Result {
    let chosen = STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name));
    for Step { name, purpose, check } in chosen {
        eprintln!("==> {name}: {purpose}");
        let start = Instant::now();
        let result = check();
        let seconds = start.elapsed().as_secs_f64();
        result.map_err(|e| format!("{e}\n==> FAILED: {name}, after {seconds:.1} s"))?;
        // After the tests nothing is printed: their summary comes last.
        if *name != "tests" {
            eprintln!("==> {name}: ok, {seconds:.1} s");
        }
    }
    Ok(())
}

fn format() -> Result {
    execute(&mut cargo(["fmt", "--all", "--check"]))
}

fn clippy() -> Result {
    execute(&mut cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))
}

fn doc() -> Result {
    execute(cargo(["doc", "--workspace", "--all-features", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn sqlite_only() -> Result {
    library_with("sqlite")
}

fn postgres_only() -> Result {
    library_with("postgres")
}

fn library_with(feature: &str) -> Result {
    let library = ["clippy", "--package=vestibule", "--no-default-features", "--features", feature];
    // What is superfluous with one database is needed with two: `clippy` above checks that.
    execute(cargo(library).args(["--", "-D", "warnings", "-A", "clippy::pedantic"]))
}

fn doctests() -> Result {
    execute(&mut cargo(["test", "--doc", "--workspace", "--all-features"]))
}

fn tests() -> Result {
    let result = nextest(&[]);
    vestibule_testing::stop_shared();
    result
}

/// The tests, with more arguments for the runner. Their databases are in memory where there is room: a test that syncs waits for
/// all that write.
pub(crate) fn nextest(arguments: &[String]) -> Result {
    let mut command = cargo(["nextest", "run", "--workspace", "--all-features"]);
    if let Some(folder) = vestibule_testing::memory_dir().filter(|_| env::var_os("TMPDIR").is_none()) {
        command.env("TMPDIR", folder);
    }
    execute(command.args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_come_last() {
        assert_eq!(names().last(), Some(&"tests"));
    }
}
