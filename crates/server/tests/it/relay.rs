//! Mail through a third-party mail server, up to the account that it confirms.

use serde_json::json;
use vestibule_testing::{Finished, SECRET_KEY, Site, eventually, on_both_databases};

use crate::relay_peer::{Message, Relay, serve};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

// M5
#[track_caller]
fn is_as_required(mail: &Message) {
    assert_eq!(mail.0["defects"], json!([]), "{mail:?}");
    assert_eq!(mail.0["envelope"], json!({ "from": "no-reply@example.net", "to": [EMAIL] }));
    assert_eq!(mail.header("from"), ["Vestibule <no-reply@example.net>"]);
    assert_eq!(mail.header("to"), [EMAIL]);
    assert_eq!(mail.header("auto-submitted"), ["auto-generated"]);
    assert_eq!(mail.header("x-auto-response-suppress"), ["All"]);
    assert_eq!(mail.header("subject"), ["Confirm your email for Vestibule"]);
    assert_eq!(mail.header("mime-version"), ["1.0"]);
    assert_eq!(mail.header("list-unsubscribe"), [""; 0]);
    let [id] = mail.header("message-id")[..] else { panic!("{mail:?}") };
    assert!(id.starts_with("<msg_") && id.ends_with("@example.net>"), "{id}");
    let [date] = mail.header("date")[..] else { panic!("{mail:?}") };
    assert!(date.ends_with(" +0000"), "{date}");
    assert_eq!(mail.0["type"], "multipart/alternative");
    let types: Vec<_> = mail.0["parts"].as_array().unwrap().iter().map(|part| &part[0]).collect();
    assert_eq!(types, ["text/plain", "text/html"]);
    let html = mail.part("text/html");
    assert!(html.contains(&format!(">{}<", mail.code())) && html.contains(mail.link()), "{html}");
    let headers = mail.0["headers"].to_string();
    assert!(!headers.contains(mail.token()), "{headers}");
}

#[test]
fn what_the_mail_says_confirms_the_sign_up() {
    on_both_databases(|site| {
        let relay = Relay::start(site, &[]);
        let server = serve(site, &relay.url(), &[]);
        let http = server.http();
        http.sign_up(EMAIL, PASSWORD);
        let mail = relay.receives_from(&server);
        is_as_required(&mail);
        http.confirm(EMAIL, PASSWORD, &mail.code());
        let me = http.me(&http.sign_in(EMAIL, PASSWORD));
        assert_eq!(me["email"], EMAIL);

        let other = "grace@example.org";
        http.sign_up(other, PASSWORD);
        // The welcome mail of the first may come before it.
        let mail = eventually("the mail to the other", || {
            Some(relay.receives()).filter(|mail| mail.header("to") == [other])
        });
        let wish = json!({ "token": mail.token(), "password": PASSWORD });
        let user = http.post("/v1/confirm", None, &wish).json(200);
        assert_eq!(user["email"], other);
        http.me(&http.sign_in(other, PASSWORD));
    });
}

/// A host that is this machine, but not by one of the names that allow mail without TLS.
const ELSEWHERE: &str = "0.0.0.0";

// M6
#[test]
fn starttls_and_implicit_tls_reach_a_relay_of_a_private_authority() {
    for (tls, scheme) in [("starttls", "smtp"), ("implicit", "smtps")] {
        let site = Site::sqlite();
        let arguments = ["--host", ELSEWHERE, "--tls", tls, "--account", "vestibule:p@ss:w%rd"];
        let relay = Relay::start(&site, &arguments);
        let url = format!("{scheme}://vestibule:p%40ss%3Aw%25rd@{ELSEWHERE}:{}", relay.port);
        let server = serve(&site, &url, &[("SSL_CERT_FILE", &relay.authority)]);
        server.http().sign_up(EMAIL, PASSWORD);
        let mail = relay.receives_from(&server);
        assert_eq!(mail.0["encrypted"], true, "{mail:?}");
        assert_eq!(mail.0["signed_in"], true, "{mail:?}");
        server.http().confirm(EMAIL, PASSWORD, &mail.code());
    }
}

// M6
#[test]
fn a_relay_with_a_certificate_of_nobody_gets_nothing() {
    for (tls, scheme) in [("starttls", "smtp"), ("implicit", "smtps")] {
        let site = Site::sqlite();
        let arguments = ["--host", ELSEWHERE, "--tls", tls];
        let (relay, trusted) = (Relay::start(&site, &arguments), Relay::down(&site, &arguments));
        let url = format!("{scheme}://{ELSEWHERE}:{}", relay.port);
        let server = serve(&site, &url, &[("SSL_CERT_FILE", &trusted.authority)]);
        server.http().sign_up(EMAIL, PASSWORD);
        // The probe reports that mail is failing, the log why.
        let line = server.logs("a mail was not handed over");
        assert!(line.contains("no connection to the relay") && line.contains("certificate"), "{line}");
        let ready = eventually("the probe tells", || {
            Some(server.get("/readyz").json(200)).filter(|ready| ready["mail"] == "failing")
        });
        assert_eq!(ready["status"], "ready");
        assert_eq!((&ready["mails_waiting"], &ready["mails_failed"]), (&json!(1), &json!(0)), "{ready}");
        assert_eq!(relay.unread(), [""; 0]);
    }
}

