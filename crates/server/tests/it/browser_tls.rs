//! Passkeys on the program as it runs in production: no `--dev`, behind TLS, in a browser that trusts the certificate.

use std::path::Path;

use vestibule_testing::{PASSWORD, Site, free_address, node};

use crate::tls::{caddy, certificate, runs, trusting_home};

const EMAIL: &str = "ada@example.org";

#[test]
fn a_passkey_signs_in_behind_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), &["localhost"]);
    trusting_home(folder.path());
    let site = Site::sqlite();
    let address = free_address().to_string();
    let proxy = caddy(folder.path(), |port, tls| {
        format!("https://localhost:{port} {{\n\t{tls}\n\treverse_proxy {address}\n}}\n")
    });
    let url = format!("https://localhost:{}", proxy.address.rsplit_once(':').unwrap().1);
    let _server = site.serve_with(&[
        ("VESTIBULE_LISTEN", &address),
        ("VESTIBULE_PUBLIC_URL", &url),
        ("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1"),
        ("VESTIBULE_MAIL_FROM", "no-reply@example.org"),
    ]);
    site.has_user(EMAIL, &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/tls.mjs");
    runs(node().arg(script).args([&url, EMAIL, PASSWORD]).env("HOME", folder.path()));
}
