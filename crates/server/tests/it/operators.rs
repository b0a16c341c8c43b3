//! `vestibule audit`, `limits` and `mail`, with the server down and up.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vestibule_testing::{Finished, PATIENCE, Server, Site, eventually, lines, on_both_databases};

use crate::relay_peer::Relay;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "velvet-comet-lichen-27";

/// A server has run, and Ada has an account.
fn prepare(site: &Site) {
    drop(site.serve());
    let create = ["user", "create", "--password-stdin", "--email", EMAIL, "--user-name", "ada"];
    site.run_with_input(&create, &format!("{PASSWORD}\n")).ok();
}

/// A sign-up is made while the relay cannot be reached.
fn leave_a_mail_waiting(site: &Site) {
    // Nothing listens there.
    let server = site.serve_with(&[("VESTIBULE_MAIL_URL", "smtp://127.0.0.1:1")]);
    server.http().sign_up("bob@example.org", PASSWORD);
    eventually("the first attempt fails", || {
        let waiting = site.run(&["mail", "outbox", "list", "--json"]).ok().json();
        waiting[0]["last_error"].is_string().then_some(())
    });
}

fn wrong(server: &Server, number: usize) {
    for _ in 0..number {
        let body = json!({"email": EMAIL, "password": "another-long-word-9"});
        assert_eq!(server.http().post("/v1/login", None, &body).status, 401);
    }
}

#[test]
fn the_trail_is_read_and_exported_with_the_server_down() {
    on_both_databases(|site| {
        prepare(site);
        site.run(&["user", "disable", "ada"]).ok();
        site.run(&["user", "enable", "ada"]).ok();
        // The set-up link of the banner exists because no server had an administrator: ignored here.
        let kinds = |arguments: &[&str]| -> Vec<Value> {
            let entries = site.run(arguments).ok().json();
            let all = entries.iter().map(|entry| entry["kind"].clone());
            all.filter(|kind| kind != "setup_link_made").collect()
        };
        assert_eq!(kinds(&["audit", "tail", "--json"]), ["created", "disabled", "enabled"]);
        assert_eq!(kinds(&["audit", "tail", "-n", "1", "--json"]), ["enabled"]);
        assert_eq!(kinds(&["audit", "export"]), ["created", "disabled", "enabled"]);
        assert_eq!(kinds(&["audit", "export", "--kind", "disabled", "--since", "1h"]), ["disabled"]);
        assert_eq!(kinds(&["audit", "export", "--since", "2020-01-01"]).len(), 3);
        assert_eq!(kinds(&["audit", "export", "--since", "0s"]), [""; 0]);
        let entry = site.run(&["audit", "export", "--kind", "created"]).ok().json().remove(0);
        assert_eq!((&entry["actor"], &entry["email"]), (&json!("operator"), &json!("a***@example.org")));
        assert_eq!(entry["operator"], account());
        let text = site.run(&["audit", "tail"]).ok().stdout;
        let cells: Vec<_> = text.lines().find(|line| line.contains("created")).unwrap().split('\t').collect();
        let by = format!("operator:{}", account());
        assert_eq!(cells[1..], ["created", &by, "a***@example.org", "-", "-"]);
        site.run(&["audit", "export", "--kind", "nothing"]).refused(2, "signed_in");
        site.run(&["audit", "export", "--since", "yesterday"]).refused(2, "2026-03-01");
    });
}

