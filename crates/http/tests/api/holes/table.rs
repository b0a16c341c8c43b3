//! The table in `docs/security.md` names every hole, and every test of one beside its row.

use std::collections::BTreeSet;
use std::path::Path;

/// The names of tests in a text, which begin with `hole_b`.
fn named(text: &str, before: &str) -> BTreeSet<String> {
    let rest = text.split(before).skip(1);
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    rest.map(word).filter(|name: &String| name.starts_with("hole_b")).collect()
}

#[test]
fn every_hole_is_in_the_table_with_its_tests() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = std::fs::read_to_string(crates.join("../docs/security.md")).unwrap();
    let section = document.split("\n## Published holes").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| B")).collect();
    assert_eq!(rows.len(), 30);
    let mut files = vec![crates.join("http/tests/api/holes.rs")];
    files.extend(
        ["second_factor", "passkeys"].map(|name| crates.join(format!("accounts/tests/stories/{name}.rs"))),
    );
    let folder = std::fs::read_dir(crates.join("http/tests/api/holes")).unwrap();
    files.extend(folder.map(|entry| entry.unwrap().path()));
    let (mut known, mut missing) = (BTreeSet::new(), BTreeSet::new());
    for path in files {
        let file = path.strip_prefix(crates).unwrap().to_str().unwrap();
        for test in named(&std::fs::read_to_string(&path).unwrap(), "async fn ") {
            let id = test.split('_').nth(1).unwrap().to_uppercase();
            let row = rows.iter().find(|row| row.starts_with(&format!("| {id} |")));
            if !row.is_some_and(|row| row.contains(&format!("`{test}`")) && row.contains(file)) {
                missing.insert(format!("{file}: {test}"));
            }
            known.insert(test);
        }
    }
    assert!(missing.is_empty(), "not beside their rows: {missing:?}");
    for (number, row) in rows.iter().enumerate() {
        assert!(row.starts_with(&format!("| B{} |", number + 1)), "{row}");
        let tests = named(row, "`");
        assert_eq!(row.contains("comes with "), tests.is_empty(), "a test, or what it comes with: {row}");
        assert!(tests.is_subset(&known), "there are no such tests: {:?}", tests.difference(&known));
    }
}
