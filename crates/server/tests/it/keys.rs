//! `vestibule keys`, and a change of the secret key.

use std::process::Command;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use vestibule_testing::{Finished, SECRET_KEY, Site, on_both_databases};

const ADA: &str = "ada@example.org";
const PASSWORD: &str = "velvet-comet-lichen-27";
const NEXT_KEY: &str = "1c9f60718293a4b5c6d7e8f90a1b2c3d4e5f8f0b2c1d4e5f60718293a4b5c6d7";

fn list(site: &Site) -> Vec<Value> {
    site.run(&["keys", "list", "--json"]).ok().json()
}

fn states(site: &Site) -> Vec<Value> {
    list(site).into_iter().map(|key| key["state"].clone()).collect()
}

fn millis(time: &Value) -> i64 {
    let (_, time) = time.as_str().unwrap().split_once('T').unwrap();
    let number = |range: std::ops::Range<usize>| time[range].parse::<i64>().unwrap();
    ((number(0..2) * 60 + number(3..5)) * 60 + number(6..8)) * 1000 + number(9..12)
}

/// The time between two times on the same day.
fn between(from: &Value, to: &Value) -> i64 {
    (millis(to) - millis(from)).rem_euclid(24 * 60 * 60 * 1000)
}

fn algorithm(token: &str) -> Value {
    let header = BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["alg"].clone()
}

#[test]
fn keys_are_managed_with_the_server_down() {
    on_both_databases(|site| {
        drop(site.serve());
        let [first] = list(site).try_into().unwrap();
        assert_eq!((&first["algorithm"], &first["state"]), (&"EdDSA".into(), &"signing".into()));
        assert_eq!((&first["signs_from"], &first["verifies_until"]), (&first["created_at"], &Value::Null));

        // Published now, signing after 2 x 60 s + 300 s, the old one retired after 600 s + 5 s.
        let plan = site.run(&["keys", "rotate", "--json"]).ok().json().remove(0);
        let (new, old) = (&plan["new"], &plan["old"]);
        assert_eq!((&new["state"], &old["id"]), (&"published".into(), &first["id"]));
        assert_eq!(between(&new["created_at"], &new["signs_from"]), 420_000);
        assert_eq!(between(&new["signs_from"], &old["verifies_until"]), 605_000);
        assert_eq!(states(site), ["published", "signing"]);
        site.run(&["keys", "rotate"]).refused(1, "a rotation is under way");

        let id = new["id"].as_str().unwrap();
        site.run(&["keys", "retire", id]).refused(2, "--yes");
        let retired = site.run(&["keys", "retire", id, "--yes", "--json"]).ok().json().remove(0);
        assert_eq!((&retired["signing"]["id"], &retired["made"]), (&first["id"], &false.into()));
        site.run(&["keys", "retire", id, "--yes"]).refused(1, "retired already");
        site.run(&["keys", "retire", "nothing", "--yes"]).refused(5, "keys list");
        assert_eq!(states(site), ["retired", "signing"]);
        assert_eq!(list(site)[1]["verifies_until"], Value::Null, "it signs on without an end");

        site.run(&["keys", "rotate", "--now"]).refused(2, "--yes");
        site.run(&["keys", "rotate", "--algorithm", "HS256"]).refused(2, "`EdDSA` or `ES256`");
        let text = site.run(&["keys", "rotate", "--now", "--yes", "--algorithm", "ES256"]).ok().stdout;
        let lines: Vec<_> = text.lines().map(|line| line.split_once("  ").unwrap()).collect();
        assert!(lines.len() == 3 && lines.is_sorted(), "{text}");
        for ((_, words), end) in lines.iter().zip([
            "(ES256) is published",
            "(ES256) signs",
            "(EdDSA) is over: its last token has expired",
        ]) {
            assert!(words.ends_with(end), "{text}");
        }
        let signing = list(site).into_iter().find(|key| key["state"] == "signing").unwrap();
        let id = signing["id"].as_str().unwrap();
        let retired = site.run(&["keys", "retire", id, "--yes"]).ok();
        assert!(retired.stdout.contains("(ES256) was made and signs"), "{retired:?}");
        assert!(retired.stderr.contains("after 300 s at most"), "{retired:?}");
        let listed = site.run(&["keys", "list"]).ok().stdout;
        assert_eq!(listed.lines().next().unwrap().split('\t').nth(2), Some("signing"), "{listed}");
    });
}

