//! The crates that the program is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::processor::Processor;
use crate::shell::{Result, cargo, output, root};

const PROGRAM: &str = "vestibule-server";

/// A crate at one version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) name: String,
    pub(super) version: String,
}

/// What is known about a crate.
#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    /// As its manifest says it.
    pub(super) licence: String,
    pub(super) uses: BTreeSet<Id>,
    /// SHA-256 of what the registry gave; our own crates have none.
    pub(super) checksum: Option<String>,
    /// Where its sources are.
    pub(super) folder: Option<PathBuf>,
}

/// All crates of the program, by name and version.
pub(super) struct Components(pub(super) BTreeMap<Id, Component>);

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

impl Components {
    /// As built for this processor, without what is only needed to build or to test.
    pub(super) fn of_program(processor: Processor) -> Result<Self> {
        let target = processor.target();
        let mut tree = cargo(["tree", "--locked", "--package", PROGRAM, "--edges=normal", "--prefix=depth"]);
        let tree = output(tree.args(["--format={p}\t{l}", "--target", &target]))?;
        let mut components = parse(&tree);
        let lock = fs::read_to_string(root().join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
        let lock: Lock = toml::from_str(&lock).map_err(|e| format!("Cargo.lock: {e}"))?;
        for Locked { name, version, checksum } in lock.package {
            if let Some(component) = components.get_mut(&Id { name, version }) {
                component.checksum = checksum;
            }
        }
        // Only what this processor needs is fetched.
        let mut metadata = cargo(["metadata", "--locked", "--format-version=1", "--filter-platform"]);
        let metadata = output(metadata.arg(&target))?;
        let metadata: Metadata =
            serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
        for Package { name, version, manifest_path } in metadata.packages {
            if let Some(component) = components.get_mut(&Id { name, version }) {
                component.folder = manifest_path.parent().map(PathBuf::from);
            }
        }
        Ok(Self(components))
    }

    /// The crate of the program itself.
    pub(super) fn program(&self) -> Option<(&Id, &Component)> {
        self.0.iter().find(|(id, _)| id.name == PROGRAM)
    }

    pub(super) fn version(&self) -> &str {
        self.program().map_or("0", |(id, _)| &id.version)
    }
}

/// Parses lines such as `2argon2 v0.6.0\tMIT OR Apache-2.0`: depth, crate, licence. A crate that was there before has
/// ` (*)` after it, and no crates below it.
pub(super) fn parse(tree: &str) -> BTreeMap<Id, Component> {
    let mut components: BTreeMap<Id, Component> = BTreeMap::new();
    let mut above: Vec<Id> = Vec::new();
    for line in tree.lines() {
        let Some((place, licence)) = line.split_once('\t') else { continue };
        let start = place.find(|c: char| !c.is_ascii_digit()).unwrap_or(place.len());
        let (depth, place) = place.split_at(start);
        let mut words = place.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { continue };
        let id = Id { name: name.to_owned(), version: version.trim_start_matches('v').to_owned() };
        above.truncate(depth.parse().unwrap_or(0));
        if let Some(user) = above.last().and_then(|user| components.get_mut(user)) {
            user.uses.insert(id.clone());
        }
        let component = components.entry(id.clone()).or_default();
        if component.licence.is_empty() {
            licence.trim_end_matches("(*)").trim().clone_into(&mut component.licence);
        }
        above.push(id);
    }
    components
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_with_its_edges() {
        let tree = "0app v0.1.0 (/home/app)\tMIT\n1a v1.0.0\tMIT/Apache-2.0\n2b v2.0.0\tISC\n1b v1.0.0\tZlib\n1a v1.0.0\tMIT/Apache-2.0 (*)\n";
        let found = parse(tree);
        let names: Vec<String> = found.keys().map(|id| format!("{} {}", id.name, id.version)).collect();
        assert_eq!(names, ["a 1.0.0", "app 0.1.0", "b 1.0.0", "b 2.0.0"]);
        let uses = |name: &str| -> Vec<&str> {
            let (_, found) = found.iter().find(|(id, _)| id.name == name).unwrap();
            found.uses.iter().map(|id| id.version.as_str()).collect()
        };
        assert_eq!((uses("app"), uses("a")), (vec!["1.0.0", "1.0.0"], vec!["2.0.0"]));
        assert_eq!(found.values().next().unwrap().licence, "MIT/Apache-2.0");
    }

    #[test]
    fn the_program_is_made_of_what_is_locked() {
        let components = Components::of_program(Processor::of_this_machine().unwrap()).unwrap();
        let (id, own) = components.program().unwrap();
        assert!(id.version == env!("CARGO_PKG_VERSION") && own.checksum.is_none() && own.uses.len() > 20);
        let of_others = components.0.iter().filter(|(id, _)| !id.name.starts_with("vestibule"));
        for (id, component) in of_others {
            assert!(component.checksum.is_some() && component.folder.is_some(), "{id:?}");
        }
        let is_there = |name: &str| components.0.keys().any(|id| id.name == name);
        assert!(is_there("rusqlite") && !is_there("proptest") && !is_there("vestibule-testing"));
    }
}
