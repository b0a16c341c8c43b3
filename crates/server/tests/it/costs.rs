//! What anyone can request, and the most it may cost everyone else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule_testing::{Client, PATIENCE, Server, Site, eventually, on_both_databases};

/// Longer than anything waits on a busy machine, and much shorter than the cost of one request before it was bounded.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Every sign that can stand for a letter, repeated: the hardest case for a dictionary with substitutions.
fn hostile_password() -> String {
    "4@8({[<369&#!1/|0$5+7%2\"*12)".chars().cycle().take(100).collect()
}

// P6: judging a password delays nobody.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test waits for another process")]
fn judging_passwords_holds_nobody_up() {
    on_both_databases(|site| {
        let server = site.serve();
        let check = json!({"password": hostile_password(), "email": "ada@example.org"});
        let sign_up = json!({"password": hostile_password(), "email": "ada@example.org", "user_name": "ada"});
        let client = server.http();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| client.post("/v1/password/check", None, &check).json(200));
                scope.spawn(|| client.post("/v1/signup", None, &sign_up).json(202));
            }
            for _ in 0..10 {
                let begun = Instant::now();
                assert_eq!(server.get("/livez").status, 200);
                assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
            }
        });
    });
}

/// Requests the largest answers many times, and never reads one.
fn never_read(server: &Server, number: usize) -> Vec<TcpStream> {
    let request = |path| format!("GET {path} HTTP/1.1\r\nhost: accounts.example.org\r\n\r\n");
    let requests =
        [request("/openapi.json"), request("/docs/assets/swagger-ui-bundle.js")].concat().repeat(20);
    let ask = |_| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(requests.as_bytes()).unwrap();
        stream
    };
    (0..number).map(ask).collect()
}

// H6: a client that never reads costs 128 KiB at most, does not delay the stop, and is cut off.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long another process takes to end is what is shown")]
fn clients_that_never_read_are_cheap() {
    const CLIENTS: usize = 300;
    let site = Site::sqlite();
    let mut server = site.serve();
    // What is created on the first request does not count.
    assert_eq!(server.get("/openapi.json").status, 200);
    let before = server.resident_kib();
    let clients = never_read(&server, CLIENTS);
    // Each has been sent as much as the system buffers for it.
    let arrived = |mut stream: &TcpStream| stream.read(&mut [0; 1]).is_ok_and(|read| read == 1);
    assert!(clients.iter().all(arrived));
    assert_eq!(server.get("/livez").status, 200);
    let each = server.resident_kib().saturating_sub(before) / CLIENTS as u64;
    assert!(each <= 128, "{each} KiB for each");
    server.signal("-TERM");
    let stopped = Instant::now();
    assert_eq!(server.ended().code(), Some(0));
    assert!(stopped.elapsed() < Duration::from_secs(15), "{:?}", stopped.elapsed());
    drop(clients);
}

// O2: an event that anyone can cause is logged once a minute.
#[test]
fn refused_connections_are_one_line() {
    let site = Site::sqlite();
    let server = site.serve_with(&[("VESTIBULE_LIMITS_CONNECTIONS_PER_CLIENT", "2")]);
    let held: Vec<_> = (0..2).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    for _ in 0..50 {
        let mut refused = TcpStream::connect(&server.address).unwrap();
        refused.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(refused.read(&mut [0; 1]).unwrap(), 0);
    }
    drop(held);
    eventually("a place is free again", || {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let sent = stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let mut answer = String::new();
        (sent.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ")).then_some(())
    });
    let told =
        server.whole_log().into_iter().filter(|line| line.contains("this client has too many")).count();
    assert_eq!(told, 1);
}

// O2: a log without a reader stops nothing; the number of dropped lines is reported.
#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    const REQUESTS: usize = 4000;
    let site = Site::sqlite();
    let mut child = site.serving(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the log goes on");
        serde_json::from_str::<Value>(&line).unwrap()
    };
    let listening = std::iter::from_fn(|| Some(next())).find(|line| line["message"] == "listening").unwrap();
    let client = Client::new(listening["address"].as_str().unwrap());
    for _ in 0..REQUESTS {
        assert_eq!(client.get("/v1/me", None).status, 401);
    }
    let dropped = |line: &Value| line["message"].as_str().is_some_and(|message| message.contains("dropped"));
    let told = std::iter::from_fn(|| Some(next())).find(dropped).unwrap();
    assert!(told["number"].as_u64().is_some_and(|number| number > 0), "{told}");
    child.kill().unwrap();
    child.wait().unwrap();
}

// O2: the log is calm, and each line of a request names it, once.
#[test]
fn the_log_is_calm_and_names_the_request() {
    on_both_databases(|site| {
        let server = site.serve();
        for probe in ["/livez", "/readyz"] {
            assert_eq!(server.get(probe).status, 200);
        }
        let body = json!({"email": "ada@example.org", "password": "plover-tundra-saffron-61"});
        let answer = server.http().post("/v1/signup", None, &body);
        assert_eq!(answer.status, 202);
        let id = answer.header("x-request-id");
        let next = || serde_json::from_str::<Value>(&server.logs("")).unwrap();
        let mut said = vec![next()];
        while said.iter().all(|line| line["message"] != "answered") {
            said.push(next());
        }
        let answered = said.pop().unwrap();
        assert_eq!(answered["route"], "/v1/signup", "no probe is logged");
        let audit = said.iter().find(|line| line["target"] == "vestibule::audit").unwrap();
        for line in [audit, &answered] {
            assert_eq!(line["span"]["request_id"], id, "{line}");
            assert_eq!(line["spans"], Value::Null, "{line}");
        }
    });
}
