//! Licences, banned crates, sources, and which crate may use which: the rules of `deny.toml`, applied to what Cargo
//! would build.
//!
//! The file is in the format of `cargo-deny`, which checks more (advisories) and takes a quarter of an hour to compile.
//! What is needed for each change is checked here in a second.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde::Deserialize;
use spdx::{Expression, ParseMode};

use crate::shell::{Result, cargo, output, root};

/// The registry that Cargo uses by default; where it is fetched from is each machine's own setting.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

/// A crate that only `wrappers` may depend on.
#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    #[serde(default)]
    wrappers: Vec<String>,
    reason: String,
}

/// What is shipped: each crate once, and the dependencies among them.
#[derive(Default)]
struct Built {
    crates: BTreeMap<String, Crate>,
    /// User and used crate, by name.
    edges: BTreeSet<(String, String)>,
}

struct Crate {
    name: String,
    licence: String,
    /// Whether it belongs to this workspace.
    is_own: bool,
}

/// The packages of `Cargo.lock`.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

/// The workspace's own packages, as `cargo metadata` prints them.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Manifest>,
}

#[derive(Deserialize)]
struct Manifest {
    name: String,
    dependencies: Vec<Requirement>,
}

#[derive(Deserialize)]
struct Requirement {
    name: String,
    req: String,
    source: Option<String>,
}

/// Checks what is built for the targets, without development dependencies.
pub(crate) fn run() -> Result {
    let read = |name: &str| fs::read_to_string(root().join(name)).map_err(|e| format!("{name}: {e}"));
    let rules: Rules = toml::from_str(&read("deny.toml")?).map_err(|e| format!("deny.toml: {e}"))?;
    let lock: Lock = toml::from_str(&read("Cargo.lock")?).map_err(|e| format!("Cargo.lock: {e}"))?;
    let own = output(&mut cargo(["metadata", "--no-deps", "--format-version=1"]))?;
    let own: Metadata = serde_json::from_str(&own).map_err(|e| format!("cargo metadata: {e}"))?;
    let built = Built::parse(&tree(&rules.graph.targets)?);
    let mut found = violations(&rules, &built);
    found.extend(lock.package.iter().filter_map(elsewhere));
    found.extend(own.packages.iter().flat_map(wildcards));
    found.sort();
    if found.is_empty() { Ok(()) } else { Err(found.join("\n")) }
}

/// `cargo metadata` would not do: it also lists what only disabled features would add.
fn tree(targets: &[String]) -> Result<String> {
    let mut command = cargo(["tree", "--workspace", "--all-features", "--edges=normal,build"]);
    command.args(["--prefix=depth", "--format={p}\t{l}"]);
    output(command.args(targets.iter().map(|target| format!("--target={target}"))))
}

impl Built {
    /// Parses lines such as `2argon2 v0.6.0\tMIT OR Apache-2.0`: depth, crate, licence.
    fn parse(tree: &str) -> Self {
        let mut built = Self::default();
        let mut above: Vec<String> = Vec::new();
        for line in tree.lines() {
            let Some((place, licence)) = line.split_once('\t') else { continue };
            let start = place.find(|c: char| !c.is_ascii_digit()).unwrap_or(place.len());
            let (depth, place) = place.split_at(start);
            let name = place.split(' ').next().unwrap_or_default().to_owned();
            above.truncate(depth.parse().unwrap_or(0));
            built.edges.extend(above.last().map(|user| (user.clone(), name.clone())));
            above.push(name.clone());
            let licence = licence.trim_end_matches("(*)").trim().to_owned();
            let is_own = place.contains(" (/");
            built.crates.entry(place.to_owned()).or_insert(Crate { name, licence, is_own });
        }
        built
    }
}

fn violations(rules: &Rules, built: &Built) -> Vec<String> {
    let mut found = licences(&rules.licenses.allow, built);
    found.extend(rules.bans.deny.iter().flat_map(|ban| banned(ban, built)));
    found
}

fn elsewhere(locked: &Locked) -> Option<String> {
    let Locked { name, version, source } = locked;
    let source = source.as_deref().filter(|source| *source != REGISTRY)?;
    Some(format!("{name} {version} comes from {source}: only the registry's crates are used"))
}

/// Packages without an allowed licence, and allowed licences that no package has.
fn licences(allowed: &[String], built: &Built) -> Vec<String> {
    let mut needed = BTreeSet::new();
    let mut found = Vec::new();
    for (place, Crate { licence, .. }) in built.crates.iter().filter(|(_, it)| !it.is_own) {
        let is_allowed = Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|one| {
                let one = one.to_string();
                let is_allowed = allowed.contains(&one);
                needed.extend(is_allowed.then_some(one));
                is_allowed
            })
        });
        if !is_allowed {
            found.push(format!("{place}: its licence is {licence:?}, which deny.toml does not allow"));
        }
    }
    let unused = allowed.iter().filter(|one| !needed.contains(*one));
    found.extend(unused.map(|one| format!("deny.toml allows the licence {one}, which no crate has")));
    found
}