/// The account of the machine that runs the tests.
fn account() -> String {
    let said = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

// O4: each command that changes a user says who ran it, and why.
#[test]
fn an_operator_and_the_reason_are_in_the_trail() {
    on_both_databases(|site| {
        prepare(site);
        let input = format!("{PASSWORD}-2\n");
        for command in [
            &["update", "--locale", "de"][..],
            &["reset-link"],
            &["sign-out"],
            &["disable"],
            &["enable"],
            &["set-password", "--password-stdin"],
            &["ways-in", "reset"],
            &["delete", "--yes"],
        ] {
            let because = [&["user"], command, &["ada", "--reason", "ticket 17"]].concat();
            site.run_with_input(&because, &input).ok();
        }
        site.run(&["limits", "clear", EMAIL, "--reason", "ticket 18"]).ok();
        let create = ["user", "create", "--password-stdin", "--email", EMAIL, "--reason", "ticket 19"];
        site.run_with_input(&create, &input).ok();
        let import = ["user", "import", "-", "--from", "jsonl", "--reason", "ticket 20"];
        site.run_with_input(&import, "{\"email\": \"bob@example.org\"}\n").ok();
        let trail = site.run(&["audit", "export"]).ok().json();
        let told: Vec<_> = trail
            .iter()
            .filter(|entry| entry["detail"].as_str().is_some_and(|detail| detail.contains("ticket")))
            .map(|entry| {
                assert_eq!((&entry["actor"], &entry["operator"]), (&json!("operator"), &json!(account())));
                let detail = entry["detail"].as_str().unwrap();
                (entry["kind"].as_str().unwrap(), detail.rsplit("; ").next().unwrap())
            })
            .collect();
        let kinds = [
            "updated",
            "reset_requested",
            "signed_out",
            "disabled",
            "enabled",
            "password_set",
            "factors_reset",
            "deleted",
        ];
        let of_ada = kinds.map(|kind| (kind, "reason: ticket 17"));
        let rest = [
            ("limits_cleared", "reason: ticket 18"),
            ("created", "reason: ticket 19"),
            ("imported", "reason: ticket 20"),
            ("users_imported", "reason: ticket 20"),
        ];
        assert_eq!(told, [&of_ada[..], &rest].concat());
        for (reason, words) in
            [(" ", "the reason is empty"), ("a\nb", "control characters"), (&"x".repeat(201), "200")]
        {
            site.run(&["user", "disable", "bob@example.org", "--reason", reason]).refused(2, words);
        }
    });
}

// Root is asked who they were before; nobody else can say that they are another one.
#[test]
fn a_variable_makes_nobody_another_operator() {
    let site = Site::sqlite();
    prepare(&site);
    let mut command = site.command(&["user", "disable", "ada"]);
    command.env("SUDO_USER", "al\u{1b}[2Jice").env("USER", "mallory").env("LOGNAME", "mallory");
    Finished::of(&mut command).ok();
    let entry = site.run(&["audit", "export", "--kind", "disabled"]).ok().json().remove(0);
    let signed_in = std::fs::read_to_string("/proc/self/loginuid")
        .is_ok_and(|id| !["0", "4294967295"].contains(&id.trim()));
    match account().as_str() {
        "root" if signed_in => assert_ne!(entry["operator"], "mallory"),
        "root" => assert_eq!(entry["operator"], "al??2Jice"),
        account => assert_eq!(entry["operator"], account),
    }
}

/// Characters that a terminal obeys: they move the cursor and reorder the line.
const OBEYED: [char; 2] = ['\u{9b}', '\u{202e}'];

/// A relay with this greeting.
fn hostile_relay() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let greet = move || {
        for stream in listener.incoming() {
            drop(
                stream
                    .unwrap()
                    .write_all(format!("421 {}gone\r\n", OBEYED.iter().collect::<String>()).as_bytes()),
            );
        }
    };
    drop(std::thread::Builder::new().spawn(greet).unwrap());
    url
}

// O2: text from browsers and relays is shown, but not obeyed.
#[test]
fn nothing_of_others_is_obeyed_by_a_terminal() {
    let site = Site::sqlite();
    let server = site.serve_with(&[("VESTIBULE_MAIL_URL", &hostile_relay())]);
    let browser = format!("browser{}", OBEYED.iter().collect::<String>());
    let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
    let headers = [("user-agent", browser.as_str()), ("content-type", "application/json")];
    assert_eq!(server.http().request("POST", "/v1/signup", &headers, &body).status, 202);
    let shown = |arguments: &[&str]| {
        let finished = site.run(arguments).ok();
        assert!(!finished.stdout.contains(OBEYED), "{}", finished.stdout);
        finished
    };
    let entry = shown(&["audit", "export", "--kind", "signed_up"]).json().remove(0);
    assert_eq!(entry["user_agent"], browser);
    shown(&["audit", "tail"]);
    eventually("the relay has answered", || {
        shown(&["mail", "outbox", "list"]);
        let waiting = shown(&["mail", "outbox", "list", "--json"]).json();
        waiting[0]["last_error"].as_str().is_some_and(|error| error.contains("gone")).then_some(())
    });
}

