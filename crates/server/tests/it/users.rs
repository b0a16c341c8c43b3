//! `vestibule user`, with the server down and up.

use serde_json::Value;
use vestibule_testing::{Finished, Site, on_both_databases};

const PASSWORD: &str = "velvet-comet-lichen-27\n";

fn create(site: &Site, arguments: &[&str]) -> Finished {
    let all = [&["user", "create", "--password-stdin", "--json"], arguments].concat();
    site.run_with_input(&all, PASSWORD)
}

#[test]
fn users_are_managed_with_the_server_down() {
    on_both_databases(|site| {
        drop(site.serve());
        let made = create(site, &["--email", "Ada@example.org", "--user-name", "ada", "--admin"]).ok().json();
        assert_eq!((&made[0]["email"], &made[0]["user_name"]), (&"Ada@example.org".into(), &"ada".into()));
        assert_eq!((&made[0]["status"], &made[0]["roles"][0]), (&"active".into(), &"admin".into()));
        create(site, &["--email", "bob@example.org", "--display-name", "Bob, the Builder"]).ok();
        create(site, &["--email", "ADA@example.org"]).refused(1, "another user has this email address");

        let list = |arguments: &[&str]| -> Vec<Value> {
            let all = [&["user", "list", "--json"], arguments].concat();
            site.run(&all).ok().json().iter().map(|user| user["email"].clone()).collect()
        };
        assert_eq!(list(&[]), ["bob@example.org", "Ada@example.org"]);
        assert_eq!(list(&["--q", "bo"]), ["bob@example.org"]);
        assert_eq!(list(&["--limit", "1"]), ["bob@example.org"]);
        assert_eq!(list(&["--without-second-factor", "--q", "bo"]), ["bob@example.org"]);

        let id = made[0]["id"].as_str().unwrap();
        for name in [id, "ada@EXAMPLE.org", "ada"] {
            assert_eq!(site.run(&["user", "show", name, "--json"]).ok().json()[0]["id"], id, "{name}");
        }
        let show_bob = || site.run(&["user", "show", "bob@example.org", "--json"]).ok().json();
        assert_eq!(show_bob()[0]["display_name"], "Bob, the Builder");
        site.run(&["user", "update", "bob@example.org", "--display-name", ""]).ok();
        assert_eq!(show_bob()[0]["display_name"], Value::Null);
        site.run(&["user", "update", "bob@example.org", "--display-name", " "]).refused(2, "is empty");
        site.run(&["user", "show", "nobody@example.org"]).refused(5, "there is no such user");
        site.run(&["user", "show", "no body"]).refused(2, "user name");

        assert_eq!(
            site.run(&["user", "disable", "bob@example.org", "--json"]).ok().json()[0]["status"],
            "disabled"
        );
        assert_eq!(list(&["--status", "disabled"]), ["bob@example.org"]);
        assert_eq!(
            site.run(&["user", "enable", "bob@example.org", "--json"]).ok().json()[0]["status"],
            "active"
        );

        site.run(&["user", "delete", "bob@example.org"]).refused(2, "--yes");
        site.run(&["user", "delete", "bob@example.org", "--yes"]).ok();
        assert_eq!(list(&[]), ["Ada@example.org"]);
        site.run(&["user", "delete", "ada", "--yes"]).refused(1, "the last active administrator");
    });
}

#[test]
fn who_was_made_by_a_command_signs_in_at_the_server() {
    let site = Site::sqlite();
    drop(site.serve());
    create(&site, &["--email", "ada@example.org", "--user-name", "ada", "--admin"]).ok();
    let server = site.serve();
    let token = server.http().sign_in("ada@example.org", PASSWORD.trim());
    assert_eq!(server.http().me(&token)["roles"][0], "admin");
    // And the other way round, while it serves: the token is refused once the account may not sign in.
    create(&site, &["--email", "eve@example.org"]).ok();
    let token = server.http().sign_in("eve@example.org", PASSWORD.trim());
    site.run(&["user", "disable", "eve@example.org"]).ok();
    let refused = server.http().get("/v1/me", Some(&format!("Bearer {token}")));
    assert_eq!(refused.status, 401, "{refused:?}");
}

