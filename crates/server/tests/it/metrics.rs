//! What `/metrics` says, and to whom.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use vestibule_testing::{Client, Finished, PASSWORD, Server, Site, on_both_databases, system_program};

const EMAIL: &str = "ada@example.org";
const TOKEN: &str = "a-token-of-thirty-two-characters-or-more";
const OPENMETRICS: (&str, &str) = ("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");

fn serve(site: &Site, more: &[(&str, &str)]) -> (Server, Client) {
    let server = site.serve_with(&[&[("VESTIBULE_METRICS_LISTEN", "127.0.0.1:0")], more].concat());
    let line: serde_json::Value = serde_json::from_str(&server.logs("\"metrics\"")).unwrap();
    let metrics = Client::new(line["address"].as_str().unwrap());
    (server, metrics)
}

fn scrape(metrics: &Client) -> String {
    let answer = metrics.request("GET", "/metrics", &[OPENMETRICS], "");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|it| it == line), "{line} is missing in: {text}");
}

#[test]
fn the_numbers_tell_what_happened() {
    on_both_databases(|site| {
        let (server, metrics) = serve(site, &[]);
        server.has_confirmed(EMAIL, PASSWORD);
        server.http().sign_in(EMAIL, PASSWORD);
        let wrong = server.http().post("/v1/login", None, &json!({ "email": EMAIL, "password": "wrong" }));
        assert_eq!(wrong.status, 401, "{wrong:?}");
        let answer = metrics.request("GET", "/metrics", &[OPENMETRICS], "");
        let kind = answer.header("content-type").to_owned();
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        let text = answer.body;
        for line in [
            r#"vestibule_audit_events_total{kind="signed_up"} 1"#,
            r#"vestibule_audit_events_total{kind="activated"} 1"#,
            r#"vestibule_audit_events_total{kind="sign_in_failed"} 1"#,
            r#"vestibule_sign_ins_total{way="password"} 1"#,
            r#"vestibule_sign_ins_total{way="passkey"} 0"#,
            r#"vestibule_http_requests_total{route="/v1/login",method="POST",status="401"} 1"#,
            r#"vestibule_http_refusals_total{code="invalid_credentials"} 1"#,
            "vestibule_database_up 1.0",
            "vestibule_sessions_live 1.0",
            "# EOF",
        ] {
            has(&text, line);
        }
        let sent = r#"vestibule_mail_attempts_total{outcome="sent"} "#;
        assert!(text.lines().any(|line| line.starts_with(sent) && !line.ends_with(" 0")), "{text}");
        assert!(!text.contains(EMAIL) && !text.contains(PASSWORD), "{text}");
        assert_eq!(server.get("/metrics").status, 404, "not where everybody looks");
        assert_eq!(metrics.get("/v1/me", None).status, 404);
    });
}

// Labels come from closed sets: no request makes a series (hole B27).
#[test]
fn odd_requests_make_no_series() {
    let site = Site::sqlite();
    let (server, metrics) = serve(&site, &[]);
    let ask = |round: usize| {
        for number in 0..400 {
            let odd = format!("{round}-{number}");
            let (method, path) = match number % 4 {
                0 => (format!("BREW{odd}"), format!("/pot/{odd}")),
                1 => ("GET".to_owned(), format!("/v1/admin/users/{odd}?q={odd}")),
                2 => ("DELETE".to_owned(), format!("/confirm?token={odd}")),
                _ => ("POST".to_owned(), "/v1/login".to_owned()),
            };
            let headers =
                [("user-agent", odd.as_str()), ("content-type", odd.as_str()), ("x-request-id", &odd)];
            server.http().request(&method, &path, &headers, "");
        }
        let text = scrape(&metrics);
        assert!(!text.contains("BREW") && !text.contains(&format!("{round}-")), "{text}");
        text.lines().filter(|line| !line.starts_with('#')).count()
    };
    let first = ask(1);
    assert_eq!(ask(2), first);
    has(&scrape(&metrics), r#"vestibule_http_requests_total{route="none",method="OTHER",status="404"} 200"#);
}

#[test]
fn others_need_the_token() {
    let site = Site::sqlite();
    let open = [("VESTIBULE_METRICS_LISTEN", "0.0.0.0:0")];
    Finished::of(&mut site.serving(&open))
        .refused(2, "`metrics.listen` (VESTIBULE_METRICS_LISTEN): everybody who reaches it")
        .refused(2, "fix: listen on 127.0.0.1:9464, or set VESTIBULE_METRICS_TOKEN_FILE");
    Finished::of(&mut site.serving(&[("VESTIBULE_METRICS_TOKEN", "short")]))
        .refused(2, "not 32 or more characters");
    let (server, metrics) = serve(&site, &[("VESTIBULE_METRICS_TOKEN", TOKEN)]);
    for wrong in [None, Some("Bearer"), Some("Bearer a-token"), Some(TOKEN)] {
        let answer = metrics.get("/metrics", wrong);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, "Bearer"), "{wrong:?}");
    }
    assert_eq!(metrics.get("/metrics", Some(&format!("Bearer {TOKEN}"))).status, 200);
    let taken = [("VESTIBULE_METRICS_LISTEN", server.address.as_str())];
    let other = Site::sqlite();
    Finished::of(&mut other.serving(&taken)).refused(1, "choose another place with metrics.listen");
    assert!(!other.path("vestibule-data").exists(), "nothing was touched");
}

/// Runs it on this input.
fn promtool(arguments: &[&str], input: &str) -> Finished {
    let mut command = system_program("/usr/bin/promtool");
    let piped = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Finished::from(child.wait_with_output().unwrap())
}

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus").join(name)
}

/// The names of our metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("vestibule_")).map(str::to_owned).collect()
}

#[test]
fn prometheus_understands_all_of_it() {
    let site = Site::sqlite();
    let (server, metrics) = serve(&site, &[("VESTIBULE_LIMITS_SIGN_IN", "1/1d")]);
    server.has_confirmed(EMAIL, PASSWORD);
    for _ in 0..3 {
        server.http().post("/v1/login", None, &json!({ "email": EMAIL, "password": "wrong" }));
    }
    let answer = metrics.get("/metrics", None);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let checked = promtool(&["check", "metrics"], &answer.body).ok();
    assert_eq!(checked.stdout + &checked.stderr, "");
    promtool(&["check", "rules", deploy("alerts.yml").to_str().unwrap()], "").ok();
    promtool(&["check", "config", "--syntax-only", deploy("prometheus.yml").to_str().unwrap()], "").ok();
    let there = names(&answer.body);
    for file in ["alerts.yml", "dashboard.json"] {
        let text = fs::read_to_string(deploy(file)).unwrap();
        let used = names(&text);
        let unknown: Vec<_> = used.difference(&there).collect();
        assert!(used.len() > 5 && unknown.is_empty(), "{file}: {unknown:?}");
    }
    let dashboard = fs::read_to_string(deploy("dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
}
