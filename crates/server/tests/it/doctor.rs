//! `vestibule doctor`: finds each planted fault, and names what mends it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_testing::{
    Cluster, Finished, Pooler, Server, Site, Step, Trouble, free_address, latin1_database, on_both_databases,
};

use crate::name_server::{COMPLETE, name_server};
use crate::peers::Application;
use crate::tls::{caddy, certificate};

const ANOTHER_KEY: &str = "1d9c6a52e07f4b38c1d2e3f4a5b69788f0e1d2c3b4a5968778695a4b3c2d1e0f";

/// Looks at the site with these settings and arguments.
fn doctor(site: &Site, settings: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let dns = name_server(&COMPLETE);
    let mut command = site.command(&[&["doctor", "--json", "--dns-server", &dns], arguments].concat());
    Finished::of(command.env("VESTIBULE_MAIL_FROM", "no-reply@example.org").envs(settings.iter().copied()))
}

/// A server, and the settings with which it is found at its public URL.
fn healthy(site: &Site) -> (Server, String) {
    let server = site.serve_at_its_url(&[]);
    let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    (server, url)
}

/// The finding of this check that ended so.
#[track_caller]
fn the(state: &str, check: &str, finished: &Finished) -> Value {
    let findings = finished.json();
    let found = findings.iter().find(|it| it["check"] == check && it["state"] == state);
    let found = found.unwrap_or_else(|| panic!("no {state} of {check} in {finished:#?}"));
    if state == "fail" {
        assert_eq!(finished.code, Some(3), "{finished:?}");
    }
    found.clone()
}

/// The check failed, for this reason, and this mends it.
#[track_caller]
fn fails(finished: &Finished, check: &str, found: &str, fix: &str) {
    says(&the("fail", check, finished), found, fix);
}

#[track_caller]
fn warns(finished: &Finished, check: &str, found: &str, fix: &str) {
    says(&the("warn", check, finished), found, fix);
}

