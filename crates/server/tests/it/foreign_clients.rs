//! Programs that others wrote sign people in here: openid-client (on oauth4webapi), oidc-client-ts in a browser, Authlib
//! with `PyJWT`, Apache.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use vestibule_testing::{PASSWORD, Site, free_address, node, on_both_databases, python, system_program};

use crate::peers::Peer;

const EMAIL: &str = "ada@example.org";

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

/// The script of a peer, run with these arguments.
#[track_caller]
fn peer(script: &str, arguments: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    // Beside the scripts nothing is written.
    succeeds(python().arg("-B").arg(script).args(arguments));
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
fn authlib_signs_somebody_in_and_pyjwt_verifies_it() {
    for (site, algorithm) in [(Site::sqlite(), "EdDSA"), (Site::postgres(), "ES256")] {
        let server = site.serve_at_its_url(&[("VESTIBULE_TOKENS_ALGORITHM", algorithm)]);
        let secret = has_shop(&site, "https://shop.example/authlib");
        site.has_user(EMAIL, &[]);
        let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
        peer("applications.py", &[&url, &secret, EMAIL, PASSWORD]);
    }
}

// RFC 7523, OpenID Connect Core §9
#[test]
fn authlib_authenticates_with_keys() {
    on_both_databases(|site| {
        let server = site.serve_at_its_url(&[]);
        let folder = site.path("keys");
        fs::create_dir(&folder).unwrap();
        let (public, folder) = (folder.join("public.json"), folder.display().to_string());
        peer("assertions.py", &["keys", &folder]);
        let public = public.display().to_string();
        let press = ["client", "add", "press", "--name", "Press", "--machine-scope", "stock"];
        site.run(&[&press[..], &["--jwks-file", &public]].concat()).ok();
        let private = public.replace("public", "private");
        let refused = site.run(&["client", "update", "press", "--jwks-file", &private]);
        refused.refused(2, "has private parts in key 1");
        let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
        peer("assertions.py", &[&url, &folder]);
    });
}

/// Apache with Debian's `libapache2-mod-auth-openidc` in front of a page, which says who was let through.
fn apache(server: &str, secret: &str) -> Peer {
    Peer::start(|folder, address| {
        // Apache leaves root's rights behind.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(folder.join("pages")).unwrap();
        fs::write(folder.join("pages/index.html"), "the orders").unwrap();
        let modules =
            ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "headers", "auth_openidc"];
        let load = |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
        let loaded: String = modules.iter().map(|name| load(name)).collect();
        let place = folder.display();
        let text = format!(
            "{loaded}ServerRoot {place}\nPidFile {place}/apache.pid\nDefaultRuntimeDir {place}\nErrorLog {place}/errors\n\
             Mutex file:{place} default\nListen {address}\nServerName {address}\nUser www-data\nGroup www-data\n\
             DocumentRoot {place}/pages\nDirectoryIndex index.html\n\
             OIDCProviderMetadataURL {server}/.well-known/openid-configuration\nOIDCClientID apache\n\
             OIDCClientSecret {secret}\nOIDCProviderTokenEndpointAuth client_secret_basic\nOIDCPKCEMethod S256\n\
             OIDCRedirectURI http://{address}/callback\nOIDCCryptoPassphrase {secret}\nOIDCScope \"openid email\"\n\
             OIDCRemoteUserClaim email\nOIDCSessionType client-cookie\nOIDCCacheType file\nOIDCCacheDir {place}\n\
             <Location />\nAuthType openid-connect\nRequire valid-user\n\
             Header set X-Let-Through \"expr=%{{REMOTE_USER}}\"\n</Location>\n"
        );
        fs::write(folder.join("apache.conf"), text).unwrap();
        let mut command = system_program("/usr/sbin/apache2");
        // One process, which ends with the test.
        command.args(["-X", "-f"]).arg(folder.join("apache.conf"));
        command
    })
}

// Its library knows no EdDSA, so the tokens are signed with ES256.
#[test]
fn apache_lets_in_who_is_signed_in() {
    let site = Site::sqlite();
    let server = site.serve_at_its_url(&[("VESTIBULE_TOKENS_ALGORITHM", "ES256")]);
    let add = [
        "client",
        "add",
        "apache",
        "--name",
        "Apache",
        "--json",
        "--redirect-uri",
        "http://127.0.0.1/callback",
    ];
    let secret = site.run(&add).ok().json()[0]["secret"].as_str().unwrap().to_owned();
    site.has_user(EMAIL, &[]);
    let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    let apache = apache(&url, &secret);
    peer("apache.py", &[&url, &format!("http://{}/", apache.address), EMAIL, PASSWORD]);
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
        peer("back_channel.py", &[&url, &secret, EMAIL, PASSWORD, &port]);
        // What was turned away waits, with its cause.
        server.logs("points to another place: correct logout_uri (302)");
    });
}
