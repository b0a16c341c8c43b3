//! The first administrator, and operations of operators on users.

use serde_json::json;
use vestibule_testing::{Finished, Server, Site, on_both_databases};

const PASSWORD: &str = "velvet-comet-lichen-27";
const OTHER: &str = "copper-lamp-river-77";

// O3
#[test]
fn the_banner_and_the_command_show_one_link_that_works_once() {
    let site = Site::sqlite();
    let server = site.serve_for_development(&[]);
    let said = server.says("Admin");
    let link = said.split_whitespace().find(|word| word.contains("/setup#k=")).unwrap().to_owned();
    let key = link.split_once("#k=").unwrap().1;
    let printed = site.run(&["setup-link", "--json"]).ok().json();
    assert!(printed[0]["link"].as_str().unwrap().ends_with(&format!("/setup#k={key}")), "{printed:?}");
    assert!(site.run(&["setup-link"]).ok().stdout.trim_end().ends_with(key));
    let wish = json!({ "token": key, "email": "root@example.org", "password": PASSWORD });
    assert_eq!(server.http().post("/v1/setup", None, &wish).json(200)["roles"][0], "admin");
    assert_eq!(server.http().post("/v1/setup", None, &wish).status, 410);
    site.run(&["setup-link"]).refused(1, "there is already an administrator");
    let token = server.http().sign_in("root@example.org", PASSWORD);
    assert_eq!(server.http().me(&token)["roles"][0], "admin");
}

#[test]
fn the_settings_make_the_first_administrator() {
    let site = Site::sqlite();
    let serve = |email: &str| {
        let mut command = site.serving(&[("VESTIBULE_BOOTSTRAP_ADMIN_EMAIL", email)]);
        command.env("VESTIBULE_BOOTSTRAP_ADMIN_PASSWORD_FILE", site.path("password"));
        site.start(command)
    };
    std::fs::write(site.path("password"), format!("{PASSWORD}\n")).unwrap();
    let server = serve("root@example.org");
    let token = server.http().sign_in("root@example.org", PASSWORD);
    assert_eq!(server.http().me(&token)["roles"][0], "admin");
    drop(server);
    drop(serve("other@example.org"));
    site.run(&["user", "show", "other@example.org"]).refused(5, "there is no such user");
    let mut half = site.command(&["check-config"]);
    let output = half.env("VESTIBULE_BOOTSTRAP_ADMIN_EMAIL", "root@example.org").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("an address without a password"), "{output:?}");
}

#[test]
fn operators_change_and_help_users() {
    on_both_databases(|site| {
        let server = site.serve();
        let create = ["user", "create", "--password-stdin", "--json", "--email", "ada@example.org"];
        site.run_with_input(&create, &format!("{PASSWORD}\n")).ok();
        let update = |arguments: &[&str]| {
            site.run(&[&["user", "update", "ada@example.org", "--json"], arguments].concat())
        };
        let changed = update(&["--add-role", "editor", "--add-role", "author", "--locale", "de"]).ok().json();
        assert_eq!(
            (&changed[0]["roles"], &changed[0]["locale"]),
            (&json!(["author", "editor"]), &json!("de"))
        );
        let changed = update(&["--remove-role", "author", "--user-name", "countess"]).ok().json();
        assert_eq!(
            (&changed[0]["roles"], &changed[0]["user_name"]),
            (&json!(["editor"]), &json!("countess"))
        );
        update(&["--add-role", "Admin"]).refused(2, "a role is");
        update(&["--locale", "?"]).refused(2, "language tag");
        update(&[]).refused(2, "--add-role");
        site.run(&["user", "update", "nobody@example.org", "--locale", "de"])
            .refused(5, "there is no such user");

        let token = server.http().sign_in("ada@example.org", PASSWORD);
        let sessions = site.run(&["user", "sessions", "countess", "--json"]).ok().json();
        assert!(sessions.len() == 1 && sessions[0]["id"].as_str().unwrap().starts_with("ses_"));
        assert!(site.run(&["user", "sessions", "countess"]).ok().stdout.starts_with("ses_"));
        site.run(&["user", "sign-out", "countess"]).ok();
        assert_eq!(server.http().get("/v1/me", Some(&format!("Bearer {token}"))).status, 401);
        assert_eq!(site.run(&["user", "sessions", "countess", "--json"]).ok().stdout, "");

        assert_eq!(site.run(&["user", "reset-link", "countess", "--json"]).ok().json()[0]["queued"], true);
        let mail = server.mail("ada@example.org");
        assert!(mail.link().contains("/reset?token="), "{mail:?}");

        site.run(&["user", "set-password", "countess"]).refused(2, "--password-stdin");
        let set = ["user", "set-password", "countess", "--password-stdin", "--json"];
        site.run_with_input(&set, "password1\n").refused(1, "lists that attackers try");
        site.run_with_input(&set, &format!("{OTHER}\n")).ok();
        server.http().sign_in("ada@example.org", OTHER);
    });
}

#[test]
fn development_has_a_client_of_its_own() {
    let site = Site::sqlite();
    let server = site.serve_for_development(&[]);
    let said = server.says("OpenID");
    assert!(said.contains("/.well-known/openid-configuration   client_id `dev`"), "{said}");
    drop(server);
    // Its name may be taken.
    site.run(&[
        "client",
        "add",
        "dev",
        "--name",
        "Mine",
        "--redirect-uri",
        "https://shop.example.org/callback",
    ])
    .ok();
    Finished::of(&mut site.serving_for_development(&[]))
        .refused(2, "the client `dev` is registered twice: in the settings or --dev, and in the database");
    site.run(&["client", "remove", "dev", "--yes"]).ok();
    drop(site.serve_for_development(&[]));
}

// The client `dev` is a page at any port; in production a page of this machine is like any other.
#[test]
fn pages_of_this_machine_read_the_api_in_development() {
    let site = Site::sqlite();
    let readers = |server: &Server, origin: &str| {
        let answer = server.http().request("GET", "/v1/me", &[("origin", origin)], "");
        !answer.header("access-control-allow-origin").is_empty()
    };
    let server = site.serve_for_development(&[]);
    for origin in ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:3000"] {
        assert!(readers(&server, origin), "{origin}");
    }
    for origin in ["http://localhost.evil.example", "https://evil.example", "null"] {
        assert!(!readers(&server, origin), "{origin}");
    }
    drop(server);
    assert!(!readers(&site.serve(), "http://localhost:3000"));
}