#[track_caller]
fn says(finding: &Value, found: &str, fix: &str) {
    let told = format!("{} {}", finding["found"], finding["cause"]);
    assert!(told.contains(found), "{found:?} is missing in {finding:#}");
    let named = finding["fix"].as_str().unwrap_or_default();
    assert!(named.contains(fix), "{fix:?} is missing in {finding:#}");
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a statement on the database, which nobody else uses.
fn sql(site: &Site, is_sqlite: bool, statement: &str) {
    if !is_sqlite {
        return site.database().execute(statement);
    }
    let script =
        "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\ndb.execute(sys.argv[2])\ndb.commit()";
    let database = site.path("vestibule-data/vestibule.db");
    let mut python = vestibule_testing::python();
    let output = python.args(["-c", script]).arg(database).arg(statement).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_is_wrong_with_a_healthy_server() {
    on_both_databases(|site| {
        let (_server, url) = healthy(site);
        let backups = site.path("backups");
        fs::create_dir(&backups).unwrap();
        fs::write(backups.join("today.db"), "a backup").unwrap();
        let looked = ["--backups", backups.to_str().unwrap()];
        let finished = doctor(site, &[("VESTIBULE_PUBLIC_URL", &url)], &looked).ok();
        for check in [
            "configuration",
            "database",
            "migrations",
            "clock",
            "secret key",
            "outbox",
            "mail",
            "sender mx",
            "sender spf",
            "sender dmarc",
            "public url",
            "backups",
        ] {
            let finding = the("ok", check, &finished);
            assert!(finding["cause"].is_null() && finding["fix"].is_null(), "{finding:#}");
        }
        assert!(finished.stdout.contains("sign-ins a second"), "{finished:?}");
        assert!(site.relay().untaken().is_empty(), "no message");

        let dns = name_server(&COMPLETE);
        let mut command = site.command(&["doctor", "--send-to", "ops@example.org", "--dns-server", &dns]);
        command.env("VESTIBULE_PUBLIC_URL", &url).env("VESTIBULE_MAIL_FROM", "no-reply@example.org");
        let told = Finished::of(&mut command).ok();
        assert!(told.stdout.contains("\nok    mail           a message was taken"), "{told:?}");
        assert!(told.stderr.contains(" 0 failed"), "{told:?}");
        site.relay().take("ops@example.org");
    });
}

#[test]
fn a_misspelt_setting() {
    let finished = doctor(&Site::sqlite(), &[("VESTIBULE_MAIL_URI", "smtp://127.0.0.1")], &[]);
    fails(&finished, "configuration", "VESTIBULE_MAIL_URI", "VESTIBULE_MAIL_URL");
}

#[test]
fn a_database_that_is_not_there_or_not_up() {
    let site = Site::sqlite();
    drop(site.serve());
    let elsewhere = [("VESTIBULE_DATA_DIR", "elsewhere")];
    fails(&doctor(&site, &elsewhere, &[]), "database", "there is no database at", "`data_dir`");
    assert!(!site.path("elsewhere").exists(), "it makes nothing");
    let down = [
        ("VESTIBULE_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
        ("VESTIBULE_SECRET_KEY", vestibule_testing::SECRET_KEY),
    ];
    fails(&doctor(&site, &down, &[]), "database", "cannot be reached", "check that the database runs");
}

#[test]
fn a_database_that_was_replaced() {
    let site = Site::sqlite();
    let mut server = site.serve();
    let database = site.path("vestibule-data/vestibule.db");
    server.signal("-TERM");
    server.ended();
    fs::write(&database, "").unwrap();
    fails(
        &doctor(&site, &[], &[]),
        "database",
        "missing or empty",
        "`vestibule database accept --reason WHY`",
    );
}

#[test]
fn pending_migrations() {
    on_both_databases(|site| {
        drop(site.serve());
        fails(
            &doctor(site, &[("VESTIBULE_PUBLIC_URL", "http://localhost:1")], &[]),
            "public url",
            "does not answer",
            "systemctl start vestibule",
        );
        site.run(&["migrate", "down", "--to", "20", "--yes"]).ok();
        fails(&doctor(site, &[], &[]), "migrations", "1 pending: 21 (terms)", "`vestibule migrate up`");
        site.run(&["migrate", "down", "--to", "0", "--yes"]).ok();
        fails(&doctor(site, &[], &[]), "migrations", "no server has used it", "`vestibule serve`");
    });
}

#[test]
fn files_that_others_may_read() {
    let site = Site::sqlite();
    drop(site.serve());
    let (database, key) = (site.path("vestibule-data/vestibule.db"), site.path("vestibule-data/secret.key"));
    chmod(&database, 0o644);
    fails(&doctor(&site, &[], &[]), "configuration", "can open the database", "chmod 600");
    chmod(&database, 0o640);
    warns(&doctor(&site, &[], &[]), "database file", "its group may open it", "chmod 600");
    chmod(&database, 0o600);
    chmod(&key, 0o604);
    fails(&doctor(&site, &[], &[]), "key file", "mode 0604", "chmod 600");
    chmod(&key, 0o600);
    chmod(&site.path("vestibule-data"), 0o777);
    fails(&doctor(&site, &[], &[]), "database file", "may exchange the files", "chmod 700");
}

#[test]
fn another_secret_key() {
    on_both_databases(|site| {
        drop(site.serve());
        let mut command = site.command(&["doctor", "--json"]);
        command.env_remove("VESTIBULE_SECRET_KEY_FILE").env("VESTIBULE_SECRET_KEY", ANOTHER_KEY);
        fails(
            &Finished::of(&mut command),
            "secret key",
            "do not open with this secret key",
            "restore secret.key",
        );
    });
}

#[test]
fn a_clock_that_was_set_back() {
    for site in [Site::sqlite(), Site::postgres()] {
        let is_sqlite = site.command(&[]).get_envs().all(|(name, _)| name != "VESTIBULE_DATABASE_URL");
        drop(site.serve());
        sql(
            &site,
            is_sqlite,
            "UPDATE schema_migrations SET applied_at = applied_at + 3600000 WHERE version = 19",
        );
        fails(&doctor(&site, &[], &[]), "clock", "was set back", "timedatectl set-ntp true");
    }
}

#[test]
fn a_postgres_that_does_not_fit() {
    let site = Site::on(latin1_database());
    fails(&doctor(&site, &[], &[]), "database", "encoding is LATIN1", "ENCODING 'UTF8'");

    let mut cluster = Cluster::start_private();
    let database = cluster.database();
    let pooler = Pooler::start(&database, "transaction");
    let site = Site::on(database);
    let shared = pooler.url(site.database());
    let finished = doctor(&site, &[("VESTIBULE_DATABASE_URL", &shared)], &[]);
    fails(&finished, "database", "pools transactions", "pool_mode = session");

    let few = site.database().url_with_few_connections(3);
    drop(site.serve_with(&[("VESTIBULE_DATABASE_URL", &few)]));
    let finished = doctor(&site, &[("VESTIBULE_DATABASE_URL", &few)], &[]);
    warns(&finished, "connections", "an instance opens up to 16", "VESTIBULE_DATABASE_CONNECTIONS=2");
    cluster.stop();
}

#[test]
fn mail_that_nobody_takes() {
    let site = Site::sqlite();
    let nobody = free_address();
    let relay = format!("smtp://{nobody}");
    fails(
        &doctor(&site, &[("VESTIBULE_MAIL_URL", &relay)], &[]),
        "mail",
        "refused",
        "`vestibule mail test ADDRESS`",
    );
    site.relay().makes(Some(Trouble::Refuses(Step::Sender, "550 5.7.1 Sender refused")));
    let finished = doctor(&site, &[], &["--send-to", "ops@example.org"]);
    fails(&finished, "mail", "Sender refused", "VESTIBULE_MAIL_FROM");
    let folder = site.path("mail");
    fs::create_dir(&folder).unwrap();
    let file = format!("file://{}", folder.display());
    warns(&doctor(&site, &[("VESTIBULE_MAIL_URL", &file)], &[]), "mail", "to nobody", "VESTIBULE_MAIL_URL");
}

#[test]
fn old_backups() {
    let site = Site::sqlite();
    let folder = site.path("backups");
    let look = || doctor(&site, &[], &["--backups", folder.to_str().unwrap()]);
    fails(&look(), "backups", "cannot be read", "--backups FOLDER");
    fs::create_dir(&folder).unwrap();
    fails(&look(), "backups", "there is no backup", "vestibule backup create");
    let file = File::create(folder.join("vestibule.db")).unwrap();
    file.set_len(10).unwrap();
    let aged = |days: u64| {
        let file = File::options().write(true).open(folder.join("vestibule.db")).unwrap();
        let age = Duration::from_hours(24 * days + 1);
        file.set_modified(fs::metadata(site.path(".")).unwrap().modified().unwrap() - age).unwrap();
    };
    aged(2);
    warns(&look(), "backups", "2 day(s)", "vestibule backup create");
    aged(9);
    fails(&look(), "backups", "9 day(s)", "vestibule backup create");
}

#[test]
fn two_servers_on_one_file() {
    let site = Site::sqlite();
    let (first, second) = (site.serve(), site.serve());
    let finished = doctor(&site, &[], &[]);
    fails(&finished, "openers", &format!("vestibule ({})", first.id()), "systemctl stop vestibule");
    drop(second);
    the("ok", "openers", &doctor(&site, &[], &[]));
}

#[test]
fn a_public_url_that_leads_elsewhere() {
    let site = Site::sqlite();
    let (server, url) = healthy(&site);
    let application = Application::start();
    let elsewhere = format!("http://{}/accounts", application.address.replace("127.0.0.1", "localhost"));
    let finished = doctor(&site, &[("VESTIBULE_PUBLIC_URL", &elsewhere)], &[]);
    fails(&finished, "public url", "not a server with this secret key", "let the proxy pass");

    let other = Site::sqlite();
    drop(other.serve());
    let finished = doctor(&other, &[("VESTIBULE_PUBLIC_URL", &url)], &[]);
    fails(&finished, "public url", "not a server with this secret key", "let the proxy pass");
    let path = format!("{url}/elsewhere");
    fails(
        &doctor(&site, &[("VESTIBULE_PUBLIC_URL", &path)], &[]),
        "public url",
        "answers 404",
        "let the proxy pass",
    );

    // Whoever has not made it with the secret key learns nothing.
    for question in ["", "x", &"A".repeat(54)] {
        let answer = server.http().post("/v1/doctor", None, &json!({ "question": question }));
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}

#[test]
fn certificates_that_browsers_refuse_or_soon_will() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), &["localhost"]);
    let site = Site::sqlite();
    let address = free_address().to_string();
    let proxy = caddy(folder.path(), |port, tls| {
        format!("https://localhost:{port} {{\n\t{tls}\n\treverse_proxy {address}\n}}\n")
    });
    let url = format!("https://localhost:{}", proxy.address.rsplit_once(':').unwrap().1);
    let settings = [("VESTIBULE_PUBLIC_URL", url.as_str()), ("VESTIBULE_MAIL_FROM", "no-reply@example.org")];
    let finished = doctor(&site, &settings, &[]);
    fails(&finished, "certificate", "UnknownIssuer", "certbot renew");

    let authority = folder.path().join("ca.pem");
    let trusted = [settings[0], settings[1], ("SSL_CERT_FILE", authority.to_str().unwrap())];
    let finished = doctor(&site, &trusted, &[]);
    warns(&finished, "certificate", "1 day(s) more", "certbot renew");
    fails(&finished, "public url", "502", "let the proxy pass");
    let serve = [settings[0], settings[1], ("VESTIBULE_LISTEN", address.as_str())];
    let server = site.serve_with(&serve);
    let finished = doctor(&site, &trusted, &[]);
    the("ok", "public url", &finished);
    fails(&finished, "proxies", "is not trusted", "VESTIBULE_TRUSTED_PROXIES=127.0.0.1");
    drop(server);
    let _server =
        site.serve_with(&[serve.as_slice(), &[("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1")]].concat());
    the("ok", "proxies", &doctor(&site, &trusted, &[]));
}
