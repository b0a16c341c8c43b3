//! From the first start to the last signal.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use vestibule_testing::{PATIENCE, Site, eventually, mode, on_both_databases, read};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

#[test]
fn the_whole_way_in_development_mode() {
    on_both_databases(|site| {
        let server = site.serve_for_development(&[]);
        let http = server.http();
        assert_eq!(server.get("/readyz").status, 200);
        assert_eq!(server.get("/livez").status, 200);
        http.sign_up(EMAIL, PASSWORD);
        http.confirm(EMAIL, PASSWORD, http.mailbox(EMAIL)["code"].as_str().unwrap());
        let me = http.me(&http.sign_in(EMAIL, PASSWORD));
        assert_eq!(me["email"], EMAIL);
        assert_eq!(http.get("/v1/me", None).status, 401);
    });
}

// O1: not even at the most verbose level.
#[test]
fn the_log_names_nobody_and_holds_no_secret() {
    let site = Site::sqlite();
    let server = site.serve_with(&[("VESTIBULE_LOG_LEVEL", "trace")]);
    let http = server.http();
    http.sign_up(EMAIL, PASSWORD);
    let mail = server.mail(EMAIL);
    http.confirm(EMAIL, PASSWORD, &mail.code());
    let token = http.sign_in(EMAIL, PASSWORD);
    http.me(&token);
    let log = server.whole_log().join("\n");
    assert!(log.contains("/v1/signup"), "requests are logged: {log}");
    let basic = data_encoding::BASE64.encode(format!("{EMAIL}:{PASSWORD}").as_bytes());
    for secret in [EMAIL, PASSWORD, &token, mail.token(), &basic] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}

#[test]
fn the_console_says_where_things_are_and_what_was_mailed() {
    let site = Site::sqlite();
    let server = site.serve_for_development(&[]);
    assert!(server.says("dev mode").contains("SQLite ./vestibule-data/vestibule.db (created)"));
    let port = server.address.rsplit_once(':').unwrap().1;
    assert!(server.says("Mailbox").contains(&format!("http://localhost:{port}/dev/mail")));
    let pasted = server.says("Try: curl");
    let (_, body) = pasted.split_once("-d '").unwrap();
    let body = serde_json::from_str(body.trim_end_matches('\'')).unwrap();
    assert_eq!(server.http().post("/v1/signup", None, &body).status, 202);
    assert!(server.says("mail to ").contains("ada@example.com: confirm"));
    assert_eq!(server.says("code").trim().len(), "code  0000".len());
    assert!(server.says("link").contains(&format!("http://localhost:{port}/confirm")));
}

#[test]
fn files_are_for_their_owner_only() {
    let site = Site::sqlite();
    let _server = site.serve();
    let folder = site.path("vestibule-data");
    assert_eq!(mode(&folder), 0o700);
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert!(folder.join("secret.key").exists() && folder.join("vestibule.db").exists());
}

#[test]
fn two_processes_that_start_at_once_on_an_empty_folder_agree() {
    let site = Site::sqlite();
    let (first, second) = std::thread::scope(|scope| {
        let start = || scope.spawn(|| site.serve());
        let (first, second) = (start(), start());
        (first.join().unwrap(), second.join().unwrap())
    });
    for server in [&first, &second] {
        assert_eq!(server.get("/readyz").status, 200);
    }
    assert_eq!(fs::read_dir(site.path("vestibule-data")).unwrap().filter(is_key).count(), 1);
}

fn is_key(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("secret.key")
}

#[test]
fn signals_that_end_it_let_open_requests_end_and_exit_0() {
    for name in ["-TERM", "-INT", "-QUIT"] {
        lets_open_requests_end(name, &[]);
    }
}

// Signals that make it read its settings again, or other programs reopen their log, must not cost a request.
#[test]
fn signals_that_do_not_end_it_cost_nothing_and_are_told() {
    lets_open_requests_end("-TERM", &[("HUP", "read again"), ("USR1", "ignored"), ("USR2", "ignored")]);
}

