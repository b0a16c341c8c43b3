//! Programs that others wrote sign people in here: openid-client (on oauth4webapi), oidc-client-ts in a browser, Authlib.

use std::path::{Path, PathBuf};
use std::process::Command;

use vestibule_testing::{PASSWORD, Site, free_address, node, on_both_databases, python};

const EMAIL: &str = "ada@example.org";

/// Where the peers' scripts are.
fn peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Registers the shop, a server; its secret.
fn has_shop(site: &Site, redirect_uri: &str) -> String {
    let shop = [
        "client",
        "add",
        "shop",
        "--name",
        "Shop",
        "--scope",
        "orders",
        "--machine-scope",
        "stock",
        "--json",
    ];
    let added = site.run(&[&shop[..], &["--redirect-uri", redirect_uri]].concat()).ok().json();
    added[0]["secret"].as_str().unwrap().to_owned()
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

// RFC 6749, 7636, 7662, 7009, 9207; OpenID Connect Core, Discovery, RP-Initiated Logout
#[test]
fn servers_and_pages_of_others_sign_people_in() {
    let site = Site::sqlite();
    let port = free_address().port().to_string();
    let app = format!("http://localhost:{port}");
    let server = site.serve_at_its_url(&[("VESTIBULE_CORS_ORIGINS", &app)]);
    let secret = has_shop(&site, &format!("{app}/shop"));
    let page = ["client", "add", "page", "--name", "Page", "--public", "--redirect-uri"];
    let after = ["--post-logout-redirect-uri", &format!("{app}/bye")];
    site.run(&[&page[..], &[&format!("{app}/page")], &after[..]].concat()).ok();
    site.has_user(EMAIL, &[]);
    let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/applications.mjs");
    succeeds(node().arg(script).args([&url, &port, &secret, EMAIL, PASSWORD]));
}

#[test]
fn authlib_signs_somebody_in_without_javascript() {
    on_both_databases(|site| {
        let server = site.serve_at_its_url(&[]);
        let secret = has_shop(site, "https://shop.example/authlib");
        site.has_user(EMAIL, &[]);
        let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
        succeeds(python().arg(peer("applications.py")).args([&url, &secret, EMAIL, PASSWORD]));
    });
}

// OpenID Connect Back-Channel Logout 1.0: the receiver is on this machine, as the operator has to allow.
#[test]
fn authlib_hears_that_somebody_has_signed_out() {
    on_both_databases(|site| {
        let server = site.serve_at_its_url(&[("VESTIBULE_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES", "true")]);
        let secret = has_shop(site, "https://shop.example/authlib");
        let port = free_address().port().to_string();
        let logout = format!("http://127.0.0.1:{port}/logout");
        site.run(&["client", "update", "shop", "--logout-uri", &logout]).ok();
        site.has_user(EMAIL, &[]);
        let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
        succeeds(python().arg(peer("back_channel.py")).args([&url, &secret, EMAIL, PASSWORD, &port]));
        // What was turned away waits, with its cause.
        assert!(server.logged().join("\n").contains("points to another place: correct logout_uri (302)"));
    });
}
