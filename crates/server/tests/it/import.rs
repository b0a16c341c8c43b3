//! Users who move in from another system, and out again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};
use vestibule_testing::{Finished, PASSWORD, Site, eventually, mode as mode_of, on_both_databases};

/// Of `THEIR_PASSWORD`, by PHP's name for bcrypt.
const HASH: &str = "$2y$04$1gnL6ziaUMmsCxaZNHuH/.Y8JnheI9HwVy8n0GoNmf.ufn4pEmjjW";
const THEIR_PASSWORD: &str = "violet-otter-Ünïcödé-42";

#[test]
fn users_move_in_with_their_passwords() {
    on_both_databases(|site| {
        let server = site.serve();
        let rows = [
            json!({"email": "ada@example.org", "password_hash": HASH, "external_id": "a-1", "roles": ["boss", "author"]}),
            json!({"email": "ADA@example.org"}),
            json!({"email": "bob@example.org", "password_hash": "$2y$31$bomb"}),
            json!({"email": "eve@example.org", "password_hash": "sha1$salt$0000000000000000000000000000000000000000"}),
        ];
        let text = rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        std::fs::write(site.path("users.jsonl"), format!("\u{feff}{text}")).unwrap();
        let file = site.path("users.jsonl").display().to_string();
        let errors = site.path("errors.jsonl").display().to_string();

        let dry = site.run(&["user", "import", &file, "--dry-run", "--json"]);
        assert_eq!(dry.code, Some(1), "{dry:?}");
        let summary: Value = serde_json::from_str(dry.stdout.trim()).unwrap();
        assert_eq!(
            (&summary["created"], &summary["skipped"], &summary["failed"]),
            (&json!(1), &json!(1), &json!(2))
        );
        assert_eq!(summary["hashes"], json!({"bcrypt": 1, "no password": 1, "sha1": 1}));
        assert_eq!(summary["roles_left_out"], json!({"author": 1, "boss": 1}));
        site.run(&["user", "show", "ada@example.org"]).refused(5, "there is no such user");

        let import = ["user", "import", &file, "--map-role", "boss=editor", "--errors", &errors];
        let done = site.run(&import).refused(1, "not imported: 2 rows");
        assert!(done.stderr.contains("row 3: password_hash: this bcrypt hash is damaged"), "{done:?}");
        assert!(done.stderr.contains("row 4: password_hash: this hash is so weak"), "{done:?}");
        assert!(done.stderr.contains("The role author of 1 user is left out"), "{done:?}");
        let kept = std::fs::read_to_string(&errors).unwrap();
        assert_eq!(kept.lines().map(|line| line.parse::<Value>().unwrap()).collect::<Vec<_>>(), rows[2..]);
        site.run(&import).refused(2, "name a file that does not exist yet");

        let token = server.http().sign_in("ada@example.org", THEIR_PASSWORD);
        let me = server.http().me(&token);
        assert_eq!((&me["external_id"], &me["roles"]), (&json!("a-1"), &json!(["editor"])));
        // Whoever knows the name of the other system finds the user by it.
        let found = site.run(&["user", "list", "--q", "a-1", "--json"]).ok().json();
        assert_eq!((found.len(), &found[0]["external_id"]), (1, &json!("a-1")));
        let again = site.run(&["user", "import", &file, "--allow-weak"]).refused(1, "not imported: 1 row");
        assert!(again.stdout.contains("created 1, updated 0, skipped 2, failed 1"), "{again:?}");
        let trail = site.run(&["audit", "export"]).ok().stdout;
        assert_eq!(trail.matches("\"imported\"").count(), 2, "{trail}");
        assert_eq!(trail.matches("\"users_imported\"").count(), 2, "{trail}");
    });
}

// The exports were made by the programs themselves: see tests/exports.
#[test]
fn exports_of_other_programs_are_imported() {
    on_both_databases(|site| {
        let server = site.serve();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exports");
        for (format, file, code, words) in [
            ("django", "django.json", 0, "created 4, updated 0, skipped 0, failed 0"),
            ("fastapi-users", "fastapi-users.csv", 1, "created 1, updated 0, skipped 0, failed 1"),
            ("pocketbase", "pocketbase.json", 0, "created 1, updated 0, skipped 0, failed 0"),
            ("better-auth", "better-auth.json", 0, "created 1, updated 0, skipped 0, failed 0"),
        ] {
            let import = [
                "user",
                "import",
                &format!("{folder}/{file}"),
                "--from",
                format,
                "--map-role",
                "editors=editor",
            ];
            let done = site.run(&import);
            assert!(done.code == Some(code) && done.stdout.contains(words), "{format}: {done:?}");
            let token = server.http().sign_in("ada@example.org", THEIR_PASSWORD);
            let ada = server.http().me(&token);
            assert!(ada["external_id"].is_string() && ada["created_at"].is_string(), "{ada}");
            if format == "django" {
                assert_eq!(
                    (&ada["roles"], &ada["display_name"]),
                    (&json!(["editor"]), &json!("Ada Lovelace"))
                );
                let root = site.run(&["user", "show", "root@example.org", "--json"]).ok().json();
                assert_eq!(root[0]["roles"], json!([]), "a superuser is nobody here");
                let off = site.run(&["user", "show", "off@example.org", "--json"]).ok().json();
                assert_eq!(off[0]["status"], "disabled");
                assert!(done.stderr.contains("Not users: 1 record."), "{done:?}");
            }
            site.run(&["user", "delete", "--yes", "ada@example.org"]).ok();
        }
    });
}

