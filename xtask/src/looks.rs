//! Pictures of every page in every state and of every mail, laid out on sheets, for whoever looks before a release.

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::setup;
use crate::shell::{Result, program, root, run as execute, target_dir};
use crate::steps;

/// What to look at.
#[derive(Args)]
pub(crate) struct Options {
    /// Where the pictures go, with an `index.html`
    folder: PathBuf,
    /// Only the tests with this in their name, e.g. `users` or `mails`
    #[arg(default_value = "")]
    only: String,
}

pub(crate) fn run(options: &Options) -> Result {
    let Options { folder, only } = options;
    fs::create_dir_all(folder).map_err(|e| format!("cannot create {}: {e}", folder.display()))?;
    let folder = folder.canonicalize().map_err(|e| format!("{}: {e}", folder.display()))?;
    setup::run()?;
    // The picture of the README is taken apart, into a folder of its own.
    let wanted = format!(
        "test(/browser::.*{only}/) and test(/looks_|asks_for|first_administrator/) and not test(readme)"
    );
    let mut tests = steps::nextest_command(&["--no-fail-fast".to_owned(), "-E".to_owned(), wanted]);
    let looked = execute(tests.env("VESTIBULE_SCREENSHOTS", &folder));
    let packages = target_dir()?.join("node/node_modules/index.js");
    let script = root().join("crates/server/tests/browser/sheets.mjs");
    let mut sheets = program("node");
    execute(sheets.env("NODE_PACKAGES", packages).arg(script).arg(&folder))?;
    looked
}