#[test]
fn a_running_server_follows_at_once() {
    let site = Site::sqlite();
    let server = site.serve();
    site.run_with_input(&["user", "create", "--email", ADA, "--password-stdin"], PASSWORD).ok();
    let first = server.http().sign_in(ADA, PASSWORD);
    let old = list(&site)[0]["id"].as_str().unwrap().to_owned();
    site.run(&["keys", "rotate", "--now", "--yes", "--algorithm", "ES256"]).ok();
    let second = server.http().sign_in(ADA, PASSWORD);
    assert_eq!((algorithm(&first), algorithm(&second)), ("EdDSA".into(), "ES256".into()));
    assert_eq!(server.http().me(&first), server.http().me(&second));
    site.run(&["keys", "retire", &old, "--yes"]).ok();
    let refused = server.http().get("/v1/me", Some(&format!("Bearer {first}")));
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(server.http().me(&second)["email"], ADA);
}

#[test]
fn the_algorithm_of_the_configuration_waits_for_a_rotation() {
    let site = Site::sqlite();
    drop(site.serve());
    let with = |arguments: &[&str], algorithm: &str| -> Command {
        let mut command = site.command(arguments);
        command.env("VESTIBULE_TOKENS_ALGORITHM", algorithm);
        command
    };
    let server = site.serve_with(&[("VESTIBULE_TOKENS_ALGORITHM", "ES256")]);
    assert!(server.logs("keys rotate").contains("ES256"));
    assert_eq!(list(&site)[0]["algorithm"], "EdDSA");
    let rotate = Finished::from(with(&["keys", "rotate", "--json"], "ES256").output().unwrap()).ok().json();
    assert_eq!(rotate[0]["new"]["algorithm"], "ES256");
    Finished::from(with(&["keys", "list"], "RS256").output().unwrap()).refused(
        2,
        "`tokens.algorithm` (VESTIBULE_TOKENS_ALGORITHM): the algorithm must be `EdDSA` or `ES256`",
    );
    let new = Site::sqlite();
    drop(new.serve_with(&[("VESTIBULE_TOKENS_ALGORITHM", "ES256")]));
    let listed = new.run(&["keys", "list", "--json"]).ok().json();
    assert_eq!(listed[0]["algorithm"], "ES256", "the first key");
}

// D5, J6: the secret key changes while the database stays.
#[test]
fn the_secret_key_is_changed_without_signing_anybody_out() {
    on_both_databases(|site| {
        let serve = |keys: &[(&str, &str)]| {
            let mut command = site.serving(keys);
            if keys.iter().any(|(name, _)| *name == "VESTIBULE_SECRET_KEY") {
                command.env_remove("VESTIBULE_SECRET_KEY_FILE");
            }
            command
        };
        let (now, next) = (("VESTIBULE_SECRET_KEY", SECRET_KEY), ("VESTIBULE_SECRET_KEY", NEXT_KEY));
        let server = site.start(serve(&[now]));
        server.has_confirmed(ADA, PASSWORD);
        let token = server.http().sign_in(ADA, PASSWORD);
        drop(server);

        let refused = |keys: &[(&str, &str)]| Finished::from(serve(keys).output().unwrap());
        refused(&[next]).refused(2, "VESTIBULE_SECRET_KEY_PREVIOUS_FILE");
        refused(&[now, ("VESTIBULE_SECRET_KEY_PREVIOUS", SECRET_KEY)])
            .refused(2, "the same as the secret key");
        refused(&[next, ("VESTIBULE_SECRET_KEY_PREVIOUS", "short")])
            .refused(2, "`secret_key_previous` (VESTIBULE_SECRET_KEY_PREVIOUS)");
        let third = SECRET_KEY.replace('8', "9");
        refused(&[next, ("VESTIBULE_SECRET_KEY_PREVIOUS", &third)])
            .refused(2, "do not open with this secret key");

        let file = site.path("previous");
        std::fs::write(&file, SECRET_KEY).unwrap();
        let exposed = [next, ("VESTIBULE_SECRET_KEY_PREVIOUS_FILE", file.to_str().unwrap())];
        refused(&exposed).refused(2, "every user of this machine can read");
        let mut hide = Command::new("chmod");
        assert!(hide.arg("600").arg(&file).status().unwrap().success());
        let server = site.start(serve(&exposed));
        assert_eq!(server.http().me(&token)["email"], ADA);
        drop(server);
        // Afterwards the new key suffices.
        let server = site.start(serve(&[next]));
        assert_eq!(server.http().me(&token)["email"], ADA);
    });
}
