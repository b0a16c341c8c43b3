//! Other programs that open the SQLite file beside a production server: backups, readers, our own commands.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use vestibule_testing::{Client, PASSWORD, Site};

const BACKUP: &str = "with sqlite3.connect(sys.argv[2]) as copy: db.backup(copy)";
const VACUUM: &str = "db.execute('VACUUM INTO ?', (sys.argv[2],))";
const READ: &str = "db.execute('SELECT count(*) FROM users').fetchall()";

/// Opens the database as another program, performs this action, and closes it.
fn another_program(database: &Path, action: &str, copy: &Path) -> String {
    let script = format!("import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n{action}\ndb.close()");
    let output = vestibule_testing::python().args(["-c", &script]).args([database, copy]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn sign_ups(at: &Client, named: &str) {
    for number in 0..5 {
        at.sign_up(&format!("{named}-{number}@example.org"), PASSWORD);
    }
}

/// How many sign-ups, users and sessions a database contains.
fn rows(database: &Path) -> String {
    let count = "for table in ('registrations', 'users', 'sessions'):\n    \
                 print(db.execute(f'SELECT count(*) FROM {table}').fetchone()[0])";
    another_program(database, count, database)
}

// G5
#[test]
fn whoever_opens_the_database_beside_a_server_loses_nothing() {
    for end in ["-KILL", "-TERM"] {
        let site = Site::sqlite();
        let database = site.path("vestibule-data/vestibule.db");
        let mut server = site.serve();
        let http = server.http();
        sign_ups(&http, "before");
        for (number, action) in [READ, BACKUP, VACUUM].into_iter().enumerate() {
            another_program(&database, action, &site.path(&format!("copy-{number}.db")));
            sign_ups(&http, &format!("after-{number}"));
        }
        site.has_user("ada@example.org", &[]);
        let token = http.sign_in("ada@example.org", PASSWORD);
        sign_ups(&http, "last");
        server.signal(end);
        server.ended();
        assert_eq!(rows(&database), "25\n1\n1\n", "after {end}");
        assert_eq!(site.serve().http().me(&token)["email"], "ada@example.org");
    }
}

// The lock that shows other programs that a server uses the file: without it they delete its log when they close.
#[test]
#[cfg(target_os = "linux")]
fn a_server_holds_a_lock_on_its_database() {
    let site = Site::sqlite();
    let server = site.serve();
    sign_ups(&server.http(), "held");
    let inode = fs::metadata(site.path("vestibule-data/vestibule.db")).unwrap().ino();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let held = locks.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let file = fields.get(5).and_then(|file| file.rsplit(':').next());
        fields.get(4) == Some(&server.id().to_string().as_str()) && file == Some(inode.to_string().as_str())
    });
    assert!(held, "process {} holds no lock on inode {inode}:\n{locks}", server.id());
}

#[test]
fn after_a_clean_stop_the_database_is_one_file() {
    let site = Site::sqlite();
    let mut server = site.serve();
    sign_ups(&server.http(), "kept");
    server.signal("-TERM");
    assert!(server.ended().success());
    let folder = site.path("vestibule-data");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("vestibule.db-")), "{names:?}");
    let copy = site.path("alone.db");
    fs::copy(folder.join("vestibule.db"), &copy).unwrap();
    assert_eq!(rows(&copy), "5\n0\n0\n");
}
