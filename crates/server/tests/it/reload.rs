//! SIGHUP: settings change without a restart, or a restart is asked for.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use vestibule_testing::{Client, PASSWORD, PATIENCE, Relay, Server, Site, free_address, on_both_databases};

fn write(site: &Site, text: &str) {
    fs::write(site.path("vestibule.toml"), text).unwrap();
}

/// Sends the signal; returns the lines of the log up to the last about it.
fn hangup(server: &Server) -> String {
    server.signal("-HUP");
    let lines = std::iter::from_fn(|| Some(server.logs("")));
    let mut said = String::new();
    for line in lines {
        said.push_str(&line);
        said.push('\n');
        if line.contains("SIGHUP") {
            break;
        }
    }
    said
}

fn stylesheet(server: &Server) -> String {
    let page =
        server.http().request("GET", "/login", &[("accept", "text/html")], "").body.replace("&#x2f;", "/");
    let start = page.find("/assets/site-").unwrap();
    server.get(page[start..].split('"').next().unwrap()).body
}

#[test]
fn what_can_change_changes_and_the_rest_is_named() {
    let site = Site::sqlite();
    write(&site, "[log]\nlevel = 'info'\n");
    let server = site.serve();
    assert!(!stylesheet(&server).contains("--accent:#aa3366"));
    write(
        &site,
        "service_name = 'Tea'\n[log]\nlevel = 'debug'\n[pages]\naccent = '#aa3366'\n[signup]\nmode = 'closed'\n\
         [cors]\norigins = ['https://app.example.org']\n",
    );
    let said = hangup(&server);
    for words in [
        "changed, but only a restart makes it so: service_name, signup.mode",
        r##""key":"pages.accent","from":"\"#2456c8\"","to":"\"#aa3366\"""##,
        r#""changed":3"#,
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(stylesheet(&server).contains("--accent:#aa3366"));
    let preflight = [("origin", "https://app.example.org"), ("access-control-request-method", "GET")];
    let answer = server.http().request("OPTIONS", "/v1/me", &preflight, "");
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org");
    let page = server.http().request("GET", "/signup", &[("accept", "text/html")], "").body;
    assert!(page.contains("Vestibule</title>"), "the name needs a restart: {page}");
    // Answers to probes are for debugging.
    server.get("/livez");
    assert!(server.logs("/livez").contains("\"DEBUG\""));
    // The restart is asked for until it comes.
    assert!(hangup(&server).contains("only a restart makes it so: service_name, signup.mode"));
    write(&site, "[log]\nlevel = 'info'\n");
    let said = hangup(&server);
    assert!(said.contains(r#""changed":3"#) && !said.contains("restart"), "{said}");
}

// L3: an attack goes on, and the limits are tightened without signing anybody out of the queue.
#[test]
fn limits_per_client_are_tightened() {
    let site = Site::sqlite();
    write(&site, "[limits]\nsign_in = '1000/5m'\n");
    let server = site.serve();
    let attempt = |number: u32| {
        let body = json!({"email": format!("nobody{number}@example.org"), "password": "another-long-word-9"});
        server.http().post("/v1/login", None, &body)
    };
    for number in 0..3 {
        assert_eq!(attempt(number).status, 401);
    }
    write(&site, "[limits]\nsign_in = '3/5m'\n");
    let said = hangup(&server);
    assert!(said.contains("limits.sign_in") && said.contains(r#""changed":1"#), "{said}");
    // What was counted before counts.
    let limited = attempt(4);
    assert_eq!(limited.status, 429);
    assert_eq!(limited.header("ratelimit-policy"), "\"sign-in\";q=3;w=300");
    write(&site, "[limits]\nsign_in = '3/5m'\nexempt = ['127.0.0.0/8']\n");
    hangup(&server);
    assert_eq!(attempt(5).status, 401);
    write(&site, "[limits]\nsign_in = '0/5m'\n");
    assert!(hangup(&server).contains("nothing changed"));
    assert_eq!(attempt(6).status, 401);
}

// L2: whoever guesses on is stopped for good, and who was stopped too early gets in again.
#[test]
fn the_hard_stop_is_moved() {
    on_both_databases(|site| {
        write(site, "");
        let server = site.serve();
        let http = server.http();
        server.has_confirmed("ada@example.org", PASSWORD);
        for _ in 0..3 {
            assert_eq!(http.try_password("ada@example.org", "another-long-word-9").status, 401);
        }
        write(site, "[limits]\nhard_stop = 3\n");
        let said = hangup(&server);
        assert!(said.contains("limits.hard_stop") && said.contains(r#""changed":1"#), "{said}");
        let stopped = http.try_password("ada@example.org", PASSWORD);
        assert_eq!((stopped.status, stopped.header("retry-after")), (429, "86400"), "{stopped:?}");
        write(site, "[limits]\nhard_stop = 4\n");
        hangup(&server);
        http.sign_in("ada@example.org", PASSWORD);
    });
}

#[test]
fn more_connections_and_fewer() {
    let site = Site::sqlite();
    // A trusted proxy may have all of them.
    let with = |most: usize| {
        write(&site, &format!("trusted_proxies = ['127.0.0.1']\n[limits]\nconnections = {most}\n"));
    };
    let open = |server: &Server| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        stream
    };
    let answered = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200");
    };
    with(2);
    let metrics = free_address().to_string();
    let server = site.serve_with(&[("VESTIBULE_METRICS_LISTEN", metrics.as_str())]);
    let most = || {
        let text = Client::new(&metrics).get("/metrics", None).body;
        text.lines().find_map(|line| line.strip_prefix("vestibule_connections_max ")).unwrap().to_owned()
    };
    assert_eq!(most(), "2.0");
    let mut held = [open(&server), open(&server)];
    held.iter_mut().for_each(&answered);
    // It waits for one of them to end, or for a third place.
    let mut third = open(&server);
    with(3);
    let said = hangup(&server);
    assert!(said.contains("limits.connections") && said.contains(r#""changed":1"#), "{said}");
    answered(&mut third);
    assert_eq!(most(), "3.0");
    // Those that are open stay.
    with(1);
    hangup(&server);
    assert_eq!(most(), "1.0");
    held[0].write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    drop((held, third));
    answered(&mut open(&server));
}

#[test]
fn mail_takes_another_way() {
    let site = Site::sqlite();
    let relay = Relay::start();
    write(&site, &format!("[mail]\nurl = '{}'\n", site.relay().url()));
    let mut command = site.serving(&[]);
    command.env_remove("VESTIBULE_MAIL_URL");
    let server = site.start(command);
    write(&site, &format!("[mail]\nurl = '{}'\n", relay.url()));
    fs::set_permissions(site.path("vestibule.toml"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let said = hangup(&server);
    assert!(said.contains("smtp:[secret]") && said.contains(r#""changed":1"#), "{said}");
    server.http().sign_up("ada@example.org", "plover-tundra-saffron-61");
    assert_eq!(relay.take("ada@example.org").code().len(), 4);
}

#[test]
fn where_anything_is_wrong_nothing_changes() {
    let site = Site::sqlite();
    write(&site, "");
    let server = site.serve();
    for (broken, words) in [
        ("[pages]\naccent = '#aa3366'\n[log", "TOML parse error at line 3"),
        ("[pages]\naccent = '#aa3366'\nlogotype = ''\n", "unknown key `pages.logotype`"),
        ("[pages]\naccent = '#aa3366'\nlogo = 'gone.svg'\n", "gone.svg"),
        ("[pages]\naccent = '#aa3366'\n[mail]\ntemplates_dir = 'gone'\n", "gone"),
        (
            "public_url = ''\ntrusted_proxies = ['0.0.0.0/0']\n[pages]\naccent = '#aa3366'\n",
            "it names everybody",
        ),
    ] {
        write(&site, broken);
        let said = hangup(&server);
        assert!(said.contains("nothing changed") && said.contains(words), "{words}: {said}");
        assert!(!stylesheet(&server).contains("--accent:#aa3366"), "{broken}");
    }
    fs::remove_file(site.path("vestibule.toml")).unwrap();
    assert!(hangup(&server).contains(r#""changed":0"#));
    let answer = server.http().post("/v1/login", None, &json!({ "email": "a@example.org", "password": "b" }));
    assert!(answer.status < 500, "{answer:?}");
}
