//! Third-party programs for tests, where `cargo xtask setup` installed them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Python, with the packages of `xtask/requirements.txt`.
///
/// # Panics
/// If `cargo xtask setup` has not installed it.
pub fn python() -> Command {
    Command::new(made_by_setup("venv/bin/python"))
}

/// A program from one of those packages, e.g. `schemathesis`.
///
/// # Panics
/// If `cargo xtask setup` has not installed it.
pub fn python_program(name: &str) -> Command {
    Command::new(made_by_setup(&format!("venv/bin/{name}")))
}

/// Node.js, with the path to the packages of `xtask/node/package.json` in `NODE_PACKAGES`. A script loads them with
/// `createRequire(process.env.NODE_PACKAGES)`.
///
/// # Panics
/// If `cargo xtask setup` has not installed them.
pub fn node() -> Command {
    let mut command = Command::new("node");
    command.env("NODE_PACKAGES", node_packages().join("index.js"));
    command
}

/// The folder of those packages, for programs that look for it beside their files.
///
/// # Panics
/// If `cargo xtask setup` has not created it.
pub fn node_packages() -> PathBuf {
    made_by_setup("node/node_modules")
}

/// A program of the system, e.g. `/usr/sbin/nginx`.
///
/// # Panics
/// If it is not installed.
pub fn system_program(path: &str) -> Command {
    assert!(Path::new(path).exists(), "{path} is missing: run `cargo xtask setup`");
    Command::new(path)
}

/// A file in the folder that contains the build, three above the running test (`target/debug/deps/it-…`).
fn made_by_setup(path: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own program");
    let target = test.ancestors().nth(3).expect("a test lies in the build folder");
    let made = target.join(path);
    assert!(made.exists(), "{} is missing: run `cargo xtask setup`", made.display());
    made
}
