//! `vestibule doctor` asks DNS about the sender's domain.

use serde_json::Value;
use vestibule_testing::{Finished, Site};

use crate::name_server::{COMPLETE, Written, name_server, silent_name_server};

const CHECKS: [&str; 3] = ["sender mx", "sender spf", "sender dmarc"];

/// A host below a domain with a policy.
const BELOW: [Written; 2] =
    [("_dmarc.example.org.", "TXT", "v=DMARC1; p=reject"), ("mail.example.org.", "A", "192.0.2.1")];

/// A name that exists, with another text.
const NONE: [Written; 1] = [("example.org.", "TXT", "site-verification=1")];

/// What it finds, by check, for mail from this address.
fn asks(server: &str, from: &str) -> Vec<Value> {
    let site = Site::sqlite();
    let mut command = site.command(&["doctor", "--json", "--dns-server", server]);
    let findings = Finished::of(command.env("VESTIBULE_MAIL_FROM", from)).json();
    findings.into_iter().filter(|it| it["check"].as_str().unwrap().starts_with("sender")).collect()
}

fn states(findings: &[Value]) -> Vec<[&str; 2]> {
    findings.iter().map(|it| [it["check"].as_str().unwrap(), it["state"].as_str().unwrap()]).collect()
}

#[test]
fn a_sender_with_all_records() {
    let findings = asks(&name_server(&COMPLETE), "no-reply@example.org");
    assert_eq!(states(&findings), CHECKS.map(|check| [check, "ok"]));
    assert_eq!(findings[0]["found"], "answers to example.org go to mx1.example.org");
    assert_eq!(findings[1]["found"], "example.org: v=spf1 include:relay.example.net -all");
    assert_eq!(findings[2]["found"], "_dmarc.example.org: v=DMARC1; p=quarantine");

    // A domain below it has its policy for forged mail, and none of the others.
    let findings = asks(&name_server(&BELOW), "no-reply@mail.example.org");
    assert_eq!(states(&findings), [["sender mx", "ok"], ["sender spf", "warn"], ["sender dmarc", "ok"]]);
    assert_eq!(findings[0]["found"], "answers to mail.example.org go to mail.example.org");
    assert_eq!(findings[2]["found"], "_dmarc.example.org: v=DMARC1; p=reject");
}

#[test]
fn a_sender_without_records() {
    let findings = asks(&name_server(&NONE), "no-reply@example.org");
    assert_eq!(states(&findings), CHECKS.map(|check| [check, "warn"]));
    for (finding, fix) in findings.iter().zip(["`dig MX example.org`", "v=spf1", "_dmarc.example.org"]) {
        assert!(finding["cause"].is_string(), "{finding:#}");
        assert!(finding["fix"].as_str().unwrap().contains(fix), "{finding:#}");
    }

    let findings = asks(&name_server(&[]), "no-reply@example.org");
    assert_eq!(states(&findings), [["sender mx", "fail"]]);
    assert!(findings[0]["fix"].as_str().unwrap().contains("VESTIBULE_MAIL_FROM"), "{findings:#?}");
}

#[test]
fn name_servers_that_do_not_answer() {
    // One that is not there, and one that says nothing.
    let (_held, silent) = silent_name_server();
    for server in ["127.0.0.1:1", silent.as_str()] {
        let findings = asks(server, "no-reply@example.org");
        assert_eq!(states(&findings), CHECKS.map(|check| [check, "warn"]));
        for finding in &findings {
            assert!(finding["found"].as_str().unwrap().contains("no answer from DNS"), "{finding:#}");
            assert!(finding["fix"].as_str().unwrap().contains("--dns-server"), "{finding:#}");
        }
    }
}
