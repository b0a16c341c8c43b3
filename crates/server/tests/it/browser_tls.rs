//! Passkeys on the program as it runs in production: no `--dev`, behind TLS, in a browser that trusts the certificate.

use std::fs;
use std::path::Path;
use std::process::Command;

use vestibule_testing::{PASSWORD, Site, free_address, node, system_program};

use crate::peers::Peer;

const EMAIL: &str = "ada@example.org";

fn runs(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for `localhost` and the authority that made it.
fn certificate(folder: &Path) {
    let openssl = |arguments: &str| {
        let mut command = system_program("/usr/bin/openssl");
        runs(command.current_dir(folder).args(arguments.split_ascii_whitespace()));
    };
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=Test -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

/// A home whose browser trusts that authority.
fn trusting_home(folder: &Path) {
    let store = folder.join(".pki/nssdb");
    fs::create_dir_all(&store).unwrap();
    let database = format!("sql:{}", store.display());
    let certutil = |arguments: &[&str]| {
        runs(system_program("/usr/bin/certutil").args(["-d", &database]).args(arguments));
    };
    certutil(&["-N", "--empty-password"]);
    certutil(&["-A", "-n", "test", "-t", "C,,", "-i", folder.join("ca.pem").to_str().unwrap()]);
}

/// Caddy with this certificate, in front of a server that does not listen yet.
fn terminator(certificates: &Path, server: &str) -> Peer {
    Peer::start(|folder, address| {
        let port = address.rsplit_once(':').unwrap().1;
        let files = format!("{0}/server.pem {0}/server.key", certificates.display());
        let text = format!(
            "{{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}}\n\
             https://localhost:{port} {{\n\ttls {files}\n\treverse_proxy {server}\n}}\n"
        );
        fs::write(folder.join("Caddyfile"), text).unwrap();
        let mut command = system_program("/usr/bin/caddy");
        command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]);
        command.env_clear().env("HOME", folder);
        command
    })
}

#[test]
fn a_passkey_signs_in_behind_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    trusting_home(folder.path());
    let site = Site::sqlite();
    let address = free_address().to_string();
    let proxy = terminator(folder.path(), &address);
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
