//! A relay that has a message, and answers late or never.

use serde_json::json;
use vestibule_testing::on_both_databases;

use crate::relay_peer::{Message, Relay, serve};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

// C1
#[test]
fn a_code_works_before_a_slow_relay_answers() {
    on_both_databases(|site| {
        // Longer than the test.
        let relay = Relay::start(site, &["--pause", "500"]);
        let server = serve(site, &relay.url(), &[]);
        server.http().sign_up(EMAIL, PASSWORD);
        let mail = relay.receives();
        assert_eq!(server.get("/readyz").json(200)["mails_waiting"], 1, "the relay has not answered");
        server.http().confirm(EMAIL, PASSWORD, &mail.code());
        server.http().me(&server.http().sign_in(EMAIL, PASSWORD));
    });
}

// C1, M6
#[test]
fn a_relay_that_breaks_off_may_have_the_mail() {
    on_both_databases(|site| {
        let relay = Relay::start(site, &["--answer", "drop"]);
        let server = serve(site, &relay.url(), &[]);
        server.http().sign_up(EMAIL, PASSWORD);
        let mail = relay.receives();
        let line = server.logs("a mail was not handed over");
        assert!(line.contains("uncertain: the connection broke before the relay answered"), "{line}");
        let ready = server.get("/readyz").json(200);
        assert_eq!((&ready["mails_waiting"], &ready["mails_failed"]), (&json!(1), &json!(0)), "{ready}");
        server.http().confirm(EMAIL, PASSWORD, &mail.code());
    });
}

// M7, G5: the lease of a killed server ends soon.
#[test]
fn what_a_killed_server_was_handing_over_comes_soon() {
    on_both_databases(|site| {
        let relay = Relay::start(site, &["--pause", "500"]);
        let server = serve(site, &relay.url(), &[]);
        server.http().sign_up(EMAIL, PASSWORD);
        let first = relay.receives();
        server.signal("-KILL");
        drop(server);
        let server = serve(site, &relay.url(), &[]);
        let again = relay.receives();
        // The server's address, and so its link, has another port.
        let what =
            |mail: &Message| (mail.header("message-id")[0].to_owned(), mail.token().to_owned(), mail.code());
        assert_eq!(what(&again), what(&first));
        server.http().confirm(EMAIL, PASSWORD, &again.code());
    });
}

// Each message is sent separately.
#[test]
fn slow_recipients_hold_nobody_up() {
    on_both_databases(|site| {
        let relay = Relay::start(site, &[]);
        let server = serve(site, &relay.url(), &[]);
        for number in 0..6 {
            let email = format!("slow-{number}@example.org");
            server.http().sign_up(&email, PASSWORD);
            assert_eq!(relay.receives().0["waits"], email);
        }
        for name in ["ada", "grace", "edsger"] {
            let email = format!("{name}@example.org");
            server.http().sign_up(&email, PASSWORD);
            assert_eq!(relay.receives().header("to"), [email]);
        }
        let ready = server.get("/readyz").json(200);
        assert_eq!((&ready["mail"], &ready["mails_failed"]), (&json!("ok"), &json!(0)), "{ready}");
    });
}
