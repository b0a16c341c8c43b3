//! `vestibule backup` and `vestibule sessions`, as an operator uses them.

use std::fs;

use vestibule_testing::{
    Finished, PASSWORD, Site, back_up_during_sign_ups, eventually, mode, on_both_databases,
};

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";

#[test]
fn a_backup_is_made_checked_and_restored() {
    on_both_databases(|site| {
        let server = site.serve();
        server.has_confirmed(ADA, PASSWORD);
        let token = server.http().sign_in(ADA, PASSWORD);
        let made = site.run(&["backup", "create", "ada.backup", "--json"]).ok().json();
        assert_eq!(made[0]["path"], "ada.backup");
        assert_eq!(mode(&site.path("ada.backup")), 0o600);
        let trail = site.run(&["audit", "export", "--kind", "backed_up"]).ok().json();
        assert_eq!((trail.len(), &trail[0]["actor"]), (1, &"operator".into()), "{trail:?}");
        site.run(&["backup", "create", "ada.backup"]).refused(1, "overwrites nothing");
        site.run(&["backup", "create", "no/such/folder"]).refused(1, "cannot write to");
        let verified = site.run(&["backup", "verify", "ada.backup"]).ok().stdout;
        assert!(verified.starts_with("whole: ada.backup") && verified.contains("1 user, "), "{verified}");

        // What happened since is not in it; a server that runs is in the way.
        server.has_confirmed(BOB, PASSWORD);
        site.run(&["backup", "restore", "ada.backup"]).refused(1, "");
        let running = ["backup", "restore", "ada.backup", "--replace", "--yes"];
        site.run(&running).refused(1, "stop");
        drop(server);
        site.run(&["backup", "restore", "ada.backup"]).refused(1, "is not empty");
        site.run(&["backup", "restore", "ada.backup", "--replace"]).refused(2, "--yes");
        site.run(&["backup", "restore", "missing.backup"]).refused(1, "cannot read missing.backup");
        // The connections of a server that was killed may take a moment to be gone.
        let restored = eventually("it is restored", || {
            let restored = site.run(&running);
            (restored.code == Some(0)).then_some(restored)
        });
        assert!(restored.stdout.starts_with("restored: "), "{restored:?}");
        assert!(restored.stderr.contains("Everybody has to sign in again"), "{restored:?}");

        let server = site.serve();
        let http = server.http();
        assert_eq!(http.get("/v1/me", Some(&format!("Bearer {token}"))).status, 401);
        let token = http.sign_in(ADA, PASSWORD);
        assert_eq!(http.try_password(BOB, PASSWORD).status, 401);
        site.run(&["sessions", "end", "--all"]).refused(2, "--reason");
        let end = ["sessions", "end", "--all", "--reason", "a backup was stolen"];
        site.run(&end).refused(2, "--yes");
        let ended = site.run(&[&end[..], &["--yes", "--json"]].concat()).ok().json();
        assert_eq!(ended[0]["ended"], 1);
        assert_eq!(http.get("/v1/me", Some(&format!("Bearer {token}"))).status, 401);
    });
}

// Everything that was acknowledged before a backup began is in it, whatever comes meanwhile: `cargo xtask faults --backups`
// has 2,000 sign-ups.
#[test]
fn a_backup_misses_nothing_while_people_sign_up() {
    on_both_databases(|site| assert!(back_up_during_sign_ups(site, 40) > 1));
}

#[test]
fn a_damaged_backup_and_another_key_are_refused() {
    let site = Site::sqlite();
    drop(site.serve());
    site.has_user(ADA, &[]);
    site.run(&["backup", "create", "ada.backup"]).ok();
    let mut bytes = fs::read(site.path("ada.backup")).unwrap();
    let at = bytes.windows(ADA.len()).position(|window| window == ADA.as_bytes()).unwrap();
    bytes[at] = b'o';
    fs::write(site.path("damaged.backup"), bytes).unwrap();
    site.run(&["backup", "verify", "damaged.backup"]).refused(1, "is damaged: ");
    let other = Site::postgres();
    let from = site.path("ada.backup");
    other.run(&["backup", "restore", from.to_str().unwrap()]).refused(2, "another secret key");
    other.run(&["user", "list"]).refused(5, "empty");
}

