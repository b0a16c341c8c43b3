//! The imports between the files of each crate, resolved as the compiler does.

use std::collections::BTreeMap;

use super::source::Source;
use super::written::{Module, Place, Use, Written, read};

/// More re-exports than anyone chains, so that resolving a circular one ends.
const MAX_STEPS: usize = 8;

/// The modules of one crate.
#[derive(Default)]
pub(super) struct Crate {
    modules: BTreeMap<Place, Module>,
}

/// A file needs something from another file of its crate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Import<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) line: usize,
    pub(super) path: String,
}

/// A name is imported from the root of its crate, which only re-exports it.
pub(super) struct Detour<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) path: String,
    /// The module that defines the name.
    pub(super) home: String,
}

/// Every crate of the repository. A file that does not parse as Rust is left to the compiler.
pub(super) fn crates(sources: &[Source]) -> Vec<Crate> {
    let mut crates: BTreeMap<&str, (Crate, Vec<Place>)> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some((root, inner)) = split(&source.path) else { continue };
        let Ok(file) = read(&source.path, &source.text, place(inner)) else { continue };
        let (of, tests) = crates.entry(root).or_default();
        of.modules.extend(file.modules);
        tests.extend(file.tests);
    }
    let without_tests = |(mut of, tests): (Crate, Vec<Place>)| {
        of.modules.retain(|place, _| !tests.iter().any(|test| place.starts_with(test)));
        of
    };
    crates.into_values().map(without_tests).collect()
}

/// `crates/http/src/api/me.rs` → `crates/http`, `api/me.rs`
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let (root, inner) = path.split_once("/src/")?;
    (root == "xtask" || root.strip_prefix("crates/").is_some_and(|name| !name.contains('/')))
        .then_some((root, inner))
}

fn place(inner: &str) -> Place {
    let words = inner.trim_end_matches(".rs").trim_end_matches("/mod");
    if ["lib", "main"].contains(&words) {
        return Place::new();
    }
    words.split('/').map(str::to_owned).collect()
}

impl Crate {
    /// What each file needs from which others. A module's re-export of what is below it does not count.
    pub(super) fn imports(&self) -> Vec<Import<'_>> {
        let mut found = Vec::new();
        for (place, module) in &self.modules {
            let mut add = |written: &Written, target: &[String]| {
                let to = &self.modules[target].file;
                if *to != module.file {
                    let path = written.words.join("::");
                    found.push(Import { from: &module.file, to, line: written.line, path });
                }
            };
            for import in &module.uses {
                let Some((target, _)) = self.target(place, &import.written.words) else { continue };
                if !(import.exported && target.starts_with(place)) {
                    add(&import.written, &target);
                }
            }
            for written in &module.paths {
                if let Some(target) = self.used(place, written) {
                    add(written, &target);
                }
            }
        }
        found
    }

    /// Names imported from the root although they are defined elsewhere.
    pub(super) fn detours(&self) -> Vec<Detour<'_>> {
        let mut found = Vec::new();
        for (place, module) in self.modules.iter().filter(|(place, _)| !place.is_empty()) {
            let uses = module.uses.iter().map(|import| &import.written);
            for written in uses.chain(&module.paths).filter(|written| is_relative(&written.words)) {
                let Some(absolute) = self.absolute(place, &written.words, MAX_STEPS) else { continue };
                let Some((home, _)) = self.target(place, &written.words) else { continue };
                if !home.is_empty() && !absolute.is_empty() && !self.modules.contains_key(&absolute[..1]) {
                    let home = format!("crate::{}", home.join("::"));
                    let path = written.words.join("::");
                    found.push(Detour { file: &module.file, line: written.line, path, home });
                }
            }
        }
        found
    }

    /// The module an inline path leads to. A single word is an import's name, or a variable.
    fn used(&self, place: &[String], written: &Written) -> Option<Place> {
        let [word] = written.words.as_slice() else {
            return self.target(place, &written.words).map(|(target, _)| target);
        };
        let import = self.named(place, word)?;
        let (target, is_module) = self.target(place, &import.written.words)?;
        (!is_module).then_some(target)
    }

    /// The module that defines the name at the end of a path, through re-exports, and whether it is the module itself.
    fn target(&self, place: &[String], words: &[String]) -> Option<(Place, bool)> {
        let mut absolute = self.absolute(place, words, MAX_STEPS)?;
        for _ in 0..MAX_STEPS {
            let known = (0..=absolute.len()).rev().find(|&n| self.modules.contains_key(&absolute[..n]))?;
            let (module, rest) = absolute.split_at(known);
            let Some((name, rest)) = rest.split_first() else { return Some((absolute, true)) };
            let import = self.named(module, name);
            let Some(import) = import else { return Some((module.to_vec(), false)) };
            // The name is another crate's: only the re-export is here.
            let Some(next) = self.absolute(module, &import.written.words, MAX_STEPS) else {
                return Some((module.to_vec(), false));
            };
            absolute = [next.as_slice(), rest].concat();
        }
        None
    }

    /// The path from the root of the crate; `None` for one that leads out of it.
    fn absolute(&self, place: &[String], words: &[String], steps: usize) -> Option<Vec<String>> {
        let (first, rest) = words.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([place, rest].concat()),
            "super" => {
                let up = words.iter().take_while(|word| *word == "super").count();
                let above = place.len().checked_sub(up)?;
                Some([&place[..above], &words[up..]].concat())
            }
            _ => {
                let child = [place, &words[..1]].concat();
                if self.modules.contains_key(&child) {
                    return Some([place, words].concat());
                }
                let import = self.named(place, first)?;
                let before = self.absolute(place, &import.written.words, steps.checked_sub(1)?)?;
                Some([before.as_slice(), rest].concat())
            }
        }
    }

    fn named(&self, place: &[String], name: &str) -> Option<&Use> {
        let uses = &self.modules.get(place)?.uses;
        uses.iter().find(|import| import.name.as_deref() == Some(name))
    }
}

fn is_relative(words: &[String]) -> bool {
    ["crate", "super", "self"].iter().any(|start| words.first().is_some_and(|word| word == start))
}
