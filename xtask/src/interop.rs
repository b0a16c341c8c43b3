//! Comparisons with programs of others, for longer than the tests do: what they decide alike in a test's few cases they must
//! decide alike in many.

use std::time::Instant;

use clap::Args;

use crate::setup;
use crate::shell::{Result, cargo, run as execute};

/// How long to compare.
#[derive(Args)]
pub(crate) struct Options {
    /// Mutated registrations and assertions of passkeys for the second opinion
    #[arg(long, default_value_t = 20_000)]
    rounds: u32,
    /// Cases per operation and phase for Schemathesis
    #[arg(long, default_value_t = 50)]
    examples: u32,
    /// Where both begin: with another number, they make other cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run only this comparison (repeatable)
    #[arg(long, value_name = "NAME", value_parser = names())]
    only: Vec<String>,
}

/// A comparison: a test that reads how much to compare from variables.
struct Comparison {
    name: &'static str,
    purpose: &'static str,
    package: &'static str,
    /// The beginning of the names of its tests.
    tests: &'static str,
    /// Installs what the tests do not need.
    prepare: fn() -> Result,
    variables: fn(&Options) -> Vec<(&'static str, String)>,
}

const COMPARISONS: [Comparison; 3] = [
    Comparison {
        name: "passkeys",
        purpose: "@simplewebauthn/server accepts and refuses the same ceremonies",
        package: "vestibule",
        tests: "token::passkey::tests::second_opinion",
        prepare: || Ok(()),
        variables: |options| {
            vec![
                ("VESTIBULE_SECOND_OPINIONS", options.rounds.to_string()),
                ("VESTIBULE_SECOND_OPINIONS_SEED", options.seed.to_string()),
            ]
        },
    },
    Comparison {
        name: "openapi",
        purpose: "Schemathesis finds the server as its description has it",
        package: "vestibule-server",
        tests: "described::",
        prepare: || Ok(()),
        variables: |options| {
            let given = format!("--max-examples {} --seed {}", options.examples, options.seed);
            vec![("FUZZ_OPTIONS", given)]
        },
    },
    Comparison {
        name: "mcp",
        purpose: "the conformance suite of the Model Context Protocol finds an authorization server",
        package: "vestibule-server",
        tests: "foreign_clients::the_suite_of_mcp",
        prepare: setup::install_mcp,
        variables: |_| Vec::new(),
    },
];

fn names() -> Vec<&'static str> {
    COMPARISONS.iter().map(|comparison| comparison.name).collect()
}

/// Runs the named comparisons, or all, one after the other.
pub(crate) fn run(options: &Options) -> Result {
    setup::run()?;
    let chosen = |comparison: &&Comparison| {
        options.only.is_empty() || options.only.iter().any(|name| name == comparison.name)
    };
    for comparison in COMPARISONS.iter().filter(chosen) {
        let Comparison { name, purpose, package, tests, prepare, variables } = comparison;
        eprintln!("==> {name}: {purpose}");
        prepare()?;
        let start = Instant::now();
        let mut command =
            cargo(["nextest", "run", "--all-features", "--no-tests=fail", "--package", package]);
        // The tests' own time limit is for their own number of cases.
        command.args(["--profile", "interop", "--run-ignored", "all", tests]).envs(variables(options));
        execute(&mut command).map_err(|error| format!("{error}\n==> FAILED: {name}"))?;
        eprintln!("==> {name}: ok, {:.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}
