//! TLS in front of the program: Caddy, with certificates of an authority of the test's own.

use std::fs;
use std::path::Path;
use std::process::Command;

use vestibule_testing::system_program;

use crate::peers::Peer;

/// Fails the test unless the command succeeds; what it said.
#[track_caller]
pub(crate) fn runs(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}{complained}");
    said.into_owned()
}

/// A certificate for these names, `server.pem`, and the authority that made it, `ca.pem`.
pub(crate) fn certificate(folder: &Path, names: &[&str]) {
    let openssl = |arguments: &str| {
        let mut command = system_program("/usr/bin/openssl");
        runs(command.current_dir(folder).args(arguments.split_ascii_whitespace()));
    };
    let names: Vec<_> = names.iter().map(|name| format!("DNS:{name}")).collect();
    let extensions = format!("subjectAltName={}\nextendedKeyUsage=serverAuth\n", names.join(","));
    fs::write(folder.join("names"), extensions).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=Test -days 2"));
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=server"));
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

/// A home whose browser trusts that authority.
pub(crate) fn trusting_home(folder: &Path) {
    let store = folder.join(".pki/nssdb");
    fs::create_dir_all(&store).unwrap();
    let database = format!("sql:{}", store.display());
    let certutil = |arguments: &[&str]| {
        runs(system_program("/usr/bin/certutil").args(["-d", &database]).args(arguments));
    };
    certutil(&["-N", "--empty-password"]);
    certutil(&["-A", "-n", "test", "-t", "C,,", "-i", folder.join("ca.pem").to_str().unwrap()]);
}

/// Caddy with this certificate and these sites, of which it is told port and `tls` line.
pub(crate) fn caddy(certificates: &Path, sites: impl Fn(&str, &str) -> String) -> Peer {
    let tls = format!("tls {0}/server.pem {0}/server.key", certificates.display());
    Peer::start(|folder, address| {
        let port = address.rsplit_once(':').unwrap().1;
        let options = "{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n";
        fs::write(folder.join("Caddyfile"), format!("{options}{}", sites(port, &tls))).unwrap();
        let mut command = system_program("/usr/bin/caddy");
        command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]);
        command.env_clear().env("HOME", folder);
        command
    })
}
