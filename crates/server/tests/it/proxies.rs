//! Real reverse proxies with the configurations of `deploy/`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers::Peer;

const NGINX: &str = include_str!("../../../../deploy/nginx/auth_request.conf");
const CADDY: &str = include_str!("../../../../deploy/caddy/forward_auth.Caddyfile");

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
}

impl Kind {
    /// Starts it with Vestibule and the application at these addresses.
    pub(crate) fn start(self, vestibule: &str, application: &str) -> Peer {
        Peer::start(|folder, address| match self {
            Self::Nginx => nginx(folder, address, vestibule, application),
            Self::Caddy => caddy(folder, address, vestibule, application),
        })
    }
}

/// The documented text with the addresses of this test; each must occur as often as expected.
fn filled(text: &str, values: &[(&str, &str, usize)]) -> String {
    values.iter().fold(text.to_owned(), |text, (from, to, times)| {
        assert_eq!(text.matches(from).count(), *times, "{from}");
        text.replace(from, to)
    })
}

fn nginx(folder: &Path, address: &str, vestibule: &str, application: &str) -> Command {
    let listen = format!("listen {address};");
    let site = filled(
        NGINX,
        &[
            ("listen 80;", &listen, 2),
            ("server 127.0.0.1:8080;", &format!("server {vestibule};"), 1),
            ("server 127.0.0.1:3000;", &format!("server {application};"), 1),
        ],
    );
    let paths: Vec<_> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("    {name}_temp_path {name};\n"))
        .collect();
    let main = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n\
         http {{\n    access_log off;\n{}{site}}}\n",
        paths.concat()
    );
    fs::write(folder.join("nginx.conf"), main).unwrap();
    let mut command = vestibule_testing::system_program("/usr/sbin/nginx");
    command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(folder);
    command
}

fn caddy(folder: &Path, address: &str, vestibule: &str, application: &str) -> Command {
    let port = address.rsplit_once(':').unwrap().1;
    let site = filled(
        CADDY,
        &[
            ("\napp.example.org {", &format!("\nhttp://app.example.org:{port} {{"), 1),
            ("\naccounts.example.org {", &format!("\nhttp://accounts.example.org:{port} {{"), 1),
            ("forward_auth 127.0.0.1:8080 {", &format!("forward_auth {vestibule} {{"), 1),
            ("reverse_proxy 127.0.0.1:8080", &format!("reverse_proxy {vestibule}"), 1),
            ("reverse_proxy 127.0.0.1:3000", &format!("reverse_proxy {application}"), 1),
        ],
    );
    let options = "{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n";
    fs::write(folder.join("Caddyfile"), format!("{options}{site}")).unwrap();
    let mut command = vestibule_testing::system_program("/usr/bin/caddy");
    command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]);
    command.env_clear().env("HOME", folder);
    command
}
