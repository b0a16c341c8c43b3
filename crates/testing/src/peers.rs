//! The programs of others that tests talk to, where `cargo xtask setup` put them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Python, with the packages of `xtask/requirements.txt`.
///
/// # Panics
/// When `cargo xtask setup` has not made it.
pub fn python() -> Command {
    Command::new(made_by_setup("venv/bin/python"))
}

/// A program that one of those packages brings, e.g. `schemathesis`.
///
/// # Panics
/// When `cargo xtask setup` has not made it.
pub fn python_program(name: &str) -> Command {
    Command::new(made_by_setup(&format!("venv/bin/{name}")))
}

/// Node.js, told by `NODE_PACKAGES` where the packages of `xtask/node/package.json` are. A script loads them with
/// `createRequire(process.env.NODE_PACKAGES)`.
///
/// # Panics
/// When `cargo xtask setup` has not made them.
pub fn node() -> Command {
    let mut command = Command::new("node");
    command.env("NODE_PACKAGES", node_packages().join("index.js"));
    command
}

/// The folder with those packages, for programs that look for it beside their files.
///
/// # Panics
/// When `cargo xtask setup` has not made it.
pub fn node_packages() -> PathBuf {
    made_by_setup("node/node_modules")
}

/// A program of the system, e.g. `/usr/sbin/nginx`.
///
/// # Panics
/// When it is not installed.
pub fn system_program(path: &str) -> Command {
    assert!(Path::new(path).exists(), "{path} is missing: run `cargo xtask setup`");
    Command::new(path)
}

/// A file in the folder that holds the build, three above the running test (`target/debug/deps/it-…`).
fn made_by_setup(path: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own program");
    let target = test.ancestors().nth(3).expect("a test lies in the build folder");
    let made = target.join(path);
    assert!(made.exists(), "{} is missing: run `cargo xtask setup`", made.display());
    made
}
