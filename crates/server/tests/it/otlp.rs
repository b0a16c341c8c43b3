//! Traces reach a collector, where the program is built with the feature `otlp`.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use vestibule_testing::{PATIENCE, Site};

use crate::peers::in_background;

/// A collector that says yes to everything; its address, and what it was sent.
fn collector() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, sent) = mpsc::channel();
    in_background(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = Vec::new();
            let head = loop {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                bytes.push(byte[0]);
                if bytes.ends_with(b"\r\n\r\n") {
                    break String::from_utf8(std::mem::take(&mut bytes)).unwrap();
                }
            };
            let length =
                head.to_lowercase().lines().find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap()];
            stream.read_exact(&mut body).unwrap();
            let _ = sender.send((head, body));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (address, sent)
}

#[test]
fn the_span_of_a_request_is_sent_as_a_part_of_its_trace() {
    let (address, sent) = collector();
    let endpoint = format!("http://{address}/v1/traces");
    let site = Site::sqlite();
    let mut server = site.serve_with(&[("VESTIBULE_LOG_OTLP_ENDPOINT", &endpoint)]);
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{id}-00f067aa0ba902b7-01");
    let answer = server.http().request("GET", "/v1/me", &[("traceparent", &parent)], "");
    assert_eq!(answer.status, 401);
    // What was not sent yet is sent at the end.
    server.signal("-TERM");
    assert!(server.ended().success());

    let bytes: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&id[2 * at..2 * at + 2], 16).unwrap()).collect();
    let has = |body: &[u8], part: &[u8]| body.windows(part.len()).any(|it| it == part);
    let (head, body) = std::iter::from_fn(|| sent.recv_timeout(PATIENCE).ok())
        .find(|(_, body)| has(body, &bytes))
        .expect("a span of this trace");
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/x-protobuf"), "{head}");
    for part in ["vestibule", "request", "request_id", "answered", "/v1/me"] {
        assert!(has(&body, part.as_bytes()), "{part} is missing in {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_collector_that_is_not_there_disturbs_nobody() {
    let site = Site::sqlite();
    let nobody = format!("http://{}/v1/traces", vestibule_testing::free_address());
    let mut server = site.serve_with(&[("VESTIBULE_LOG_OTLP_ENDPOINT", &nobody)]);
    assert_eq!(server.get("/readyz").status, 200);
    server.signal("-TERM");
    assert!(server.ended().success());
}
