//! The shared cluster as seen by its users.
#![expect(clippy::disallowed_methods, reason = "starts processes and threads")]

use std::collections::HashSet;
use std::env;
use std::process::{Command, Stdio};
use std::thread;

use vestibule_testing::{TestDatabase, database, stop_shared};

const CHILD: &str = "VESTIBULE_TESTING_CHILD";

/// Differs between clusters, and between two starts of one.
fn cluster_of(database: &TestDatabase) -> String {
    let rows = database.rows("SELECT current_setting('data_directory') || pg_postmaster_start_time()");
    rows.concat().into_iter().flatten().collect()
}

fn exists(name: &str) -> bool {
    !database().rows(&format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).is_empty()
}

#[test]
fn two_databases_are_separate() {
    let (one, other) = (database(), database());
    one.execute("CREATE TABLE marks (id BIGINT); INSERT INTO marks VALUES (1)");
    assert_eq!(one.rows("SELECT id, NULL FROM marks"), [[Some("1".to_owned()), None]]);
    assert!(other.rows("SELECT 1 FROM pg_tables WHERE tablename = 'marks'").is_empty());
}

#[test]
fn a_database_is_dropped_with_its_value_even_while_in_use() {
    let database = database();
    let name = database.name().to_owned();
    assert!(exists(&name));
    let _open = postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
    drop(database);
    assert!(!exists(&name));
}

/// Run by the test below in separate processes; alone it does nothing.
#[test]
fn child() {
    if env::var_os(CHILD).is_some() {
        println!("cluster: {}", cluster_of(&database()));
    }
}

#[test]
fn eight_first_users_start_one_cluster() {
    let folder = tempfile::Builder::new().prefix("vestibule-pg-").tempdir_in("/tmp").unwrap();
    let command = |test: &str| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", test, "--nocapture"]).env("VESTIBULE_TEST_POSTGRES_DIR", folder.path());
        command.env(CHILD, "1").stdin(Stdio::null());
        command
    };
    let children: Vec<_> = (0..8).map(|_| command("child").stdout(Stdio::piped()).spawn().unwrap()).collect();
    let clusters: HashSet<String> = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let line = text.lines().find(|line| line.contains("cluster: "));
            line.unwrap_or_else(|| panic!("a child failed: {text}")).to_owned()
        })
        .collect();
    assert_eq!(clusters.len(), 1, "{clusters:?}");
    assert!(command("child_stops_it").status().unwrap().success());
    let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"]);
}

/// Run by the test above with a separate folder; alone it leaves the cluster to the other tests.
#[test]
fn child_stops_it() {
    if env::var_os(CHILD).is_some() {
        stop_shared();
    }
}

#[test]
fn eight_threads_share_one_cluster() {
    let databases: Vec<TestDatabase> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(database)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let names: HashSet<&str> = databases.iter().map(TestDatabase::name).collect();
    let clusters: HashSet<String> = databases.iter().map(cluster_of).collect();
    assert_eq!((names.len(), clusters.len()), (8, 1));
}