// One file to come back from, for those who want that.
#[test]
fn a_backup_with_the_key_needs_nothing_else() {
    let site = Site::sqlite();
    drop(site.serve());
    site.has_user(ADA, &[]);
    let key = fs::read_to_string(site.path("vestibule-data/secret.key")).unwrap();
    let holds_key = |name: &str| {
        let bytes = fs::read(site.path(name)).unwrap();
        bytes.windows(64).any(|window| window == key.trim().as_bytes())
    };
    site.run(&["backup", "create", "without.backup"]).ok();
    let made = site.run(&["backup", "create", "with.backup", "--with-key"]).ok();
    assert!(made.stdout.contains("with the secret key") && !made.stdout.contains(key.trim()), "{made:?}");
    assert!(holds_key("with.backup") && !holds_key("without.backup"));
    let verified = site.run(&["backup", "verify", "with.backup", "--json"]).ok();
    assert_eq!(verified.json()[0]["manifest"]["with_key"], true);
    assert!(!verified.stdout.contains(key.trim()));

    let other = Site::sqlite();
    let [with, without] = ["with.backup", "without.backup"].map(|name| site.path(name).display().to_string());
    other.run(&["backup", "restore", &without]).refused(5, "there is no secret key");
    let restored = other.run(&["backup", "restore", &with]).ok();
    assert!(restored.stderr.contains("The secret key of the backup is in"), "{restored:?}");
    assert_eq!(fs::read_to_string(other.path("vestibule-data/secret.key")).unwrap(), key);
    assert_eq!(mode(&other.path("vestibule-data/secret.key")), 0o600);
    other.serve().http().sign_in(ADA, PASSWORD);
    // A key that is there stays, and decides.
    let third = Site::sqlite();
    drop(third.serve());
    third.run(&["backup", "restore", &with, "--replace", "--yes"]).refused(2, "another secret key");
}

#[test]
fn a_folder_keeps_the_newest_backups() {
    let site = Site::sqlite();
    drop(site.serve());
    fs::create_dir(site.path("backups")).unwrap();
    site.run(&["backup", "create", "one.backup", "--keep", "2"]).refused(2, "a folder that exists");
    let made: Vec<String> = (0..3)
        .map(|_| {
            let made = site.run(&["backup", "create", "backups", "--keep", "2", "--json"]).ok().json();
            made[0]["path"].as_str().unwrap().to_owned()
        })
        .collect();
    let left = || fs::read_dir(site.path("backups")).unwrap().count();
    assert_eq!(left(), 2);
    assert!(!site.path(&made[0]).exists() && site.path(&made[2]).exists(), "{made:?}");
    let output = site.command(&["backup", "create", "-"]).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"SQLite format 3\0"));
    fs::write(site.path("piped.backup"), output.stdout).unwrap();
    site.run(&["backup", "verify", "piped.backup"]).ok();
}

#[test]
fn a_migration_is_preceded_by_a_backup() {
    let site = Site::sqlite();
    drop(site.serve());
    site.has_user(ADA, &[]);
    site.run(&["migrate", "down", "--to", "15", "--yes"]).ok();
    let said = site.run(&["migrate", "up"]).ok().stderr;
    let file = said.lines().find_map(|line| line.strip_prefix("Backed up as it was: ")).unwrap().to_owned();
    site.run(&["backup", "verify", &file]).ok();
    assert_eq!(site.run(&["migrate", "up"]).ok().stderr, "Nothing to do.\n");
    site.run(&["backup", "restore", &file, "--replace", "--yes"]).ok();
    let users: Finished = site.run(&["user", "list", "--json"]).ok();
    assert_eq!(users.json()[0]["email"], ADA);
}
