//! The program as it runs in production: no `--dev`, behind TLS, in a browser that trusts the certificate.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use vestibule_testing::{PASSWORD, Server, Site, free_address, node};

use crate::integrate::web_page;
use crate::tls::{caddy, certificate, runs, trusting_home};

const EMAIL: &str = "ada@example.org";

/// The server behind a proxy on this machine.
fn serve(site: &Site, address: &str, url: &str) -> Server {
    site.serve_with(&[
        ("VESTIBULE_LISTEN", address),
        ("VESTIBULE_PUBLIC_URL", url),
        ("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1"),
        ("VESTIBULE_MAIL_FROM", "no-reply@example.org"),
    ])
}

fn script(name: &str, home: &Path) -> Command {
    let mut command = node();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name)).env("HOME", home);
    command
}

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
    let _server = serve(&site, &address, &url);
    site.has_user(EMAIL, &[]);
    runs(script("tls.mjs", folder.path()).args([&url, EMAIL, PASSWORD]));
}

/// Two sites of one port. `/third-party` sets a cookie that every site may send, and says which ones came.
fn two_hosts(folder: &Path, server: &str, port: &str, tls: &str) -> String {
    let app = format!("https://app.test:{port}");
    format!(
        "https://accounts.test:{port} {{\n\t{tls}\n\thandle /third-party {{\n\t\theader Set-Cookie \"third=1; SameSite=None; \
         Secure; Path=/third-party\"\n\t\theader Access-Control-Allow-Origin {app}\n\t\theader \
         Access-Control-Allow-Credentials true\n\t\trespond \"{{http.request.header.Cookie}}\"\n\t}}\n\thandle \
         {{\n\t\treverse_proxy {server}\n\t}}\n}}\n\
         {app} {{\n\t{tls}\n\troot * {}\n\tfile_server\n}}\n",
        folder.join("web").display()
    )
}

// The page's origin may call the API because its redirect address is registered, and nothing else is set up for it.
#[test]
fn a_page_of_another_host_signs_people_in_without_third_party_cookies() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), &["accounts.test", "app.test"]);
    trusting_home(folder.path());
    let site = Site::sqlite();
    let address = free_address().to_string();
    let proxy = caddy(folder.path(), |port, tls| two_hosts(folder.path(), &address, port, tls));
    let port = proxy.address.rsplit_once(':').unwrap().1;
    let (url, app) = (format!("https://accounts.test:{port}"), format!("https://app.test:{port}"));
    let server = serve(&site, &address, &url);
    web_page(&folder.path().join("web"), &url);
    let add = "client add web --public --name Web --scope orders --resource https://api.example.org";
    let home = format!("{app}/");
    let mut add: Vec<_> = add.split(' ').collect();
    add.extend(["--redirect-uri", &home, "--post-logout-redirect-uri", &home]);
    site.run(&add).ok();
    let mut browser = script("hosts.mjs", folder.path());
    let mut browser =
        browser.args([&url, &app, EMAIL]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let letter = server.mail(EMAIL);
    writeln!(browser.stdin.take().unwrap(), "{}", letter.link()).unwrap();
    let output = browser.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