#[test]
fn wrong_credentials_at_the_relay_lose_no_mail_and_are_not_logged() {
    let site = Site::sqlite();
    let relay = Relay::start(&site, &["--account", "vestibule:right"]);
    let server = serve(&site, &format!("smtp://vestibule:hunter2@127.0.0.1:{}", relay.port), &[]);
    server.http().sign_up(EMAIL, PASSWORD);
    let line = server.logs("a mail was not handed over");
    assert!(line.contains("refused the user name or password (535)"), "{line}");
    assert!(!line.contains("hunter2") && !line.contains(EMAIL), "{line}");
    let ready = server.get("/readyz").json(200);
    assert_eq!((&ready["mails_waiting"], &ready["mails_failed"]), (&json!(1), &json!(0)), "{ready}");
    assert_eq!(relay.unread(), [""; 0]);
}

// A refusal that would apply to any recipient is for the operator to fix: no mail is lost, and it is logged as an
// error.
#[test]
fn a_quota_at_the_relay_loses_no_mail_and_is_shouted_about() {
    on_both_databases(|site| {
        let relay = Relay::start(site, &["--refuse-sender", "552 5.2.3 daily quota exceeded"]);
        let server = serve(site, &relay.url(), &[]);
        server.http().sign_up(EMAIL, PASSWORD);
        let line = server.logs("a mail was not handed over");
        assert!(line.contains("\"ERROR\"") && line.contains("daily quota exceeded"), "{line}");
        let ready = eventually("the probe tells", || {
            Some(server.get("/readyz").json(200)).filter(|ready| ready["mail"] == "failing")
        });
        assert_eq!((&ready["mails_waiting"], &ready["mails_failed"]), (&json!(1), &json!(0)), "{ready}");
    });
}

#[test]
fn a_mailbox_that_does_not_exist_is_a_dead_letter() {
    on_both_databases(|site| {
        let relay = Relay::start(site, &["--answer", "550 5.1.1 no such user"]);
        let server = serve(site, &relay.url(), &[]);
        server.http().sign_up(EMAIL, PASSWORD);
        let line = server.logs("a mail was not handed over");
        assert!(line.contains("550") && line.contains("no such user") && !line.contains(EMAIL), "{line}");
        let ready = eventually("it is given up", || {
            Some(server.get("/readyz").json(200)).filter(|ready| ready["mails_failed"] == 1)
        });
        assert_eq!((&ready["status"], &ready["mails_waiting"]), (&json!("ready"), &json!(0)), "{ready}");
        assert_eq!(ready["mail"], "ok", "others get through: {ready}");
    });
}

// RFC 6531: an address in any script, and a relay that accepts it or not.
#[test]
fn an_address_of_any_script_gets_mail_where_the_relay_takes_it() {
    const HINDI: &str = "हिन्दी@example.org";
    on_both_databases(|site| {
        let relay = Relay::start(site, &["--utf8"]);
        let server = serve(site, &relay.url(), &[]);
        server.http().sign_up(HINDI, PASSWORD);
        let mail = relay.receives_from(&server);
        assert_eq!((mail.0["envelope"]["to"][0].as_str(), mail.header("to")), (Some(HINDI), vec![HINDI]));
        server.http().confirm(HINDI, PASSWORD, &mail.code());
        server.http().me(&server.http().sign_in(HINDI, PASSWORD));
        drop(server);

        let old = Relay::start(site, &[]);
        let server = serve(site, &old.url(), &[]);
        server.http().sign_up("தமிழ்@example.org", PASSWORD);
        let line = server.logs("a mail was not handed over");
        assert!(line.contains("permanent: the relay does not offer SMTPUTF8"), "{line}");
        let ready = eventually("it is given up", || {
            Some(server.get("/readyz").json(200)).filter(|ready| ready["mails_failed"] == 1)
        });
        assert_eq!(ready["mail"], "ok", "others get through: {ready}");
    });
}

// A relay in a private network without TLS would never accept a mail: that is reported before anyone signs up.
#[test]
fn check_config_asks_the_relay() {
    let site = Site::sqlite();
    let check = |url: &str| {
        let mut command = site.command(&["check-config"]);
        command.envs([
            ("VESTIBULE_MAIL_URL", url),
            ("VESTIBULE_MAIL_FROM", "no-reply@example.net"),
            ("VESTIBULE_PUBLIC_URL", "https://accounts.example.net"),
            ("VESTIBULE_SECRET_KEY", SECRET_KEY),
        ]);
        Finished::from(command.output().unwrap())
    };
    let plain = Relay::start(&site, &[]);
    check(&format!("smtp://127.0.0.1:{}", plain.port)).ok();
    let refused = check(&format!("smtp://{ELSEWHERE}:{}", plain.port)).refused(3, "does not offer STARTTLS");
    assert!(refused.stderr.contains("`mail.url` (VESTIBULE_MAIL_URL)"), "{refused:?}");
    let closed = Relay::start(&site, &["--account", "vestibule:right"]);
    let url = format!("smtp://vestibule:hunter2@127.0.0.1:{}", closed.port);
    let refused = check(&url).refused(3, "refused the user name or password");
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
    check(&format!("smtp://vestibule:right@127.0.0.1:{}", closed.port)).ok();
    // A relay that cannot be reached from here may be reachable from elsewhere.
    let down = Relay::down(&site, &[]);
    let noted = check(&format!("smtp://127.0.0.1:{}", down.port)).ok();
    assert!(noted.stderr.contains("note: ") && noted.stderr.contains("could not be asked"), "{noted:?}");
}
