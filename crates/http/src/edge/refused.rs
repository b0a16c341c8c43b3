//! Refuses requests before any handler sees them: because of their framing, their address, their size, or what they
//! accept.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::{ACCEPT, HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Version};

use crate::api::sign_in::verify::VERIFY;
use crate::catalogue::Code;
use crate::problem::Problem;

/// Octets of a URI, including its query (H6).
const URI_MAX: usize = 4 * 1024;
/// Octets of all header fields together (H6).
const HEADERS_MAX: usize = 16 * 1024;
/// The refusal of a request, if it is one.
pub(crate) fn of(request: &Request) -> Option<Problem> {
    let uri = request.uri();
    let headers = request.headers();
    if let Some(problem) = misaddressed(request).or_else(|| encoded(headers)) {
        return Some(problem.closing());
    }
    if uri.path_and_query().is_some_and(|text| text.as_str().len() > URI_MAX) {
        return Some(Problem::new(Code::UriTooLong));
    }
    if headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() > HEADERS_MAX {
        return Some(Problem::new(Code::HeadersTooLarge));
    }
    // A proxy asks with the headers of another request, whose `Accept` does not matter here.
    let of_api = uri.path().starts_with("/v1/") && uri.path() != VERIFY;
    if of_api && !accepts_json(headers) {
        return Some(Problem::new(Code::NotAcceptable));
    }
    None
}

/// RFC 9112 §3.2: one `Host`, which names a host (H7). Of two, a proxy in front may have read the other. Requests
/// without a connection, for example in tests, and HTTP/1.0 need none.
fn misaddressed(request: &Request) -> Option<Problem> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let needed = request.version() == Version::HTTP_11
        && request.extensions().get::<ConnectInfo<SocketAddr>>().is_some();
    let detail = match (hosts.next(), hosts.next()) {
        (None, _) if needed => "The header `Host` is missing.",
        (Some(_), Some(_)) => "The header `Host` came more than once.",
        (Some(host), None) if !is_host(host) => "The header `Host` names no host.",
        _ => return None,
    };
    Some(Problem::new(Code::InvalidRequest).detail(detail))
}

/// A host and optionally a port (RFC 9110 §7.2). A comma, which no host contains, could separate two.
fn is_host(value: &HeaderValue) -> bool {
    let Ok(authority) = Authority::try_from(value.as_bytes()) else { return false };
    let text = authority.as_str();
    let rest = text.strip_prefix(authority.host());
    let is_port = |rest: &str| {
        rest.is_empty() || rest.starts_with(':') && rest[1..].bytes().all(|b| b.is_ascii_digit())
    };
    !authority.host().is_empty() && !text.contains(',') && rest.is_some_and(is_port)
}

/// RFC 9112 §6.1: an encoding other than chunked is not understood, and must not be taken for the body (H7). hyper has
/// refused what does not end in `chunked`, and closes the connection after a `Content-Length` beside it.
fn encoded(headers: &HeaderMap) -> Option<Problem> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let known = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    let is_known = codings.next().is_none_or(known) && codings.next().is_none();
    (!is_known).then(|| Problem::new(Code::TransferCodingUnknown))
}

/// Whether `Accept` allows JSON (RFC 9110 §12.5.1). The most specific range decides.
fn accepts_json(headers: &HeaderMap) -> bool {
    let mut best: Option<(u8, bool)> = None;
    let mut named = false;
    for line in headers.get_all(ACCEPT) {
        for range in line.to_str().unwrap_or("*/*").split(',') {
            named |= !range.trim().is_empty();
            let mut parts = range.split(';').map(str::trim);
            let rank = match parts.next().unwrap_or_default() {
                text if text.eq_ignore_ascii_case("application/json") => 3,
                text if text.eq_ignore_ascii_case("application/*") => 2,
                "*/*" => 1,
                _ => continue,
            };
            let excluded = |part: &str| {
                let quality = part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="));
                quality.is_some_and(|q| q.trim_end_matches(['0', '.']).is_empty())
            };
            let wanted = !parts.any(excluded);
            if best.is_none_or(|(other, _)| other < rank) {
                best = Some((rank, wanted));
            }
        }
    }
    best.map_or(!named, |(_, wanted)| wanted)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn accepts(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(value).expect("a header"));
        accepts_json(&headers)
    }

    #[test]
    fn the_most_specific_range_decides() {
        for value in [
            "",
            "*/*",
            "application/json",
            "text/html, */*;q=0.1",
            "application/*;q=0.5",
            "Application/JSON;v=1",
        ] {
            assert!(accepts(value), "{value}");
        }
        for value in ["text/html", "application/json;q=0, */*", "*/*;q=0.0", "image/*", "application/xml"] {
            assert!(!accepts(value), "{value}");
        }
        assert!(accepts_json(&HeaderMap::new()));
    }

    fn status(version: Version, fields: &[(&str, &str)], on_a_connection: bool) -> Option<u16> {
        let mut request = Request::builder().version(version).uri("/livez");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        if on_a_connection {
            request = request.extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        }
        of(&request.body(Body::empty()).expect("a request")).map(|problem| problem.code().status().as_u16())
    }

    // H7
    #[test]
    fn a_request_names_one_host() {
        let asked = |hosts: &[&str]| {
            let fields: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            status(Version::HTTP_11, &fields, true)
        };
        for host in
            ["example.org", "EXAMPLE.org:8080", "127.0.0.1:80", "[::1]", "[::1]:8080", "a_b", "example.org:"]
        {
            assert_eq!(asked(&[host]), None, "{host}");
        }
        for host in [
            "",
            " ",
            "a b",
            "ada@example.org",
            "example.org/x",
            "example.org:http",
            "a,b",
            "[::1",
            "a:1:2",
            ":80",
        ] {
            assert_eq!(asked(&[host]), Some(400), "{host}");
        }
        assert_eq!(asked(&["example.org", "example.org"]), Some(400));
        assert_eq!(asked(&[]), Some(400));
        assert_eq!(status(Version::HTTP_11, &[], false), None, "made in memory");
        assert_eq!(status(Version::HTTP_11, &[("host", "a"), ("host", "b")], false), Some(400));
        assert_eq!(status(Version::HTTP_10, &[], true), None);
        assert_eq!(status(Version::HTTP_2, &[], true), None);
    }

    // H7
    #[test]
    fn only_chunks_are_understood() {
        let coded = |codings: &[&str]| {
            let fields: Vec<_> = codings.iter().map(|coding| ("transfer-encoding", *coding)).collect();
            status(Version::HTTP_11, &fields, false)
        };
        for codings in [&[][..], &["chunked"], &["Chunked"]] {
            assert_eq!(coded(codings), None, "{codings:?}");
        }
        for codings in [
            &["gzip, chunked"][..],
            &["gzip", "chunked"],
            &["identity, chunked"],
            &["chunked, chunked"],
            &["chunked", "chunked"],
            &["chunked;q=1"],
            &["x-chunked"],
            &[""],
        ] {
            assert_eq!(coded(codings), Some(501), "{codings:?}");
        }
    }
}
