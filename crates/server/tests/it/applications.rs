//! Clients of the settings file and of `vestibule client`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use vestibule_testing::{Finished, Site, on_both_databases};

const CALLBACK: &str = "https://shop.example.org/callback";
const SECRET: &str = "5b1c4f6f4a7e4d0f9a0f3f0c6a1d2e3f";

fn write_secret(site: &Site, mode: u32) {
    let path = site.path("shop.secret");
    fs::write(&path, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The settings have a client `shop`.
fn configure(site: &Site) {
    write_secret(site, 0o600);
    let client = format!(
        "[[clients]]\nid = 'shop'\nname = 'Shop'\nsecret_file = 'shop.secret'\nredirect_uris = ['{CALLBACK}']\n"
    );
    fs::write(site.path("vestibule.toml"), client).unwrap();
}

#[test]
fn clients_are_managed_beside_a_running_server() {
    on_both_databases(|site| {
        let server = site.serve();
        let add =
            ["client", "add", "shop", "--name", "Shop", "--redirect-uri", CALLBACK, "--scope", "orders:read"];
        let made = site.run(&[&add[..], &["--json"]].concat()).ok().json().remove(0);
        let first = made["secret"].as_str().unwrap().to_owned();
        assert!(first.len() >= 32, "{made}");
        assert_eq!(
            (&made["kind"], &made["source"], &made["secrets"], &made["consent"]),
            (&json!("confidential"), &json!("database"), &json!(1), &json!("ask"))
        );
        assert_eq!((&made["redirect_uris"], &made["scopes"]), (&json!([CALLBACK]), &json!(["orders:read"])));
        site.run(&add).refused(1, "there is a client with this id\n  fix: choose another id");
        let show = || site.run(&["client", "show", "shop", "--json"]).ok().json().remove(0);
        // A secret is shown once.
        assert!(show()["secret"].is_null());
        // What is not named stays; a list is replaced, or emptied.
        let logout = "https://shop.example.org/logout";
        let change = [
            "client",
            "update",
            "shop",
            "--scope",
            "",
            "--logout-uri",
            logout,
            "--consent",
            "never",
            "--claim",
            "plan=app.plan",
            "--claim",
            "seats=app.seats",
        ];
        site.run(&change).ok();
        let shown = show();
        assert_eq!((&shown["scopes"], &shown["redirect_uris"]), (&json!([]), &json!([CALLBACK])));
        assert_eq!((&shown["logout_uri"], &shown["consent"]), (&json!(logout), &json!("never")));
        assert_eq!(shown["claims"], json!({"plan": "app.plan", "seats": "app.seats"}));
        let shown = site.run(&["client", "update", "shop", "--claim", "", "--json"]).ok().json().remove(0);
        assert_eq!(shown["claims"], json!({}));
        drop(server);
        // The rest goes on with the server down.
        let second = site.run(&["client", "rotate-secret", "shop"]).ok();
        assert!(
            second.stderr.contains("drop-old-secret shop") && second.stderr.contains("once"),
            "{second:?}"
        );
        assert!(
            second.stdout.contains("\nsecret            ") && !second.stdout.contains(&first),
            "{second:?}"
        );
        assert_eq!(show()["secrets"], 2);
        site.run(&["client", "drop-old-secret", "shop"]).refused(2, "--yes");
        site.run(&["client", "drop-old-secret", "shop", "--yes"]).ok();
        assert_eq!(show()["secrets"], 1);
        site.run(&["client", "remove", "shop"]).refused(2, "--yes");
        site.run(&["client", "remove", "shop", "--yes"]).ok();
        site.run(&["client", "show", "shop"]).refused(5, "there is no client with this id");
        site.run(&["client", "remove", "shop", "--yes"]).refused(5, "`vestibule client list` lists them");
        let kinds: Vec<_> =
            site.run(&["audit", "export"]).ok().json().into_iter().map(|it| it["kind"].clone()).collect();
        let expected = [
            "application_created",
            "application_updated",
            "application_updated",
            "application_secret_changed",
            "application_secret_changed",
            "application_removed",
        ];
        assert!(kinds.ends_with(&expected.map(|kind| json!(kind))), "{kinds:?}");
    });
}

#[test]
fn a_client_with_keys_gets_no_secret() {
    on_both_databases(|site| {
        drop(site.serve());
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        fs::write(site.path("keys.json"), format!("{{\"keys\":[{key}]}}")).unwrap();
        let keys = site.path("keys.json").display().to_string();
        let press =
            ["client", "add", "press", "--name", "Press", "--machine-scope", "a", "--jwks-file", &keys];
        let made = site.run(&[&press[..], &["--json"]].concat()).ok().json().remove(0);
        assert_eq!(
            (&made["secret"], &made["secrets"], &made["jwks"]["keys"][0]["alg"]),
            (&json!(null), &json!(0), &json!("EdDSA"))
        );
        let update = |file: &str| site.run(&["client", "update", "press", "--jwks-file", file, "--json"]);
        update("").refused(2, "fix: give it a secret first");
        update("/nowhere").refused(2, "--jwks-file: cannot read /nowhere");
        fs::write(site.path("keys.json"), "{}").unwrap();
        update(&keys).refused(2, "is not a JWK Set");
        site.run(&["client", "rotate-secret", "press"]).ok();
        assert_eq!(update("").ok().json()[0]["jwks"], json!(null));
    });
}

#[test]
fn what_is_wrong_with_a_client_is_said_with_its_fix() {
    let site = Site::sqlite();
    drop(site.serve());
    let add = |more: &[&str]| site.run(&[&["client", "add", "shop", "--name", "Shop"], more].concat());
    add(&[]).refused(2, "fix: say where its answers go (redirect_uris)");
    add(&["--redirect-uri", "http://shop.example.org/"]).refused(2, "use https");
    add(&["--redirect-uri", CALLBACK, "--resource", "api"]).refused(2, "fix: write the address");
    add(&["--public", "--machine-scope", "a"]).refused(2, "fix: give the client a secret");
    add(&["--redirect-uri", CALLBACK, "--claim", "sub=app.id"]).refused(2, "`sub` is a registered claim");
    add(&["--redirect-uri", CALLBACK, "--claim", "plan"]).refused(2, "write it as plan=app.plan");
    add(&["--redirect-uri", CALLBACK, "--claim", "a=app.a", "--claim", "a=app.b"])
        .refused(2, "`a` is there twice");
    add(&["--redirect-uri", CALLBACK, "--consent", "always"]).refused(2, "--consent");
    site.run(&["client", "add", "The Shop", "--name", "Shop"]).refused(2, "a client id is 2 to 64");
    add(&["--public", "--redirect-uri", "com.example.shop:/done"]).ok();
    site.run(&["client", "rotate-secret", "shop"]).refused(1, "a public client has no secret");
    let listed = site.run(&["client", "list"]).ok().stdout;
    assert_eq!(listed, "shop\tShop\tpublic\tdatabase\tcom.example.shop:/done\n");
}

#[test]
fn a_client_of_the_settings_is_shown_and_changed_there() {
    on_both_databases(|site| {
        drop(site.serve());
        site.run(&["client", "add", "shop", "--name", "Old shop", "--redirect-uri", CALLBACK]).ok();
        configure(site);
        // One id in both places: nobody could say which counts.
        let refused = Finished::of(&mut site.serving(&[]))
            .refused(2, "the client `shop` is registered twice: in the settings, and in the database");
        let fix = "vestibule client remove shop --yes";
        assert!(refused.stderr.contains(fix), "{refused:?}");
        site.run(&fix.split(' ').skip(1).collect::<Vec<_>>()).ok();
        drop(site.serve());
        let listed = site.run(&["client", "list", "--json"]).ok();
        assert!(!listed.stdout.contains(SECRET), "{listed:?}");
        let shop = &listed.json()[0];
        assert_eq!(
            (&shop["name"], &shop["source"], &shop["secrets"]),
            (&json!("Shop"), &json!("settings"), &json!(1))
        );
        for command in ["update", "rotate-secret"] {
            site.run(&["client", command, "shop"]).refused(1, "fix: change it under [[clients]] there");
        }
        site.run(&["client", "remove", "shop", "--yes"]).refused(1, "in the settings file");
        site.run(&["client", "add", "shop", "--name", "Shop", "--redirect-uri", CALLBACK])
            .refused(1, "with this id");
    });
}

#[test]
fn the_settings_are_checked_and_shown_without_secrets() {
    let site = Site::sqlite();
    configure(&site);
    let check = |arguments: &[&str]| site.run(&[&["check-config"], arguments].concat());
    let shown = check(&["--print-sources"]).ok();
    assert!(shown.stdout.contains("clients = [{") && shown.stdout.contains("shop.secret"), "{shown:?}");
    assert!(!shown.stdout.contains(SECRET) && !shown.stderr.contains(SECRET), "{shown:?}");
    write_secret(&site, 0o644);
    check(&[]).refused(
        3,
        "`shop`: every user of this machine can read ./shop.secret\n  fix: chmod 600 ./shop.secret",
    );
    Finished::of(&mut site.serving(&[])).refused(2, "every user of this machine can read");
}
