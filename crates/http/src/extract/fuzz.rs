//! Fuzzes the parsers of untrusted input: nothing panics, and the work is bounded by the length of the input. Work is
//! counted in allocations and their octets. `cargo xtask fuzz` runs these for longer.

use std::net::IpAddr;

use allocation_counter::measure;
use axum::http::header::{AUTHORIZATION, COOKIE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::cookies::{Cookie, Cookies};
use super::sender::basic;
use crate::extract::input::form::Pairs;
use crate::extract::input::tree::Tree;
use crate::extract::sender::bearer::split_scheme;
use crate::extract::sender::proxies::TrustedProxies;

/// Allocations, and octets of them: the base for any input, and the addition for each of its octets.
const ALLOCATIONS: (u64, u64) = (48, 4);
const OCTETS: (u64, u64) = (16 * 1024, 128);

/// Pieces, each several times, in any order; or arbitrary text.
fn input(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = (prop::sample::select(pieces), 1..48_usize).prop_map(|(piece, times)| piece.repeat(times));
    let pieces = prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![3 => pieces, 1 => prop::collection::vec(any::<u8>(), 0..512)]
}

fn bounded(input: &[u8], work: impl FnOnce()) -> TestCaseResult {
    let done = measure(work);
    let length = input.len() as u64;
    prop_assert!(done.count_total <= ALLOCATIONS.0 + ALLOCATIONS.1 * length, "{done:?} for {length} octets");
    prop_assert!(done.bytes_total <= OCTETS.0 + OCTETS.1 * length, "{done:?} for {length} octets");
    Ok(())
}

/// The input as the value of a header, if it can be one.
fn header(name: &HeaderName, input: &[u8]) -> HeaderMap {
    let values = HeaderValue::from_bytes(input).into_iter().map(|value| (name.clone(), value));
    values.collect()
}

proptest! {
    // H8
    #[test]
    fn json(text in input(&["{", "}", "[", "]", ",", ":", "\"a\":", "\"b\\u00e9\":0,", "{\"a\":[", "\"\\ud83d\\ude00\"", "[],", "{},", "1e9", "null", " ", "\\", "\u{e9}"])) {
        let text = String::from_utf8_lossy(&text);
        bounded(text.as_bytes(), || drop(Tree::parse(&text)))?;
    }

    // H8
    #[test]
    fn json_objects(names in prop::collection::vec("[a-z]{0,3}", 0..400)) {
        let fields: Vec<String> = names.iter().map(|name| format!("\"{name}\":{{\"x\":[]}}")).collect();
        let text = format!("{{{}}}", fields.join(","));
        bounded(text.as_bytes(), || drop(Tree::parse(&text)))?;
    }

    // H9
    #[test]
    fn forms(text in input(&["a", "b=", "&", "=", "%", "%41", "%ff", "+", "%C3%A4", "a=1&", "\u{e9}"])) {
        bounded(&text, || drop(Pairs::parse(&text)))?;
    }

    // S6
    #[test]
    fn basic_credentials(text in input(&["Basic ", "basic", " ", "YWRhQGV4YW1wbGUub3JnOngx", "=", "==", "Og==", "\u{ff}"])) {
        let headers = header(&AUTHORIZATION, &text);
        bounded(&text, || drop(basic::credentials(&headers)))?;
    }

    // J7
    #[test]
    fn bearer_schemes(text in input(&["Bearer", "JWT", " ", "\t", "eyJ", ".", "a.b.c"])) {
        bounded(&text, || {
            let (scheme, token) = split_scheme(&text);
            assert!(scheme.len() + token.len() <= text.len());
        })?;
    }

    // B2
    #[test]
    fn cookies(text in input(&["__Host-vestibule_session=", "x", ";", "; ", "=", " ", "a=1; ", "__Host-vestibule_session=x;"])) {
        let headers = header(&COOKIE, &text);
        bounded(&text, || {
            let value = Cookies { secure: true }.get(&headers, Cookie::Session);
            assert!(value.is_none_or(|value| !value.contains(';')));
        })?;
    }

    // L5: whatever the client writes, the address is one that the proxy wrote, or the proxy's own.
    #[test]
    fn forwarded_for(text in input(&["10.0.0.1,", "203.0.113.9", ",", " ", "[", "]", ":80", "\"", "::ffff:", "%eth0", "unknown,", "\u{ff}"])) {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8"]).expect("a network");
        let peer: IpAddr = [10, 0, 0, 1].into();
        let headers = header(&HeaderName::from_static("x-forwarded-for"), &text);
        bounded(&text, || assert_ne!(proxies.client(peer, &headers), IpAddr::from([0; 16])))?;
        let proxied = [text.as_slice(), b", 198.51.100.7"].concat();
        let headers = header(&HeaderName::from_static("x-forwarded-for"), &proxied);
        let client: IpAddr = [198, 51, 100, 7].into();
        prop_assert!(headers.is_empty() || proxies.client(peer, &headers) == client);
    }

    // H7
    #[test]
    fn hosts(text in input(&["example.org", ":", "80", "[::1]", "@", "/", ".", ",", "%41", " ", "xn--"])) {
        let mut request = axum::extract::Request::new(axum::body::Body::empty());
        *request.headers_mut() = header(&HOST, &text);
        bounded(&text, || drop(crate::edge::refused::of(&request)))?;
    }
}
