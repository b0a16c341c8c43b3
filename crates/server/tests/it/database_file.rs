//! A database file that cannot be used: each cause is reported in its own words, with its own exit code.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use vestibule_testing::{Finished, Site};

const NOBODY: u32 = 65_534;

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A site whose server has created its database and has stopped.
fn used() -> (Site, PathBuf) {
    let site = Site::sqlite();
    let mut server = site.serve();
    server.signal("-TERM");
    assert!(server.ended().success());
    let database = site.path("vestibule-data/vestibule.db");
    (site, database)
}

fn start(site: &Site) -> Finished {
    Finished::of(&mut site.serving(&[]))
}

#[test]
fn what_is_no_database_or_is_damaged_is_named() {
    let (site, database) = used();
    let whole = fs::read(&database).unwrap();
    let mut damaged = whole.clone();
    damaged[100..4096].fill(0xaa);
    fs::write(&database, damaged).unwrap();
    start(&site).refused(1, "vestibule.db is damaged: ").refused(1, "fix: restore the last backup");
    site.run(&["user", "list"]).refused(1, "is damaged");
    fs::write(&database, "users of the shop\n".repeat(1000)).unwrap();
    start(&site).refused(2, "vestibule.db is not an SQLite database").refused(2, "looked at: database ");
    site.run(&["user", "list"]).refused(2, "is not an SQLite database");
    fs::write(&database, whole).unwrap();
    site.run(&["user", "list"]).ok();
    let folder = [("VESTIBULE_DATABASE_URL", "sqlite:vestibule-data")];
    Finished::of(&mut site.serving(&folder)).refused(4, "vestibule-data cannot be opened");
}

/// Runs the program without root's privileges: as another user if the tests run as root.
fn serve_as_a_user(site: &Site) -> Finished {
    let mut command = site.serving(&[]);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        let folder = site.path("");
        let files = fs::read_dir(folder.join("vestibule-data")).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([folder.clone(), folder.join("vestibule-data")]) {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    Finished::of(&mut command)
}

#[test]
fn what_may_not_be_opened_or_written_is_named() {
    let (site, database) = used();
    chmod(&database, 0o000);
    serve_as_a_user(&site).refused(4, "vestibule.db cannot be opened").refused(4, "fix: let the user");
    chmod(&database, 0o400);
    serve_as_a_user(&site).refused(4, "vestibule.db cannot be written");
    chmod(&database, 0o600);
    // The files beside it, which the attempt above has created, would also prevent it.
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{suffix}", database.display()));
    }
    chmod(&site.path("vestibule-data"), 0o500);
    serve_as_a_user(&site).refused(4, "vestibule.db cannot be ");
    chmod(&site.path("vestibule-data"), 0o700);
}

// O5: it contains password hashes; backups are often world-readable.
#[test]
fn a_database_that_everybody_may_open_is_refused() {
    let (site, database) = used();
    for mode in [0o644, 0o666, 0o602] {
        chmod(&database, mode);
        start(&site)
            .refused(2, "every user of this machine can open the database ./vestibule-data/vestibule.db")
            .refused(2, "fix: chmod 600");
        site.run(&["check-config"]).refused(3, "chmod 600");
    }
    chmod(&database, 0o640);
    chmod(&site.path("vestibule-data"), 0o777);
    let server = site.serve();
    server.logs("may exchange the files in ./vestibule-data");
}

#[test]
fn a_second_server_on_one_file_is_told() {
    let site = Site::sqlite();
    let first = site.serve();
    let second = site.serve();
    second.logs("another server uses the database ./vestibule-data/vestibule.db");
    drop(second);
    assert!(first.whole_log().iter().all(|line| !line.contains("another server")));
    let third = site.serve();
    assert_eq!(third.get("/livez").status, 200);
    assert!(third.whole_log().iter().all(|line| !line.contains("another server")));
}