fn banned(ban: &Ban, built: &Built) -> Vec<String> {
    let Ban { name, wrappers, reason } = ban;
    if built.crates.values().all(|it| it.name != *name) {
        return Vec::new();
    }
    let users: BTreeSet<&String> =
        built.edges.iter().filter(|(_, used)| used == name).map(|(user, _)| user).collect();
    let others = users.iter().filter(|user| !wrappers.contains(user));
    let idle = wrappers.iter().filter(|wrapper| !users.contains(wrapper));
    let mut found: Vec<_> = others.map(|user| format!("{user} may not depend on {name}: {reason}")).collect();
    found.extend(idle.map(|it| format!("deny.toml lets {it} depend on {name}, which it does not")));
    found
}

fn wildcards(package: &Manifest) -> Vec<String> {
    let any = package.dependencies.iter().filter(|it| it.req == "*" && it.source.is_some());
    any.map(|it| format!("{}: any version of {} would do; name one", package.name, it.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [graph]
        targets = []
        [licenses]
        allow = ["MIT"]
        [[bans.deny]]
        crate = "driver"
        wrappers = ["store"]
        reason = "only the store"
        [[bans.deny]]
        crate = "old"
        reason = "nobody"
    "#;

    fn found(tree: &str) -> Vec<String> {
        violations(&toml::from_str(RULES).unwrap(), &Built::parse(tree))
    }

    #[test]
    fn what_is_allowed_is_not_found() {
        let tree = "0store v1.0.0 (/home/store)\tnone of its own\n1driver v1.0.0\tMIT OR Apache-2.0\n\n\
                    0pages v1.0.0 (/home/pages)\t\n1store v1.0.0 (/home/store)\tnone of its own (*)\n";
        assert_eq!(found(tree), [""; 0]);
    }

    #[test]
    fn licences_are_held_to_the_list() {
        let with = |licence: &str| {
            found(&format!("0store v1.0.0 (/s)\t\n1driver v1.0.0\tMIT\n1it v2.0.0\t{licence}\n"))
        };
        for allowed in ["MIT/Apache-2.0", "GPL-3.0-only OR (MIT)", "MIT (*)"] {
            assert_eq!(with(allowed), [""; 0], "{allowed}");
        }
        for refused in ["Apache-2.0", "MIT AND GPL-3.0-only", "MIT WITH GCC-exception-3.1", "of my own", ""] {
            let words = format!("it v2.0.0: its licence is {refused:?}, which deny.toml does not allow");
            assert_eq!(with(refused), [words]);
        }
        let unused = found("0store v1.0.0 (/s)\t\n");
        assert_eq!(unused, ["deny.toml allows the licence MIT, which no crate has"]);
    }

    #[test]
    fn nobody_but_the_named_depends_on_a_banned_crate() {
        let below = "0store v1.0.0 (/s)\t\n1driver v1.0.0\tMIT\n2old v0.1.0\tMIT\n1other v1.0.0\tMIT\n";
        assert_eq!(found(below), ["driver may not depend on old: nobody"]);
        let moved =
            "0pages v1.0.0 (/p)\t\n1macros v1.0.0 (proc-macro)\tMIT\n2it v1.0.0\tMIT\n1driver v1.0.0\tMIT\n";
        assert_eq!(
            found(moved),
            [
                "pages may not depend on driver: only the store",
                "deny.toml lets store depend on driver, which it does not",
            ]
        );
    }

    #[test]
    fn crates_come_from_the_registry_and_have_a_version() {
        let locked = |source: Option<&str>| {
            let source = source.map(str::to_owned);
            elsewhere(&Locked { name: "driver".into(), version: "1.0.0".into(), source })
        };
        assert_eq!((locked(None), locked(Some(REGISTRY))), (None, None));
        let words = "driver 1.0.0 comes from git+https://example.org/d: only the registry's crates are used";
        assert_eq!(locked(Some("git+https://example.org/d")).as_deref(), Some(words));
        let manifest: Manifest = serde_json::from_str(
            r#"{"name": "store", "dependencies": [{"name": "a", "req": "*", "source": "r"}, {"name": "b", "req": "*", "source": null},
                {"name": "c", "req": "^1", "source": "r"}]}"#,
        )
        .unwrap();
        assert_eq!(wildcards(&manifest), ["store: any version of a would do; name one"]);
    }
}