#[test]
fn a_password_comes_from_a_prompt_or_from_standard_input_only() {
    let site = Site::sqlite();
    drop(site.serve());
    site.run(&["user", "create", "--email", "ada@example.org"]).refused(2, "--password-stdin");
    site.run(&["user", "create", "--email", "ada@example.org", "--password", "x"]).refused(2, "--password");
    let short =
        site.run_with_input(&["user", "create", "--email", "ada@example.org", "--password-stdin"], "short\n");
    short.refused(1, "too short");
    site.run(&["user", "create", "--email", "ada", "--password-stdin"]).refused(2, "--email");
}

#[test]
fn text_is_for_people_and_for_scripts() {
    let site = Site::sqlite();
    drop(site.serve());
    create(&site, &["--email", "ada@example.org"]).ok();
    let listed = site.run(&["user", "list"]).ok().stdout;
    let cells: Vec<_> = listed.trim_end().split('\t').collect();
    assert!(
        cells[0].starts_with("usr_") && cells[1..5] == ["ada@example.org", "-", "active", "-"],
        "{listed}"
    );
    let shown = site.run(&["user", "show", "ada@example.org"]).ok().stdout;
    assert!(
        shown.contains("email      ada@example.org\n") && shown.contains("status     active\n"),
        "{shown}"
    );
}

#[test]
fn users_are_listed_by_conditions_and_in_orders() {
    on_both_databases(|site| {
        let server = site.serve();
        create(site, &["--email", "ada@example.org", "--user-name", "ada", "--admin"]).ok();
        create(site, &["--email", "bob@example.net", "--display-name", "Bob, the Builder"]).ok();
        create(site, &["--email", "carol@example.org"]).ok();
        server.http().sign_in("bob@example.net", PASSWORD.trim());
        let list = |arguments: &[&str]| -> String {
            let all = [&["user", "list", "--json"], arguments].concat();
            let users = site.run(&all).ok().json();
            let names: Vec<_> =
                users.iter().filter_map(|user| user["email"].as_str()?.split('@').next()).collect();
            names.join(" ")
        };
        for (arguments, expected) in [
            (&["--q", "example.net"] as &[_], "bob"),
            (&["--q", "BUILD"], "bob"),
            (&["--q", "uild", "--status", "disabled"], ""),
            (&["--role", "admin"], "ada"),
            (&["--sort", "oldest"], "ada bob carol"),
            (&["--sort", "email"], "ada bob carol"),
            (&["--sort", "last-sign-in"], "bob carol ada"),
            (&["--sort", "inactive"], "ada carol bob"),
            (&["--never-signed-in"], "carol ada"),
            (&["--last-sign-in-from", "2020-01-01"], "bob"),
            (&["--last-sign-in-before", "2020-01-01T00:00:00+02:00"], "carol ada"),
            (&["--created-before", "2020-01-01"], ""),
            (&["--created-from", "2020-01-01", "--limit", "2"], "carol bob"),
            (&["--second-factor", "none"], "carol bob ada"),
            (&["--second-factor", "authenticator"], ""),
        ] {
            assert_eq!(list(arguments), expected, "{arguments:?}");
        }
        let bob = &site.run(&["user", "list", "--q", "bob", "--json"]).ok().json()[0];
        assert!(bob["last_sign_in_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{bob}");
        assert_eq!(bob["second_factors"], Value::Array(Vec::new()));
        let text = site.run(&["user", "list", "--q", "carol"]).ok().stdout;
        assert_eq!(text.trim_end().split('\t').next_back(), Some("-"), "{text}");
        assert_eq!(site.run(&["user", "list", "--count"]).ok().stdout, "3\n");
        let count = site.run(&["user", "list", "--count", "--role", "admin", "--json"]).ok().json();
        assert_eq!(
            count,
            [serde_json::json!({"count": 1, "count_is_lower_bound": false, "schema_version": 1})]
        );

        site.run(&["user", "list", "--role", "Not A Role"]).refused(2, "a role is 1 to 32");
        site.run(&["user", "list", "--created-from", "yesterday"]).refused(2, "not a time like");
        site.run(&["user", "list", "--sort", "size"]).refused(2, "last-sign-in");
        site.run(&["user", "list", "--never-signed-in", "--last-sign-in-from", "2020-01-01"])
            .refused(2, "cannot be used");
    });
}
