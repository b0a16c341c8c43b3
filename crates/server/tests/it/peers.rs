//! Third-party programs that a test starts, and the ends of connections that it plays itself.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use vestibule_testing::{eventually, free_address};

/// A running third-party program. Dropping it kills it.
pub(crate) struct Peer {
    child: Child,
    pub(crate) address: String,
    folder: tempfile::TempDir,
}

impl Peer {
    /// Starts a program that listens on a local address, in a separate folder, and waits until it does.
    pub(crate) fn start(prepare: impl Fn(&Path, &str) -> Command) -> Self {
        eventually("a program of others has a port that nobody else took", || {
            let folder = tempfile::tempdir().unwrap();
            let address = free_address().to_string();
            let mut command = prepare(folder.path(), &address);
            let log = File::create(folder.path().join("log")).unwrap();
            command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
            let child = command.current_dir(folder.path()).spawn().unwrap();
            let mut peer = Self { child, address, folder };
            let ended = eventually("it listens or ends", || match peer.child.try_wait().unwrap() {
                Some(status) => Some(Some(status)),
                None => TcpStream::connect(&peer.address).is_ok().then_some(None),
            });
            let Some(status) = ended else { return Some(peer) };
            assert!(peer.log().contains("in use"), "{status}: {}", peer.log());
            None
        })
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An application without accounts of its own: it answers each request with the request.
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

    /// The requests that reached it since the last call.
    pub(crate) fn reached(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }
}

/// Forwards connections to another address, and records what clients send on them.
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

    /// What was sent since the last call.
    pub(crate) fn said(&self) -> String {
        let bytes: Vec<u8> = self.said.try_iter().flatten().collect();
        String::from_utf8(bytes).unwrap()
    }
}

/// Listens until the test ends, one connection after the other.
pub(crate) fn on_connections(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    in_background(move || listener.incoming().flatten().for_each(serve));
    address
}

#[expect(clippy::disallowed_methods, reason = "a test plays the other end of a connection")]
pub(crate) fn in_background(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(work);
}

/// The head, and as much of a body as it declares.
pub(crate) fn read_request(stream: &TcpStream) -> String {
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