fn lets_open_requests_end(end: &str, before: &[(&str, &str)]) {
    let site = Site::sqlite();
    let mut server = site.serve();
    let mut slow = TcpStream::connect(&server.address).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let head = format!(
        "POST /v1/signup HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // The handler now waits for the body: the request is open.
    let mut interim = [0; 25];
    slow.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let _idle = TcpStream::connect(&server.address).unwrap();
    for (name, words) in before {
        server.signal(&format!("-{name}"));
        assert!(server.logs(&format!("SIG{name}")).contains(words));
        assert_eq!(server.get("/livez").status, 200);
    }
    server.signal(end);
    eventually("it stops accepting", || TcpStream::connect(&server.address).err());
    // Also while it drains.
    for (name, _) in before {
        server.signal(&format!("-{name}"));
    }
    slow.write_all(body.as_bytes()).unwrap();
    assert_eq!(read(&mut slow).status, 202);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let site = Site::sqlite();
    let mut server = site.serve();
    let mut open = TcpStream::connect(&server.address).unwrap();
    open.write_all(
        b"POST /v1/signup HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n",
    )
    .unwrap();
    assert_eq!(server.get("/livez").status, 200);
    server.signal("-INT");
    eventually("it stops accepting", || TcpStream::connect(&server.address).err());
    server.signal("-INT");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn what_was_answered_survives_a_kill() {
    on_both_databases(|site| {
        let server = site.serve();
        server.has_confirmed(EMAIL, PASSWORD);
        drop(server);
        let again = site.serve();
        let token = again.http().sign_in(EMAIL, PASSWORD);
        assert_eq!(again.http().me(&token)["email"], EMAIL);
    });
}

#[test]
fn a_unix_socket_serves_too() {
    let site = Site::sqlite();
    let listen = format!("unix:{}", site.path("http.sock").display());
    let start = || site.serve_with(&[("VESTIBULE_LISTEN", &listen)]);
    drop(start());
    // The socket left behind by the killed process is replaced.
    let mut server = start();
    let mut stream = UnixStream::connect(site.path("http.sock")).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let health =
        || site.command(&["healthcheck"]).env("VESTIBULE_LISTEN", &listen).output().unwrap().status.code();
    assert_eq!(health(), Some(0));
    server.signal("-TERM");
    assert_eq!(server.ended().code(), Some(0));
    assert!(!site.path("http.sock").exists());
    assert_eq!(health(), Some(1));
}

// H6: a head that is too large costs its sender the connection, and has no other effect.
#[test]
fn heads_that_are_too_large_are_refused() {
    let site = Site::sqlite();
    let server = site.serve();
    let many = "a: b\r\n".repeat(65);
    let answer = server.http().raw(format!("GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes());
    assert_eq!(answer.status, 431, "{answer:?}");
    let long = "b".repeat(17 * 1024);
    let answer = server.http().raw(format!("GET /livez HTTP/1.1\r\nhost: x\r\na: {long}\r\n\r\n").as_bytes());
    assert_eq!(answer.status, 431, "{answer:?}");
    assert_eq!(server.get("/livez").status, 200);
}

// H7: a request that a proxy in front may have read differently is refused, and nothing after it on the connection is
// read.
#[test]
fn requests_that_can_be_read_in_two_ways_are_refused() {
    let site = Site::sqlite();
    let server = site.serve();
    let smuggled = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    for (head, status) in [
        ("GET /livez HTTP/1.1\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost: ada@example.org\r\n\r\n", 400),
        ("GET http://a/livez HTTP/1.1\r\n\r\n", 400),
        ("POST /v1/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("POST /v1/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
        (
            "POST /v1/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
        ("POST /v1/login HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
        ("POST /v1/login HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", 400),
        ("POST /v1/login HTTP/1.1\r\nhost: a\r\ncontent-length: +5\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost : a\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\r\nhost: a\r\nx: b\r\n c\r\n\r\n", 400),
    ] {
        let answer = server.http().raw(format!("{head}{smuggled}").as_bytes());
        assert_eq!(answer.status, status, "{head}: {answer:?}");
        assert!(!answer.body.contains("HTTP/1.1"), "{head}: {answer:?}");
    }
    // Of two lengths the chunks count, and the connection is closed (RFC 9112 §6.3).
    for order in
        ["content-length: 5\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 5"]
    {
        let head = format!("POST /v1/login HTTP/1.1\r\nhost: a\r\n{order}\r\n\r\n0\r\n\r\n");
        let answer = server.http().raw(format!("{head}{smuggled}").as_bytes());
        assert_eq!(answer.status, 415, "{answer:?}");
        assert!(!answer.body.contains("HTTP/1.1"), "{order}: {answer:?}");
    }
    let old = server.http().raw(b"GET /livez HTTP/1.0\r\n\r\n");
    assert_eq!(old.status, 200, "HTTP/1.0 knows no `Host`");
}

#[test]
fn a_client_has_a_bounded_number_of_connections() {
    let site = Site::sqlite();
    let server = site.serve_with(&[("VESTIBULE_LIMITS_CONNECTIONS_PER_CLIENT", "2")]);
    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    let mut third = TcpStream::connect(&server.address).unwrap();
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(third.read(&mut [0; 1]).unwrap(), 0, "closed without an answer");
    drop(held);
    eventually("the places are free again", || {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let sent = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let mut answer = String::new();
        (sent.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200"))
            .then_some(())
    });
}

// A coarse bound to catch eager large allocations. The pages of the program itself do not count: those of a debug build are
// many. `cargo xtask bench start` measures against the budget.
#[test]
fn an_idle_server_is_small() {
    let site = Site::sqlite();
    let server = site.serve();
    assert_eq!(server.get("/readyz").status, 200);
    let allocated = server.allocated_kib();
    assert!(allocated <= 8 * 1024, "{allocated} KiB");
}
