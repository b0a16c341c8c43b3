//! Commands use the server's database and key, or report which ones they looked for: they never create others.

use std::fs;
use std::path::Path;

use vestibule_testing::{Finished, PASSWORD, SECRET_KEY, Server, Site, on_both_databases};

/// Commands of operators; `migrate` uses the database only.
const COMMANDS: [&[&str]; 9] = [
    &["user", "list"],
    &["keys", "list"],
    &["keys", "rotate"],
    &["limits", "show", "ada@example.org"],
    &["audit", "tail"],
    &["mail", "outbox", "list"],
    &["setup-link"],
    &["migrate", "status"],
    &["migrate", "up"],
];

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn in_the_wrong_folder_a_command_makes_nothing() {
    let site = Site::sqlite();
    for command in COMMANDS {
        let refused = site.run(command).refused(5, "there is no database at ./vestibule-data/vestibule.db");
        let looked_at = format!(
            "looked at: database {}/vestibule-data/vestibule.db by `data_dir` (default); secret key ",
            site.path("").canonicalize().unwrap().display()
        );
        assert!(refused.stderr.contains(&looked_at), "{command:?}: {}", refused.stderr);
        assert!(is_empty(&site.path("")), "{command:?} made something");
    }
}

#[test]
fn a_command_makes_no_key_beside_the_database() {
    on_both_databases(|site| {
        drop(site.serve());
        let _ = fs::remove_file(site.path("vestibule-data/secret.key"));
        for command in COMMANDS.iter().filter(|command| command[0] != "migrate") {
            // Without the settings of the server, except for the database.
            let mut command = site.command_without_settings(command);
            Finished::of(&mut command).refused(5, "there is no secret key").refused(5, "looked at: ");
        }
        assert!(!site.path("vestibule-data/secret.key").exists());
    });
}

// A URL of another database than the server's: otherwise it would get tables, and the server's data folder a key.
#[test]
fn an_empty_database_stays_empty() {
    let site = Site::postgres();
    for command in COMMANDS.iter().filter(|command| command[0] != "migrate") {
        site.run(command).refused(5, "the database is empty").refused(5, "PostgreSQL by `database_url`");
    }
    site.run(&["migrate", "status"]).refused(3, "vestibule migrate up");
    assert!(site.run(&["migrate", "sql"]).ok().stdout.contains("CREATE TABLE users"));
    let tables = site.database().rows("SELECT 1 FROM pg_tables WHERE schemaname = 'public'");
    assert!(tables.is_empty(), "{tables:?}");
    // A schema alone is not enough: the key of a command might not be the server's.
    site.run(&["migrate", "up"]).ok();
    site.run(&["keys", "rotate"]).refused(5, "the database is empty");
}

// A lost key is reported as lost, and no new one replaces it.
#[test]
fn a_start_without_its_key_is_refused_and_makes_none() {
    let site = Site::sqlite();
    drop(site.serve());
    fs::rename(site.path("vestibule-data/secret.key"), site.path("kept")).unwrap();
    let refused = Finished::of(&mut site.serving(&[]));
    refused.refused(2, "the secret key of this database is missing: there is no ./vestibule-data/secret.key");
    assert!(!site.path("vestibule-data/secret.key").exists());
    fs::rename(site.path("kept"), site.path("vestibule-data/secret.key")).unwrap();
    drop(site.serve());

    let site = Site::postgres();
    // In development mode a key is created for PostgreSQL as well.
    let dev = || site.serving_for_development(&[("VESTIBULE_SECRET_KEY_FILE", "")]);
    drop(site.start(dev()));
    fs::remove_file(site.path("vestibule-data/secret.key")).unwrap();
    Finished::of(&mut dev()).refused(2, "the secret key of this database is missing");
    assert!(!site.path("vestibule-data/secret.key").exists());
}

/// The files of the unit in a folder, with the data folder elsewhere.
fn install(site: &Site) -> String {
    let folder = site.path("etc");
    fs::create_dir(&folder).unwrap();
    let environment = format!(
        "VESTIBULE_PUBLIC_URL=https://accounts.example.com\nVESTIBULE_DATA_DIR=\"{}\"\nVESTIBULE_LISTEN=127.0.0.1:0\n",
        site.path("var").display()
    );
    fs::write(folder.join("vestibule.env"), environment).unwrap();
    for (name, secret) in [("secret_key", SECRET_KEY), ("mail_url", &site.relay().url())] {
        fs::write(folder.join(name), format!("{secret}\n")).unwrap();
    }
    format!("--service={}", folder.display())
}

#[test]
fn the_settings_of_the_unit_are_found() {
    let site = Site::sqlite();
    let service = install(&site);
    let elsewhere = site.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = site.command_without_settings(&[&[service.as_str()], arguments].concat());
        command.current_dir(&elsewhere);
        command
    };
    let server: Server = site.start(run(&["serve"]));
    server.has_confirmed("ada@example.org", PASSWORD);
    let listed = Finished::of(&mut run(&["user", "list", "--json"])).ok().json();
    assert_eq!(listed[0]["email"], "ada@example.org");
    Finished::of(&mut run(&["check-config"])).ok();
    assert!(is_empty(&elsewhere));
    let nowhere = site.command_without_settings(&["--service=/nowhere", "user", "list"]).output().unwrap();
    Finished::from(nowhere).refused(2, "--service: cannot read /nowhere/vestibule.env");
}
