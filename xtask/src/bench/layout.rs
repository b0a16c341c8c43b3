//! Which functions a server runs until it is idle, for the linker: crates/server/build.rs.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::thread::sleep;

use super::program::{Running, release, release_with_names};
use super::start::SETTLE;
use crate::shell::{Result, program, root};

const FILE: &str = "crates/server/idle.ld";
/// Of a mangled name: enough to tell functions apart, few enough that the instances of a generic one stay together.
const NAME_MAX: usize = 48;

/// Fewer than this many functions do not start a server: the record is of no use.
const NAMES_MIN: usize = 1000;

/// Writes the list anew.
pub(crate) fn write() -> Result {
    let path = root().join(FILE);
    let before = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let put =
        |text: &str| fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()));
    // Without a list, as Valgrind knows no names in sections other than `.text`.
    put("")?;
    let names = names().inspect_err(|_| drop(put(&before)))?;
    put(&script(&names))?;
    println!("{FILE}: {} functions", names.len());
    release().map(drop)
}

fn names() -> Result<BTreeSet<String>> {
    let binary = release_with_names()?;
    let data = tempfile::tempdir().map_err(|e| format!("no temporary folder: {e}"))?;
    // Creates the database, which an idle server has.
    let mut first = Running::start(&binary, data.path())?;
    first.first_200("/readyz")?;
    first.stop();
    let names = executed(&record(&binary, data.path())?, "/vestibule");
    if names.len() < NAMES_MIN { Err(format!("only {} functions were seen", names.len())) } else { Ok(names) }
}

/// What Valgrind writes about the calls of a start.
fn record(binary: &Path, data: &Path) -> Result<String> {
    let path = data.join("calls");
    let mut valgrind = program("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind", "--demangle=no"]);
    valgrind.arg(format!("--callgrind-out-file={}", path.display())).arg(binary);
    let mut server = Running::start_by(valgrind, data)?;
    server.first_200("/livez")?;
    server.first_200("/readyz")?;
    sleep(SETTLE);
    server.stop();
    fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// The functions of the program that were run. A name is written out where it is first mentioned, `(7) main`, and is its
/// number later.
fn executed(calls: &str, file: &str) -> BTreeSet<String> {
    let (mut files, mut functions) = (HashMap::new(), HashMap::new());
    let mut in_program = false;
    let mut executed = BTreeSet::new();
    for (key, value) in calls.lines().filter_map(|line| line.split_once('=')) {
        match key {
            "ob" => in_program = named(&mut files, value).ends_with(file),
            "cob" => drop(named(&mut files, value)),
            "fn" => {
                let name = named(&mut functions, value);
                if in_program && is_symbol(&name) {
                    executed.insert(name);
                }
            }
            "cfn" => drop(named(&mut functions, value)),
            _ => {}
        }
    }
    executed
}

/// Not an address, and not a description such as `(below main)`.
fn is_symbol(name: &str) -> bool {
    !name.starts_with("0x") && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.$".contains(c))
}

fn named(known: &mut HashMap<String, String>, value: &str) -> String {
    let (number, name) = value.split_once(' ').unwrap_or((value, ""));
    if !name.is_empty() {
        known.insert(number.to_owned(), name.to_owned());
    }
    known.get(number).cloned().unwrap_or_default()
}

/// The beginnings of the names, without what differs from build to build.
fn patterns(names: &BTreeSet<String>) -> Vec<String> {
    let all: BTreeSet<String> = names.iter().map(|name| pattern(name)).collect();
    let mut kept: Vec<String> = Vec::new();
    for next in all {
        if !kept.last().and_then(|last| last.strip_suffix('*')).is_some_and(|last| next.starts_with(last)) {
            kept.push(next);
        }
    }
    kept
}

fn pattern(name: &str) -> String {
    if name.starts_with("_ZN") {
        // `…17h0123456789abcdefE`: a hash, and what the optimiser appends.
        let hash = name.rfind("17h").unwrap_or(name.len());
        return format!("{}*", &name[..hash.min(NAME_MAX)]);
    }
    if name.starts_with("_R") {
        let cut = format!("{:.1$}", without_crate_hashes(name), NAME_MAX);
        return format!("{}*", cut.trim_end_matches('*'));
    }
    match name.split_once("aws_lc_") {
        Some((before, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c == '_' || c.is_ascii_digit());
            format!("{before}aws_lc_*_{rest}")
        }
        None => name.to_owned(),
    }
}

/// `Cs1234_4core` is a crate with a hash.
fn without_crate_hashes(name: &str) -> String {
    let mut parts = name.split("Cs");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let crate_name =
            part.split_once('_').filter(|(hash, _)| hash.chars().all(|c| c.is_ascii_alphanumeric()));
        match crate_name {
            Some((_, rest)) => text.extend(["C*_", rest]),
            None => text.extend(["Cs", part]),
        }
    }
    text
}

fn script(names: &BTreeSet<String>) -> String {
    // A function that is marked as cold is in `.text.unlikely.<name>`.
    let lines: Vec<String> = patterns(names).iter().map(|one| format!("    *(.text*{one})")).collect();
    let lines = lines.join("\n");
    format!(
        "/* Written by `cargo xtask layout`: what a server runs until it is idle. A name that is no longer right does no \
         harm. */\nSECTIONS\n{{\n  .text.idle : {{\n{lines}\n  }}\n}}\nINSERT BEFORE .text;\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_from_the_record() {
        let calls = "ob=(1) /lib/libc.so.6\nfn=(1) memcpy\ncob=(2) /x/vestibule\ncfn=(2) main\ncalls=1 0\n\
                     ob=(2)\nfn=(2)\n+3 1\ncfn=(3) never\nfn=(4) 0x000000000001f0a0\nfn=(5) (below main)\nob=(1)\nfn=(6) open\n";
        assert_eq!(executed(calls, "/vestibule"), BTreeSet::from(["main".to_owned()]));
    }

    #[test]
    fn patterns_outlive_a_build() {
        let cases = [
            ("sqlite3VdbeExec", "sqlite3VdbeExec"),
            ("aws_lc_0_47_0_OPENSSL_cleanse", "aws_lc_*_OPENSSL_cleanse"),
            ("_ZN9vestibule4main17h0123456789abcdefE", "_ZN9vestibule4main*"),
            ("_ZN9vestibule4main17h0123456789abcdefE.llvm.123", "_ZN9vestibule4main*"),
            ("_RNvMNtCshjp3fV_4core3str", "_RNvMNtC*_4core3str*"),
        ];
        for (name, expected) in cases {
            assert_eq!(pattern(name), expected);
        }
        assert!(pattern(&format!("_ZN{}", "a".repeat(100))).len() <= NAME_MAX + 1);
    }

    #[test]
    fn a_pattern_covers_longer_ones() {
        let names =
            ["_ZN1a1b17h0123456789abcdefE", "_ZN1a1b1c17h0123456789abcdefE", "f", "ff"].map(str::to_owned);
        assert_eq!(patterns(&BTreeSet::from(names)), ["_ZN1a1b*", "f", "ff"]);
    }
}