#[test]
fn the_trail_is_followed() {
    let site = Site::sqlite();
    prepare(&site);
    let mut command = site.command(&["audit", "tail", "--follow", "--json", "-n", "1"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let entries = lines(child.stdout.take().unwrap());
    let next = || -> Value { serde_json::from_str(&entries.recv_timeout(PATIENCE).unwrap()).unwrap() };
    assert_eq!(next()["kind"], "created");
    site.run(&["user", "disable", "ada"]).ok();
    assert_eq!(next()["kind"], "disabled");
    site.run(&["user", "enable", "ada"]).ok();
    assert_eq!(next()["kind"], "enabled");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(entries.try_recv().is_err(), "each entry comes once");
}

// L2: the shell shows why a user cannot get in, and lets them in.
#[test]
fn a_locked_account_is_shown_and_opened() {
    on_both_databases(|site| {
        prepare(site);
        let server = site.serve();
        wrong(&server, 5);
        let shown = |account: &str| site.run(&["limits", "show", account, "--json"]).ok().json().remove(0);
        let limits = shown("ada");
        assert_eq!((&limits["failures"], &limits["email"]), (&json!(5), &json!(EMAIL)));
        assert_eq!(
            (&limits["closed_for_good"], &limits["codes_sent"]),
            (&json!(false), &json!({"day": 0, "month": 0}))
        );
        let cleared = site.run(&["limits", "clear", "Ada@example.org", "--json"]).ok();
        assert!(cleared.stderr.contains("5 wrong passwords and 0 wrong codes"), "{}", cleared.stderr);
        assert_eq!(cleared.json()[0]["failures"], 0);
        server.http().sign_in(EMAIL, PASSWORD);
        let trail = site.run(&["audit", "export", "--kind", "limits_cleared"]).ok().json();
        assert_eq!((trail.len(), &trail[0]["actor"]), (1, &json!("operator")));
        // An address needs no account.
        assert_eq!(shown("nobody@example.org")["user_id"], Value::Null);
        let text = site.run(&["limits", "show", "nobody@example.org"]).ok().stdout;
        assert!(
            text.contains("account           none\n") && text.contains("next try          now\n"),
            "{text}"
        );
        site.run(&["limits", "show", "nobody-there"]).refused(5, "there is no such user");
        site.run(&["limits", "clear", "no body"]).refused(2, "user name");
    });
}

// M7: waiting messages are listed, retried and dropped while the server is down.
#[test]
fn the_outbox_is_looked_after() {
    on_both_databases(|site| {
        leave_a_mail_waiting(site);
        let list = |arguments: &[&str]| {
            site.run(&[&["mail", "outbox", "list", "--json"], arguments].concat()).ok().json()
        };
        let mail = list(&["--state", "waiting"]).remove(0);
        assert_eq!(
            (&mail["kind"], &mail["to"], &mail["state"]),
            (&json!("confirm"), &json!("b***@example.org"), &json!("waiting"))
        );
        let id = mail["id"].as_str().unwrap();
        assert!(list(&["--state", "failed"]).is_empty());
        let again = site.run(&["mail", "outbox", "retry", id, "--json"]).ok().json().remove(0);
        assert!(again["due_at"].as_str() < mail["due_at"].as_str(), "{again} {mail}");
        assert_eq!(site.run(&["mail", "outbox", "retry", "--failed", "--json"]).ok().json()[0]["retried"], 0);
        site.run(&["mail", "outbox", "drop", id]).refused(2, "--yes");
        site.run(&["mail", "outbox", "drop", id, "--yes"]).ok();
        assert!(list(&[]).is_empty());
        site.run(&["mail", "outbox", "retry", id]).refused(5, "no such message");
        site.run(&["mail", "outbox", "drop", id, "--yes"]).refused(5, "no such message");
        site.run(&["mail", "outbox", "retry"]).refused(2, "ID");
        site.run(&["mail", "outbox", "retry", "usr_1"]).refused(2, "msg_");
        let acts = site.run(&["audit", "export", "--kind", "assisted"]).ok().json();
        let told: Vec<_> = acts.iter().map(|act| act["detail"].as_str().unwrap().to_owned()).collect();
        assert_eq!(
            told,
            [format!("mail {id} (confirm) tried again"), format!("mail {id} (confirm) dropped")]
        );
    });
}

// M8: whether mail is sent can be tested without a database, and is reported in words.
#[test]
fn a_test_message_says_how_it_went() {
    let site = Site::sqlite();
    let test = |url: &str, arguments: &[&str]| {
        let mut command =
            site.command_without_settings(&[&["mail", "test", "ada@example.org"], arguments].concat());
        command.env("VESTIBULE_MAIL_URL", url).env("VESTIBULE_MAIL_FROM", "no-reply@example.org");
        Finished::of(&mut command)
    };
    let folder = site.path("mails");
    std::fs::create_dir(&folder).unwrap();
    let sent = test(&format!("file://{}", folder.display()), &["--json", "--locale", "de"]).ok();
    assert_eq!((&sent.json()[0]["outcome"], &sent.json()[0]["transport"]), (&json!("sent"), &json!("file")));
    let letter = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let letter = std::fs::read_to_string(letter).unwrap();
    assert!(letter.contains("To: ada@example.org") && letter.contains("Testnachricht"), "{letter}");
    let kept = test("memory:", &[]).ok();
    assert!(kept.stderr.contains("nothing was sent"), "{kept:?}");
    test("smtp://127.0.0.1:1", &[]).refused(75, "not taken now").refused(75, "fix:");
    let refused = test("smtp://127.0.0.1:1", &["--json"]);
    assert_eq!(refused.json()[0]["outcome"], "temporary");
    for (answer, outcome, code, words) in [
        ("451 4.7.1 come back later", "deferred", 75, "try again in some minutes"),
        ("550 5.1.1 no such mailbox", "permanent", 1, "refused for good"),
    ] {
        let relay = Relay::start(&site, &["--answer", answer]);
        let refused = test(&relay.url(), &["--json"]).refused(code, words);
        assert_eq!(refused.json()[0]["outcome"], outcome, "{refused:?}");
    }
    Finished::of(&mut site.command_without_settings(&["mail", "test", "ada@example.org"]))
        .refused(2, "VESTIBULE_MAIL_URL");
    site.run(&["mail", "test", "ada"]).refused(2, "ADDRESS");
    assert!(!site.path("vestibule-data").exists(), "no database was made");
}

#[test]
fn a_mail_is_looked_at_before_anybody_gets_it() {
    let site = Site::sqlite();
    let text = site.run(&["mail", "preview", "confirm", "--locale", "de"]).ok().stdout;
    assert!(text.starts_with("Subject: ") && text.contains("0123"), "{text}");
    let help = site.run(&["mail", "preview", "--help"]).ok().stdout;
    assert!(help.contains("ar, de, en, es, fr or one of your own"), "{help}");
    for (locale, start) in
        [("ar-EG", "lang=\"ar\" dir=\"rtl\">"), ("es-419", "lang=\"es\""), ("fr-CA", "lang=\"fr\"")]
    {
        let html = site.run(&["mail", "preview", "confirm", "--html", "--locale", locale]).ok().stdout;
        assert!(html.starts_with(&format!("<!doctype html>\n<html {start}")), "{html}");
    }
    let html = site.run(&["mail", "preview", "welcome", "--html"]).ok().stdout;
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\""), "{html}");
    let json = site.run(&["mail", "preview", "test", "--json"]).ok().json().remove(0);
    assert!(json["subject"].is_string() && json["text"].is_string() && json["html"].is_string(), "{json}");
    site.run(&["mail", "preview", "nothing"]).refused(2, "password_reset");
    // The preview is what would be sent: with the operator's own texts.
    let own = site.path("templates/welcome/en");
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join("subject.txt"), "Hello from {{ site_name }}\n").unwrap();
    let mut command = site.command(&["mail", "preview", "welcome"]);
    command.env("VESTIBULE_MAIL_TEMPLATES_DIR", site.path("templates"));
    let shown = Finished::of(&mut command).ok().stdout;
    assert!(shown.starts_with("Subject: Hello from Vestibule\n"), "{shown}");
}
