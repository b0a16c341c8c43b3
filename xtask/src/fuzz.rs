//! Fuzzing for longer than the tests do: each parser of untrusted input gets generated inputs until the time is over.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::shell::{self, Result};

/// Inputs in the first round of a test, and at least in every other.
const FIRST_ROUND: u64 = 200;

/// The targets: packages, and their tests that take one input each.
const TARGETS: [(&str, &str, &[&str]); 2] = [
    (
        "vestibule",
        "",
        &[
            "domain::password::strength::tests::any_text_is_judged_within_the_bound",
            "fuzz::addresses",
            "fuzz::user_names",
            "fuzz::passwords",
            "fuzz::links",
            "fuzz::access_tokens",
            "fuzz::cursors",
            "token::passkey::tests::spellings::any_octets_are_read_or_refused_in_bounded_room",
            "token::passkey::tests::spellings::any_parts_are_verified_or_refused",
            "token::passkey::tests::spellings::any_text_is_parsed_or_refused",
        ],
    ),
    (
        "vestibule-http",
        "extract::",
        &[
            "fuzz::json",
            "fuzz::json_objects",
            "fuzz::forms",
            "fuzz::basic_credentials",
            "fuzz::bearer_schemes",
            "fuzz::cookies",
            "fuzz::forwarded_for",
            "fuzz::hosts",
        ],
    ),
];

/// Runs every target whose name has `part` in it for this long, side by side; ends with the number of inputs of each.
pub(crate) fn run(length: Duration, part: &str) -> Result {
    let mut targets = Vec::new();
    for (package, module, names) in TARGETS {
        let names = names.iter().map(|name| format!("{module}{name}")).filter(|name| name.contains(part));
        let names: Vec<String> = names.collect();
        if !names.is_empty() {
            let tests = built(package)?;
            targets.extend(names.into_iter().map(|name| (tests.clone(), name)));
        }
    }
    if targets.is_empty() {
        return Err(format!("no parser has {part:?} in its name"));
    }
    let results: Vec<Result<(String, u64)>> = std::thread::scope(|scope| {
        let fed = |(tests, name): (PathBuf, String)| scope.spawn(move || feed(&tests, name, length));
        let threads: Vec<_> = targets.into_iter().map(fed).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?).collect()
    });
    for result in results {
        let (name, inputs) = result?;
        println!("{inputs:>9} inputs  {name}");
    }
    Ok(())
}

/// The executable with the unit tests of a package.
fn built(package: &str) -> Result<PathBuf> {
    let output = shell::cargo(["test", "--package", package, "--lib", "--no-run"]).output();
    let said = output.map_err(|error| format!("cargo cannot be run: {error}"))?.stderr;
    let said = String::from_utf8_lossy(&said);
    let path = said.rsplit_once("Executable ").and_then(|(_, rest)| rest.split(['(', ')']).nth(1));
    path.map(|path| shell::root().join(path))
        .ok_or_else(|| format!("the tests of {package} were not built:\n{said}"))
}

/// Feeds new inputs, round after round; each round is as long as the speed so far allows.
fn feed(tests: &Path, name: String, length: Duration) -> Result<(String, u64)> {
    let (begun, mut inputs, mut round) = (Instant::now(), 0, FIRST_ROUND);
    while begun.elapsed() < length {
        let mut test = shell::program(tests);
        let output = test.args(["--exact", &name]).env("PROPTEST_CASES", round.to_string()).output();
        let output = output.map_err(|error| format!("{} cannot be run: {error}", tests.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !said.contains("1 passed") {
            return Err(format!("{name}:\n{said}{}", String::from_utf8_lossy(&output.stderr)));
        }
        inputs += round;
        let left = length.saturating_sub(begun.elapsed()).as_millis();
        let speed = u128::from(inputs) * left / begun.elapsed().as_millis().max(1);
        round = u64::try_from(speed).unwrap_or(FIRST_ROUND).max(FIRST_ROUND);
    }
    Ok((name, inputs))
}