#[test]
fn a_run_stops_at_an_error_where_that_is_asked_for() {
    on_both_databases(|site| {
        drop(site.serve());
        let text = "email,locale\nada@example.org,de\nbob@example.org,?\n";
        let stopped =
            site.run_with_input(&["user", "import", "-", "--from", "csv", "--on-error", "stop"], text);
        let stopped = stopped.refused(1, "stopped at a row that is wrong");
        assert!(stopped.stdout.contains("created 1"), "{stopped:?}");
        assert!(stopped.stderr.contains("row 3: locale: not a language tag"), "{stopped:?}");
        site.run(&["user", "show", "ada@example.org"]).ok();
        site.run_with_input(&["user", "import", "-"], text).refused(2, "say it with --from");
        let unknown = site.run_with_input(&["user", "import", "-", "--from", "csv"], "email,shoe\n");
        unknown.refused(2, "the column \"shoe\" is unknown");
        site.run(&["user", "import", "/nowhere.csv"]).refused(2, "cannot read /nowhere.csv");
    });
}

// What comes out goes in again: the same users, hashes and all.
#[test]
fn an_export_is_an_import() {
    on_both_databases(|site| {
        drop(site.serve());
        let rows = [
            json!({"email": "ada@example.org", "password_hash": HASH, "external_id": "-1", "roles": ["editor", "author"],
                "user_name": "countess", "display_name": "=Ada, \"the\" L", "locale": "de", "data": {"theme": "dark"},
                "app_data": {"plan": ["pro", 1]}, "created_at": "2020-01-01T00:00:00Z",
                "email_confirmed_at": "2020-01-02T00:00:00Z", "disabled_at": "2021-01-01T00:00:00Z"}),
            json!({"email": "bob@example.org"}),
        ];
        let text = rows.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let roles = ["--map-role", "editor=editor", "--map-role", "author=author"];
        let import = |format: &str, text: &str| {
            let command = [&["user", "import", "-", "--from", format][..], &roles].concat();
            site.run_with_input(&command, text).ok();
        };
        import("jsonl", &text);
        let schema = include_str!("../../../../docs/import.schema.json");
        let schema = jsonschema::validator_for(&schema.parse().unwrap()).unwrap();
        for line in site.run(&["user", "export", "--with-hashes"]).ok().stdout.lines() {
            assert!(schema.is_valid(&line.parse().unwrap()), "{line}");
        }
        for format in ["jsonl", "csv"] {
            let export = || site.run(&["user", "export", "--with-hashes", "--format", format]).ok().stdout;
            let before = export();
            assert!(before.contains(HASH), "{before}");
            for email in ["ada@example.org", "bob@example.org"] {
                site.run(&["user", "delete", "--yes", email]).ok();
            }
            assert!(!export().contains("example.org"));
            import(format, &before);
            assert_eq!(export(), before);
        }
        let csv = site.run(&["user", "export", "--format", "csv"]).ok().stdout;
        assert!(csv.contains("'-1,countess,\"'=Ada, \"\"the\"\" L\"") && !csv.contains(HASH), "{csv}");
    });
}

// Whose address was not confirmed elsewhere is mailed a link, if that is wanted, and chooses the password.
#[test]
fn unconfirmed_users_are_invited() {
    on_both_databases(|site| {
        let server = site.serve();
        let rows = "{\"email\": \"ada@example.org\", \"email_confirmed_at\": null, \"display_name\": \"Ada L.\"}\n{\"email\": \"bob@example.org\"}\n";
        let import = |more: &[&str]| {
            site.run_with_input(&[&["user", "import", "-", "--from", "jsonl"], more].concat(), rows)
        };
        let refused =
            import(&["--dry-run"]).refused(1, "row 1: email_confirmed_at: the address is not confirmed");
        assert!(refused.stderr.contains("--invite"), "{refused:?}");
        let dry = import(&["--invite", "--dry-run", "--json"]).ok();
        assert_eq!((&dry.json()[0]["invited"], &dry.json()[0]["created"]), (&json!(1), &json!(1)));
        let done = import(&["--invite"]).ok();
        assert!(done.stdout.contains("created 1, updated 0, skipped 0, failed 0, invited 1"), "{done:?}");
        // Nobody is mailed twice.
        let again = import(&["--invite"]).ok();
        assert!(again.stdout.contains("created 0, updated 0, skipped 2, failed 0, invited 0"), "{again:?}");
        let letter = server.mail("ada@example.org");
        assert!(letter.text.contains("Choose a password"), "{}", letter.text);
        let body = json!({"token": letter.token(), "password": PASSWORD});
        assert_eq!(server.http().post("/v1/confirm", None, &body).status, 200);
        let token = server.http().sign_in("ada@example.org", PASSWORD);
        assert_eq!(server.http().me(&token)["display_name"], "Ada L.");
    });
}

