//! A database file that lacks acknowledged commits is not accepted as the current one.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use vestibule_testing::{Finished, PASSWORD, Server, Site};

fn database(site: &Site) -> PathBuf {
    site.path("vestibule-data/vestibule.db")
}

fn log(site: &Site) -> PathBuf {
    site.path("vestibule-data/vestibule.db-wal")
}

/// A site whose server was killed: its last changes are only in the log.
fn killed() -> Site {
    let site = stopped();
    let mut server = site.serve();
    server.http().sign_up("ada@example.org", PASSWORD);
    server.signal("-KILL");
    server.ended();
    site
}

/// A site whose server has created its database and has stopped.
fn stopped() -> Site {
    let site = Site::sqlite();
    let mut server = site.serve();
    server.signal("-TERM");
    assert!(server.ended().success());
    site
}

fn start(site: &Site) -> Finished {
    Finished::of(&mut site.serving(&[]))
}

fn accept(site: &Site) -> Finished {
    site.run(&["database", "accept", "--reason", "restored of the night"])
}

/// Nothing uses the database until it is accepted, and then everything does.
#[track_caller]
fn is_refused_until_accepted(site: &Site, cause: &str) {
    start(site).refused(3, cause).refused(3, "vestibule database accept --reason");
    site.run(&["user", "list"]).refused(3, cause);
    site.run(&["database", "accept"]).refused(2, "--reason");
    site.run(&["database", "accept", "--reason", " "]).refused(2, "the reason is empty");
    start(site).refused(3, cause);
    accept(site).ok();
    site.serve().http().sign_up("grace@example.org", PASSWORD);
}

// G5
#[test]
fn a_database_without_its_log_is_refused() {
    let site = killed();
    fs::remove_file(log(&site)).unwrap();
    is_refused_until_accepted(&site, "vestibule.db lacks its last ");
    let trail = site.run(&["audit", "tail", "--json"]).ok();
    assert!(trail.stdout.contains("database_accepted") && trail.stdout.contains("restored of the night"));
}

// G5: SQLite silently ends a log at the first damaged page.
#[test]
fn a_database_with_a_damaged_log_is_refused() {
    let site = killed();
    let log = fs::OpenOptions::new().write(true).open(log(&site)).unwrap();
    // In the page of its first frame.
    log.write_all_at(&[0xaa; 64], 32 + 24 + 1000).unwrap();
    is_refused_until_accepted(&site, "vestibule.db lacks its last ");
}

#[test]
fn a_database_of_postgresql_needs_no_accepting() {
    accept(&Site::postgres()).refused(2, "only an SQLite database is accepted");
}

// G5
#[test]
fn an_older_copy_is_refused() {
    let site = stopped();
    let copy = site.path("copy.db");
    fs::copy(database(&site), &copy).unwrap();
    let mut server = site.serve();
    server.http().sign_up("ada@example.org", PASSWORD);
    server.signal("-TERM");
    assert!(server.ended().success());
    fs::copy(&copy, database(&site)).unwrap();
    is_refused_until_accepted(&site, "replaced by an older copy");
}

// G5
#[test]
fn an_emptied_or_deleted_database_is_refused() {
    let deeds: [fn(&Path); 2] = [|path| fs::write(path, "").unwrap(), |path| fs::remove_file(path).unwrap()];
    for deed in deeds {
        let site = stopped();
        deed(&database(&site));
        let missing = "vestibule.db is missing or empty, though a server has used it";
        start(&site).refused(3, missing).refused(3, "vestibule database accept --reason");
        assert!(accept(&site).ok().stderr.contains("begins anew"));
        site.serve().http().sign_up("grace@example.org", PASSWORD);
    }
}

#[track_caller]
fn takes_nothing(server: &Server) {
    let wish = json!({ "email": "grace@example.org", "password": PASSWORD });
    assert_eq!(server.http().post("/v1/signup", None, &wish).status, 503);
    assert_eq!(server.get("/readyz").status, 503);
}

// G4: a change that nobody would find again is not acknowledged.
#[test]
fn a_database_that_is_deleted_under_a_server_takes_nothing() {
    for gone in [database, log] {
        let site = Site::sqlite();
        let server = site.serve();
        server.http().sign_up("ada@example.org", PASSWORD);
        fs::remove_file(gone(&site)).unwrap();
        takes_nothing(&server);
        server.logs("was deleted or replaced while the server uses");
    }
}

// G4
#[test]
fn damaged_pages_are_told_by_the_probe() {
    const ROOT: &str = "import sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        print(db.execute(\"SELECT rootpage FROM sqlite_schema WHERE name = 'registrations'\").fetchone()[0])";
    let site = stopped();
    let output = vestibule_testing::python().args(["-c", ROOT]).arg(database(&site)).output().unwrap();
    let root: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let file = fs::OpenOptions::new().write(true).open(database(&site)).unwrap();
    file.write_all_at(&[0xaa; 4096], (root - 1) * 4096).unwrap();
    let server = site.serve();
    assert_eq!(server.get("/livez").status, 200);
    takes_nothing(&server);
    takes_nothing(&server);
}
