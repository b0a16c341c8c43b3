//! Litestream beside the server, with the configuration in deploy/litestream.yml.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use vestibule_testing::{PASSWORD, Site, WIDE_LIMITS, eventually, python, python_program};

const ADA: &str = "ada@example.org";
const PEOPLE: usize = 4;
const SIGN_UPS_EACH: usize = 15;

/// Ends with the test, as it would with the machine.
struct Replicating(Child);

impl Drop for Replicating {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The configuration as it is shipped, for this database, and with a folder in place of a bucket.
fn configure(site: &Site) {
    let shipped = include_str!("../../../../deploy/litestream.yml");
    let path = |name: &str| site.path(name).display().to_string();
    let shipped = shipped.replace("/var/lib/vestibule/vestibule.db", &path("vestibule-data/vestibule.db"));
    let (before, bucket) = shipped.split_once("      type: s3\n").unwrap();
    let (_, interval) = bucket.split_once("      sync-interval").unwrap();
    let replica = path("replica");
    let text = format!("{before}      type: file\n      path: {replica}\n      sync-interval{interval}");
    fs::write(site.path("litestream.yml"), text).unwrap();
}

fn litestream(site: &Site, command: &str) -> Command {
    let mut litestream = python_program("litestream");
    litestream.args([command, "-config"]).arg(site.path("litestream.yml"));
    litestream.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    litestream
}

/// How many sign-ups are in the replica, restored to a file of its own; `None` while there is nothing to restore. What
/// can be restored is whole.
fn replicated(site: &Site) -> Option<usize> {
    let to = site.path("restored.db");
    let mut restore = litestream(site, "restore");
    restore.arg("-o").arg(&to).arg(site.path("vestibule-data/vestibule.db"));
    if !restore.status().unwrap().success() {
        return None;
    }
    let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n\
                  print(db.execute('PRAGMA integrity_check').fetchall())\n\
                  print(db.execute('SELECT count(*) FROM registrations').fetchone()[0])";
    let output = python().args(["-c", script]).arg(&to).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (whole, number) = said.trim().split_once('\n').unwrap_or_else(|| panic!("{:?}", output.stderr));
    assert_eq!(whole, "[('ok',)]");
    remove(&to);
    Some(number.parse().unwrap())
}

/// Removes a database and what SQLite has beside it.
fn remove(database: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", database.display()));
    }
}

#[test]
fn what_was_acknowledged_comes_back_from_the_replica() {
    let site = Site::sqlite();
    let server = site.serve_with(&WIDE_LIMITS);
    server.has_confirmed(ADA, PASSWORD);
    configure(&site);
    let replicating = Replicating(litestream(&site, "replicate").spawn().unwrap());

    // While people sign up, every restored copy is whole.
    thread::scope(|scope| {
        let sign_up = |person: usize| {
            let http = server.http();
            move || {
                for number in 0..SIGN_UPS_EACH {
                    http.sign_up(&format!("s{number}.{person}@example.org"), PASSWORD);
                }
            }
        };
        let people: Vec<_> = (0..PEOPLE).map(|person| scope.spawn(sign_up(person))).collect();
        while !people.iter().all(thread::ScopedJoinHandle::is_finished) {
            replicated(&site);
        }
    });
    let all = PEOPLE * SIGN_UPS_EACH + 1;
    eventually("the last sign-up is in the replica", || (replicated(&site) == Some(all)).then_some(()));

    // The machine is lost, and another takes its place.
    drop((server, replicating));
    let database = site.path("vestibule-data/vestibule.db");
    remove(&database);
    assert!(litestream(&site, "restore").arg(&database).status().unwrap().success());
    fs::set_permissions(&database, Permissions::from_mode(0o600)).unwrap();
    site.run(&["database", "accept", "--reason", "restored from the replica"]).ok();
    site.run(&["sessions", "end", "--all", "--reason", "restored from the replica", "--yes"]).ok();
    let server = site.serve();
    server.http().sign_in(ADA, PASSWORD);
    server.has_confirmed("bob@example.org", PASSWORD);
}
