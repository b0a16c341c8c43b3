//! Rules about imports between files: dependencies between the files of a crate point one way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::modules::{Crate, Import, crates, split};
use super::source::Source;

/// Two files that form one idea, and why. They may import each other.
type Pair<'a> = (&'a str, &'a str, &'a str);

const ALLOWED: [Pair<'static>; 2] = [
    (
        "crates/accounts/src/store/sql.rs",
        "crates/accounts/src/store/sqlite/tx.rs",
        "a closed set of two databases: the surface names its drivers, which read and bind its values",
    ),
    ("crates/accounts/src/store/sql.rs", "crates/accounts/src/store/postgres/tx.rs", "the same"),
];

/// With more files than this in one folder of `src/`, nobody sees which belong together.
const FILES: usize = 16;

/// For each file, the files it imports from and the import.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, Import<'a>>>;

/// Imports point one way, and directly to where a name is defined.
pub(super) fn imports(sources: &[Source]) -> Vec<String> {
    let crates = crates(sources);
    [circles(&crates, &ALLOWED), detours(&crates)].concat()
}

/// No two files of a crate need each other, directly or through others.
fn circles(crates: &[Crate], allowed: &[Pair]) -> Vec<String> {
    let imports: Vec<Import> = crates.iter().flat_map(Crate::imports).collect();
    let needs = |from: &str, to: &str| imports.iter().any(|import| import.from == from && import.to == to);
    let (needed, superfluous): (Vec<Pair>, Vec<Pair>) =
        allowed.iter().copied().partition(|(a, b, _)| needs(a, b) && needs(b, a));
    let superfluous = superfluous.into_iter().map(|(a, b, _)| {
        format!("xtask/src/rules/circles.rs: {a} and {b} do not import each other; take the pair off ALLOWED")
    });
    superfluous.chain(circles_among(graph(imports, &needed))).collect()
}

/// The files of an allowed pair become one node, so that a circle through both is still found.
fn graph<'a>(imports: Vec<Import<'a>>, pairs: &[Pair<'a>]) -> Graph<'a> {
    let node = |mut file: &'a str| {
        for _ in pairs {
            file = pairs.iter().find(|(_, second, _)| *second == file).map_or(file, |(first, _, _)| first);
        }
        file
    };
    let mut graph = Graph::new();
    for import in imports {
        let (from, to) = (node(import.from), node(import.to));
        if from != to {
            graph.entry(from).or_default().entry(to).or_insert(import);
        }
    }
    graph
}

/// One finding for each import to remove, each with the shortest circle that it closes.
fn circles_among(mut graph: Graph) -> Vec<String> {
    let mut found = Vec::new();
    while let Some(nodes) = shortest_circle(&graph) {
        let edges = nodes.iter().zip(nodes.iter().cycle().skip(1));
        let imports: Vec<&Import> = edges.map(|(from, to)| &graph[from][to]).collect();
        // A child that needs its parent is the import that is easiest to reverse.
        let upwards = imports.iter().position(|import| is_below(import.from, import.to));
        let last = upwards.unwrap_or(imports.len() - 1);
        let closing = imports[last];
        let mut files: Vec<&str> = imports.iter().map(|import| import.from).collect();
        files.rotate_left(last);
        let (file, line, path) = (closing.from, closing.line, &closing.path);
        let circle = files.iter().chain([&file]).copied().collect::<Vec<_>>().join(" → ");
        found.push(format!("{file}:{line}: `{path}` closes a circle of files: {circle}"));
        let (from, to) = (nodes[last], nodes[(last + 1) % nodes.len()]);
        graph.get_mut(from).map(|imports| imports.remove(to));
    }
    found
}

fn shortest_circle<'a>(graph: &Graph<'a>) -> Option<Vec<&'a str>> {
    graph.keys().filter_map(|start| circle_from(graph, start)).min_by_key(Vec::len)
}

/// The shortest way from a file back to itself.
fn circle_from<'a>(graph: &Graph<'a>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for &next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                let mut way = vec![file];
                while let Some(before) = came_from.get(way[way.len() - 1]) {
                    way.push(before);
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, file);
                queue.push_back(next);
            }
        }
    }
    None
}

