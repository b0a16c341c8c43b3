//! The log says which trace a request belongs to (W3C Trace Context), in both formats.

use serde_json::Value;
use vestibule_testing::{Answer, Server, Site};

const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The lines about a request with these headers.
fn ask(server: &Server, traceparent: &[&str]) -> String {
    let headers: Vec<_> = traceparent.iter().map(|line| ("traceparent", *line)).collect();
    let Answer { status, .. } = server.http().request("GET", "/v1/me", &headers, "");
    assert_eq!(status, 401);
    server.logs("/v1/me")
}

#[test]
fn a_trace_is_taken_over_into_the_lines_of_the_request() {
    let site = Site::sqlite();
    let good = format!("00-{ID}-{PARENT}-01");

    let server = site.serve_with(&[("VESTIBULE_LOG_FORMAT", "json")]);
    let line: Value = serde_json::from_str(&ask(&server, &[&good])).unwrap();
    assert_eq!([&line["span"]["trace_id"], &line["span"]["parent_id"]], [ID, PARENT]);
    assert_eq!(line["span"]["request_id"].as_str().map(str::len), Some(16));
    drop(server);

    let server = site.serve_with(&[("VESTIBULE_LOG_FORMAT", "text")]);
    let line = ask(&server, &[&good]);
    assert!(line.contains(&format!("trace_id=\"{ID}\" parent_id=\"{PARENT}\"}}: ")), "{line}");
}

#[test]
fn what_is_no_trace_is_left_out() {
    let site = Site::sqlite();
    let good = format!("00-{ID}-{PARENT}-01");
    let none = format!("00-{}-{PARENT}-01", "0".repeat(32));
    let long = format!("{good}-more");
    let bad: [&[&str]; 5] = [&[], &[&none], &[&long], &[&good, &good], &["00-\"}x"]];
    for format in ["json", "text"] {
        let server = site.serve_with(&[("VESTIBULE_LOG_FORMAT", format)]);
        for lines in bad {
            let line = ask(&server, lines);
            assert!(line.contains("request_id") && !line.contains("trace_id"), "{lines:?}: {line}");
        }
    }
}