/// Users by their numbers.
fn numbered(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| json!({"email": format!("u{number}@example.org")}).to_string() + "\n").collect()
}

// Ctrl-C ends the run after its batch; --resume goes on after it.
#[test]
fn an_interrupted_run_is_resumed() {
    on_both_databases(|site| {
        drop(site.serve());
        let path = site.path("users.jsonl");
        let file = path.display().to_string();
        let resume = ["user", "import", &file, "--resume"];
        // A pipe with the name of the file: rows come when the test writes them.
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let mut input = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut command = site.command(&["user", "import", &file]);
        let mut running = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        input.write_all(numbered(0..250).as_bytes()).unwrap();
        let is_there = || site.run(&["user", "show", "u249@example.org"]).code.filter(|code| *code == 0);
        eventually("the first batch is written", is_there);
        let pid = rustix::process::Pid::from_child(&running);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        input.write_all(numbered(250..500).as_bytes()).unwrap();
        assert_eq!(eventually("it ends", || running.try_wait().unwrap()).code(), Some(130));
        let said = std::io::read_to_string(running.stderr.take().unwrap()).unwrap();
        assert!(said.contains("--resume"), "{said}");
        drop(input);
        std::fs::remove_file(&path).unwrap();

        std::fs::write(&path, numbered(0..600)).unwrap();
        let mark = site.path("users.jsonl.resume");
        assert_eq!(mode_of(&mark), 0o600);
        let resumed = site.run(&resume).ok();
        assert!(resumed.stdout.contains("created 100, updated 0, skipped 0, failed 0"), "{resumed:?}");
        assert_eq!(site.run(&["user", "export"]).ok().stdout.lines().count(), 600);
        assert!(!mark.exists());
        site.run(&resume).refused(5, "no import of");
    });
}

// A place in a file is not gone on from in another file, or in another database.
#[test]
fn a_run_is_resumed_where_it_was_interrupted_or_not_at_all() {
    let site = Site::sqlite();
    drop(site.serve());
    let path = site.path("users.jsonl");
    let file = path.display().to_string();
    let resume = ["user", "import", &file, "--resume"];
    std::fs::write(&path, numbered(0..300) + "{\"email\": \"x\"}\n").unwrap();
    // The second batch has a row that is wrong.
    site.run(&["user", "import", &file, "--on-error", "stop"]).refused(1, "stopped at a row that is wrong");
    std::fs::write(&path, numbered(1..301)).unwrap();
    site.run(&resume).refused(1, "the file has changed before its record 250");
    std::fs::write(&path, numbered(0..9)).unwrap();
    site.run(&resume).refused(1, "the file has changed before its record 250");
    std::fs::write(&path, numbered(0..301)).unwrap();
    let mut elsewhere = site.command(&resume);
    Finished::of(elsewhere.env("VESTIBULE_DATABASE_URL", "sqlite:other.db"))
        .refused(2, "into another database");
    site.run(&["user", "import", "-", "--from", "jsonl", "--resume"]).refused(2, "standard input");
    site.run(&[&resume[..], &["--dry-run"]].concat()).refused(2, "cannot be used with");
    site.run(&["user", "delete", "--yes", "u200@example.org"]).ok();
    site.run(&resume).refused(1, "are missing in this database");
    let anew = site.run(&["user", "import", &file]).ok();
    assert!(anew.stderr.contains("ended after 250 records; --resume"), "{anew:?}");
    assert!(anew.stdout.contains("created 2, updated 0, skipped 299"), "{anew:?}");
    site.run(&resume).refused(5, "no import of");
}

// Ctrl-C ends the run after its batch; given again, nothing is there twice and nothing is missing.
#[test]
fn an_interrupted_run_goes_on_with_the_same_command() {
    on_both_databases(|site| {
        drop(site.serve());
        let rows: Vec<String> = (0..600)
            .map(|number| json!({"email": format!("u{number}@example.org")}).to_string() + "\n")
            .collect();
        let mut command = site.command(&["user", "import", "-", "--from", "jsonl"]);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut running = piped.spawn().unwrap();
        let mut input = running.stdin.take().unwrap();
        input.write_all(rows[..250].concat().as_bytes()).unwrap();
        let is_there = || site.run(&["user", "show", "u249@example.org"]).code.filter(|code| *code == 0);
        eventually("the first batch is written", is_there);
        let pid = rustix::process::Pid::from_child(&running);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        input.write_all(rows[250..500].concat().as_bytes()).unwrap();
        // It does not wait for the end of its input.
        let output = eventually("it ends", || running.try_wait().unwrap());
        drop(input);
        assert_eq!(output.code(), Some(130));
        let again = site.run_with_input(&["user", "import", "-", "--from", "jsonl"], &rows.concat()).ok();
        assert!(again.stdout.contains("created 100, updated 0, skipped 500, failed 0"), "{again:?}");
        assert_eq!(site.run(&["user", "export"]).ok().stdout.lines().count(), 600);
    });
}