/// Whether a file is in the folder of the other: `ops/admin.rs` is below `ops.rs`, `ops/mod.rs` and `lib.rs`.
fn is_below(file: &str, other: &str) -> bool {
    let of_folder = ["/mod.rs", "/lib.rs", "/main.rs"].iter().find_map(|name| other.strip_suffix(name));
    let folder = of_folder.unwrap_or_else(|| other.trim_end_matches(".rs"));
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Inside a crate a name is imported from the module that defines it; re-exports of the root are for other crates.
fn detours(crates: &[Crate]) -> Vec<String> {
    let detours = crates.iter().flat_map(Crate::detours);
    let found: BTreeSet<String> = detours
        .map(|detour| {
            let (file, line, path, home) = (detour.file, detour.line, detour.path, detour.home);
            format!("{file}:{line}: `{path}` goes through the root of the crate; the name lives in `{home}`")
        })
        .collect();
    found.into_iter().collect()
}

/// A folder has few enough files to take in at a glance.
pub(super) fn folders_of_few_files(sources: &[Source]) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources.iter().filter(|source| source.is_rust() && split(&source.path).is_some()) {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    let crowded = folders.into_iter().filter(|(_, files)| *files > FILES);
    crowded.map(|(folder, files)| format!("{folder}: {files} files; the limit is {FILES}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        let source = |(path, text): &(&str, &str)| Source {
            path: format!("crates/inn/src/{path}"),
            text: (*text).to_owned(),
        };
        files.iter().map(source).collect()
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        circles(&crates(&sources(files)), &[])
    }

    fn told(place: &str, path: &str, files: [&str; 4]) -> String {
        let files = files.map(|file| format!("crates/inn/src/{file}")).join(" → ");
        format!("crates/inn/src/{place}: `{path}` closes a circle of files: {files}")
    }

    #[test]
    fn a_circle_is_found_and_told() {
        let files = [
            ("lib.rs", "mod cellar; mod hall; mod roof;"),
            ("hall.rs", "//! Tables.\nuse crate::cellar::Wine;"),
            ("cellar.rs", "use crate::roof::Rain;\npub(crate) struct Wine;"),
            ("roof.rs", "pub(crate) struct Rain;\n\nfn leaks() { crate::hall::floor() }"),
        ];
        let expected =
            told("hall.rs:2", "crate::cellar::Wine", ["hall.rs", "cellar.rs", "roof.rs", "hall.rs"]);
        assert_eq!(found(&files), [expected]);
        assert_eq!(found(&files[..3]), Vec::<String>::new(), "without the import that closes it");
    }

    #[test]
    fn each_circle_is_told_once() {
        let files = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::b::B; use crate::c::C;"),
            ("b.rs", "use crate::a::A;"),
            ("c.rs", "use crate::a::A;"),
        ];
        assert_eq!(found(&files).len(), 2);
    }

    #[test]
    fn a_parent_re_exports_its_children_and_does_not_need_them() {
        let parent = ("rooms.rs", "mod bath;\npub(crate) use bath::Tub;\npub(crate) struct Key;");
        let child = ("rooms/bath.rs", "use super::Key;\npub(crate) struct Tub;");
        let root = ("lib.rs", "mod rooms;");
        assert_eq!(found(&[root, parent, child]), Vec::<String>::new());

        let needs = ("rooms.rs", "mod bath;\npub(crate) use bath::Tub;\npub(crate) struct Key(Tub);");
        let message = &found(&[root, needs, child])[0];
        assert!(message.starts_with("crates/inn/src/rooms/bath.rs:1: `super::Key` closes"), "{message}");
        let calls = ("rooms.rs", "mod bath;\npub(crate) struct Key;\nfn wash() { bath::fill() }");
        assert_eq!(found(&[root, calls, child]).len(), 1);
    }

    #[test]
    fn re_exports_are_followed() {
        let files = [
            ("lib.rs", "mod rooms;"),
            ("rooms/mod.rs", "mod bath; mod bed;\npub(crate) use bath::Tub;"),
            ("rooms/bath.rs", "use super::bed;\npub(crate) struct Tub;\nfn dry() { bed::make() }"),
            ("rooms/bed.rs", "use super::Tub;"),
        ];
        assert_eq!(found(&files).len(), 1, "bed needs bath, and only the re-export hides it");
        let [first, .., last] = &files;
        assert_eq!(found(&[*first, files[1], *last]), Vec::<String>::new());
    }

    #[test]
    fn macros_and_attributes_count() {
        let with = |text| found(&[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", text)]);
        assert_eq!(with("fn f() { println!(\"{}\", crate::a::name(1)) }").len(), 1);
        assert_eq!(with("#[schema(value = super::a::Value)]\nstruct B;").len(), 1);
        assert_eq!(with("macro_rules! m { () => { $crate::a::f() } }").len(), 1);
        assert_eq!(with("/// [`crate::a::A`]\nstruct B;").len(), 0, "a comment needs nothing");
    }

    #[test]
    fn tests_do_not_count() {
        let with = |text| found(&[("lib.rs", "mod a; mod b;"), ("a.rs", "use crate::b::B;"), ("b.rs", text)]);
        assert_eq!(with("#[cfg(test)]\nmod tests { use crate::a::A; }").len(), 0);
        assert_eq!(with("#[cfg(test)]\nuse crate::a::A;").len(), 0);
        assert_eq!(with("#[cfg(all(test, unix))]\nfn f() { crate::a::f() }").len(), 0);
        assert_eq!(with("#[cfg(unix)]\nfn f() { crate::a::f() }").len(), 1);
        assert_eq!(with("mod inner { fn f() { crate::a::f() } }").len(), 1);

        let declared = |attribute: &str| {
            let parent = format!("{attribute} mod tests;\nfn f() {{ tests::run() }}");
            let root = ("lib.rs", "mod a; mod b;");
            found(&[
                root,
                ("a.rs", "use crate::b::B;"),
                ("b.rs", &parent),
                ("b/tests.rs", "use crate::a::A;"),
            ])
        };
        assert_eq!(declared("#[cfg(test)]").len(), 0);
        assert_eq!(declared("#[cfg(unix)]").len(), 1);
    }

    #[test]
    fn an_allowed_pair_is_one_node() {
        let pair: [Pair; 1] = [("crates/inn/src/a.rs", "crates/inn/src/b.rs", "two halves of one table")];
        let both =
            [("lib.rs", "mod a; mod b; mod c;"), ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::a::A;")];
        assert_eq!(circles(&crates(&sources(&both)), &pair), Vec::<String>::new());

        let third = [both.as_slice(), &[("c.rs", "use crate::a::A;")]].concat();
        assert_eq!(circles(&crates(&sources(&third)), &pair), Vec::<String>::new());
        let through =
            [&both[..2], &[("b.rs", "use crate::a::A; use crate::c::C;"), ("c.rs", "use crate::a::A;")]]
                .concat();
        assert_eq!(circles(&crates(&sources(&through)), &pair).len(), 1, "the pair excuses nobody else");

        let one_way = [both[0], both[1], ("b.rs", "")];
        let message = circles(&crates(&sources(&one_way)), &pair);
        assert!(message[0].contains("take the pair off ALLOWED"), "{message:?}");
    }

    #[test]
    fn names_come_from_where_they_live() {
        let root = ("lib.rs", "mod a; mod b;\npub use a::Name;\npub(crate) struct Own;");
        let with = |text| detours(&crates(&sources(&[root, ("a.rs", ""), ("b.rs", text)])));
        assert_eq!(
            with("use crate::Name;"),
            [
                "crates/inn/src/b.rs:1: `crate::Name` goes through the root of the crate; the name lives in `crate::a`"
            ]
        );
        assert_eq!(with("fn f(name: &super::Name) {}").len(), 1);
        assert_eq!(with("use crate::a::Name;\nuse crate::Own;"), Vec::<String>::new());
        assert_eq!(with("#[cfg(test)]\nmod tests { use crate::Name; }"), Vec::<String>::new());
    }

    #[test]
    fn a_folder_has_few_files() {
        let names: Vec<String> = (0..=FILES).map(|n| format!("ops/f{n}.rs")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
        assert_eq!(folders_of_few_files(&sources(&files[1..])), Vec::<String>::new());
        assert_eq!(folders_of_few_files(&sources(&files)), ["crates/inn/src/ops: 17 files; the limit is 16"]);
    }
}
