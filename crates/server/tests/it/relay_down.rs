//! A relay that is down, silent, or says "later".

use std::net::TcpListener;

use serde_json::json;
use vestibule_testing::{Server, Site, eventually, on_both_databases};

use crate::relay_peer::{Relay, serve};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

#[track_caller]
fn mail_is(server: &Server, state: &str) {
    let ready =
        eventually(state, || Some(server.get("/readyz").json(200)).filter(|ready| ready["mail"] == state));
    assert_eq!(ready["status"], "ready");
}

// M7: requests never wait for SMTP.
#[test]
fn a_relay_that_keeps_silent_holds_nobody_up() {
    on_both_databases(|site| {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("smtp://{}", silent.local_addr().unwrap());
        let server = serve(site, &url, &[]);
        server.http().sign_up(EMAIL, PASSWORD);
        let _connection = silent.accept().unwrap();
        // The attempt is under way, waits for a greeting, and has not failed yet.
        server.http().sign_up("grace@example.org", PASSWORD);
        let ready = server.get("/readyz").json(200);
        assert_eq!((&ready["mail"], &ready["mails_waiting"]), (&json!("ok"), &json!(2)), "{ready}");
    });
}

/// M6, C1: sign-up works as usual; the mail comes when the relay is back; its code lives from then on.
fn a_mail_waits_for_its_relay(site: &Site) {
    let mut relay = Relay::down(site, &[]);
    // Shorter than the pause: a code whose lifetime began at the sign-up would have expired when its mail comes.
    let server = serve(site, &relay.url(), &[("VESTIBULE_CONFIRM_CODE_LIFETIME", "25s")]);
    let http = server.http();
    http.sign_up(EMAIL, PASSWORD);
    mail_is(&server, "failing");
    let ready = server.get("/readyz").json(200);
    assert_eq!((&ready["mails_waiting"], &ready["mails_failed"]), (&json!(1), &json!(0)), "{ready}");

    relay.comes_up();
    let mail = relay.receives_from(&server);
    mail_is(&server, "ok");
    http.confirm(EMAIL, PASSWORD, &mail.code());
    http.me(&http.sign_in(EMAIL, PASSWORD));
}

/// M5: a relay that says "later" sees the same message again, so that a receiver can drop a duplicate.
fn a_greylisted_mail_comes_again_unchanged(site: &Site) {
    let relay = Relay::start(site, &["--answer", "451 4.7.1 come back later"]);
    let server = serve(site, &relay.url(), &[]);
    server.http().sign_up(EMAIL, PASSWORD);
    let first = relay.receives();
    let again = relay.receives_from(&server);
    assert_eq!(first.0["answer"], "451 4.7.1 come back later");
    assert_eq!(again.0["answer"], "250 2.0.0 taken");
    assert_eq!(again.0["source"], first.0["source"]);
    server.http().confirm(EMAIL, PASSWORD, &again.code());
}

// All wait for the real first pause, 30 to 38 seconds, concurrently.
#[test]
fn a_mail_that_comes_late_confirms() {
    std::thread::scope(|stories| {
        stories.spawn(|| a_mail_waits_for_its_relay(&Site::sqlite()));
        stories.spawn(|| a_mail_waits_for_its_relay(&Site::postgres()));
        stories.spawn(|| a_greylisted_mail_comes_again_unchanged(&Site::sqlite()));
    });
}
