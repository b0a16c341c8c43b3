//! Real reverse proxies with the configurations of `deploy/`, and what stands behind them.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::program::eventually;

const NGINX: &str = include_str!("../../../../deploy/nginx/auth_request.conf");
const CADDY: &str = include_str!("../../../../deploy/caddy/forward_auth.Caddyfile");

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Caddy,
}

/// A running proxy in front of an application. Dropping it kills it.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: String,
    _folder: tempfile::TempDir,
}

impl Proxy {
    /// Starts it with Vestibule and the application at these addresses.
    pub(crate) fn start(kind: Kind, vestibule: &str, application: &str) -> Self {
        eventually("a proxy with a port that nobody else took", || {
            let folder = tempfile::tempdir().unwrap();
            let address = free_address();
            let mut command = match kind {
                Kind::Nginx => nginx(folder.path(), &address, vestibule, application),
                Kind::Caddy => caddy(folder.path(), &address, vestibule, application),
            };
            let log = File::create(folder.path().join("log")).unwrap();
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            let mut child = command.spawn().unwrap();
            let ended = eventually("the proxy listens or ends", || match child.try_wait().unwrap() {
                Some(status) => Some(Some(status)),
                None => TcpStream::connect(&address).is_ok().then_some(None),
            });
            let Some(status) = ended else { return Some(Self { child, address, _folder: folder }) };
            let log = fs::read_to_string(folder.path().join("log")).unwrap();
            assert!(log.contains("in use"), "{kind:?} ended with {status}: {log}");
            None
        })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Neither proxy tells which port the system chose, so it is chosen before.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The documented text with the addresses of this test; each must be there as often as expected.
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
    command.args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"]).current_dir(folder);
    command.env_clear().env("HOME", folder);
    command
}

/// An application that knows nothing of accounts: it answers each request with the request.
pub(crate) struct Application {
    pub(crate) address: String,
    requests: mpsc::Receiver<String>,
}

impl Application {
    pub(crate) fn start() -> Self {
        let (sender, requests) = mpsc::channel();
        let address = on_connections(move |stream| {
            let request = read_request(&stream);
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", request.len());
            let _ = sender.send(request.clone());
            let _ = (&stream).write_all((head + &request).as_bytes());
        });
        Self { address, requests }
    }

    /// The requests that reached it since this was last asked.
    pub(crate) fn reached(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }
}

/// Hands connections on to another address, and remembers what clients said on them.
pub(crate) struct Tap {
    pub(crate) address: String,
    said: mpsc::Receiver<Vec<u8>>,
}

impl Tap {
    pub(crate) fn on(target: &str) -> Self {
        let (sender, said) = mpsc::channel();
        let target = target.to_owned();
        let address = on_connections(move |client| {
            let server = TcpStream::connect(&target).unwrap();
            let (mut back, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            in_background(move || drop(std::io::copy(&mut back, &mut to_client)));
            let (sender, mut server, mut client) = (sender.clone(), server, client);
            in_background(move || {
                let mut buffer = [0; 4096];
                while let Ok(length @ 1..) = client.read(&mut buffer) {
                    let _ = sender.send(buffer[..length].to_vec());
                    let _ = server.write_all(&buffer[..length]);
                }
            });
        });
        Self { address, said }
    }

    /// What was said since this was last asked.
    pub(crate) fn said(&self) -> String {
        let bytes: Vec<u8> = self.said.try_iter().flatten().collect();
        String::from_utf8(bytes).unwrap()
    }
}

/// Listens until the test ends, one connection after the other.
fn on_connections(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    in_background(move || listener.incoming().flatten().for_each(serve));
    address
}

#[expect(clippy::disallowed_methods, reason = "a test plays the other end of a connection")]
fn in_background(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(work);
}

/// The head, and as much of a body as it says.
fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    while reader.read_line(&mut text).is_ok_and(|length| length > 2) {}
    let length = text
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    text + &String::from_utf8(body).unwrap()
}
