//! The list of checks.

use std::env;
use std::panic::resume_unwind;
use std::process::Command;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use crate::shell::{Result, cargo, run as execute};
use crate::{deny, dist, faults, generated, rules, setup};

struct Step {
    name: &'static str,
    purpose: &'static str,
    check: fn() -> Result,
    /// Whether it uses a program that `setup` installs.
    needs_setup: bool,
}

const fn step(name: &'static str, purpose: &'static str, check: fn() -> Result) -> Step {
    Step { name, purpose, check, needs_setup: false }
}

const fn after_setup(name: &'static str, purpose: &'static str, check: fn() -> Result) -> Step {
    Step { name, purpose, check, needs_setup: true }
}

/// Cheap checks first. The tests are last, so that the output ends with their summary.
const STEPS: [Step; 14] = [
    step("setup", "install the programs the checks need", setup::run),
    step("format", "cargo fmt changes nothing", format),
    step("rules", "what the design forbids is not in the sources", rules::run),
    step("deny", "licences, banned crates, and who may use which crate (deny.toml)", deny::run),
    step("clippy", "no warning, in code and tests", clippy),
    step("doc", "the documentation builds without a warning", doc),
    step("sqlite-only", "no warning in the library without PostgreSQL", sqlite_only),
    step("postgres-only", "no warning in the library without SQLite", postgres_only),
    step("openapi", "docs/openapi.json describes the server", openapi),
    step("settings", "docs/settings.md and its schema have every setting", settings),
    step("dist", "every crate can be packed, and the program archived", dist::check),
    after_setup(
        "faults",
        "nothing is lost when the server is killed and its database disturbed",
        faults::short,
    ),
    after_setup("doctests", "the examples in the documentation run", doctests),
    after_setup("tests", "every test, on both databases", tests),
];

pub(crate) fn names() -> Vec<&'static str> {
    STEPS.iter().map(|step| step.name).collect()
}

pub(crate) fn list() {
    for step in &STEPS {
        println!("{:<14} {}", step.name, step.purpose);
    }
}

/// Runs the named checks, or all, and reports how long each took. What `setup` installs is fetched meanwhile: the first checks
/// compile, and use none of it.
pub(crate) fn run(only: &[String]) -> Result {
    let chosen = STEPS.iter().filter(|step| only.is_empty() || only.iter().any(|name| name == step.name));
    thread::scope(|scope| {
        let mut setup = None;
        for step in chosen {
            if step.name == "setup" {
                setup = Some(scope.spawn(|| timed(step)));
                continue;
            }
            if step.needs_setup {
                setup.take().map_or(Ok(()), joined)?;
            }
            timed(step)?;
        }
        setup.map_or(Ok(()), joined)
    })
}

fn joined(setup: ScopedJoinHandle<'_, Result>) -> Result {
    setup.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn timed(Step { name, purpose, check, .. }: &Step) -> Result {
    eprintln!("==> {name}: {purpose}");
    let start = Instant::now();
    let result = check();
    let seconds = start.elapsed().as_secs_f64();
    result.map_err(|e| format!("{e}\n==> FAILED: {name}, after {seconds:.1} s"))?;
    // After the tests nothing is printed: their summary comes last.
    if *name != "tests" {
        eprintln!("==> {name}: ok, {seconds:.1} s");
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

fn openapi() -> Result {
    generated::check(&generated::OPENAPI)
}

fn settings() -> Result {
    generated::check(&generated::SETTINGS)
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
    execute(&mut nextest_command(arguments))
}

/// The same, not yet started.
pub(crate) fn nextest_command(arguments: &[String]) -> Command {
    let mut command = cargo(["nextest", "run", "--workspace", "--all-features"]);
    if let Some(folder) = vestibule_testing::memory_dir().filter(|_| env::var_os("TMPDIR").is_none()) {
        command.env("TMPDIR", folder);
    }
    command.args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tests_come_last() {
        assert_eq!(names().last(), Some(&"tests"));
    }
}
