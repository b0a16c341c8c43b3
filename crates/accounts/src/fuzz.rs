//! Fuzzes the parsers of untrusted input: nothing panics, and the work is bounded by the length of the input. Work is
//! counted in allocations and their octets; that of the estimator, in `domain/password/strength/tests.rs`, in its
//! steps. `cargo xtask fuzz` runs these for longer.

use std::hint::black_box;

use allocation_counter::measure;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::password::Password;
use crate::domain::secret_key::SecretKey;
use crate::domain::user_name::UserName;
use crate::ops::admin::paging;
use crate::ops::challenge;
use crate::token::challenge::open_link_token;
use crate::token::jwt::key_id;
use crate::token::opaque::{hash_of, hash_of_browser};
use crate::token::root::RootKeys;

/// Allocations, and octets of them: the base for any input, and the addition for each of its octets.
const ALLOCATIONS: (u64, u64) = (256, 2);
const OCTETS: (u64, u64) = (64 * 1024, 64);

/// Pieces, each several times, in any order; or arbitrary text.
fn input(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = (prop::sample::select(pieces), 1..24_usize).prop_map(|(piece, times)| piece.repeat(times));
    let pieces = prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => pieces, 1 => "\\PC{0,300}", 1 => any::<String>()]
}

fn bounded(input: &str, work: impl FnOnce()) -> TestCaseResult {
    let done = measure(work);
    let length = input.len() as u64;
    prop_assert!(done.count_total <= ALLOCATIONS.0 + ALLOCATIONS.1 * length, "{done:?} for {length} octets");
    prop_assert!(done.bytes_total <= OCTETS.0 + OCTETS.1 * length, "{done:?} for {length} octets");
    Ok(())
}

fn root() -> RootKeys {
    RootKeys::derive(&SecretKey(zeroize::Zeroizing::new([7; 32])))
}

proptest! {
    // M1
    #[test]
    fn addresses(text in input(&["a", "@", ".", "-", "xn--", "ß", "\u{fdfa}", "\u{301}", "\u{327}", "漢", "ａ", "example.org", "\u{200d}", "ﷺ"])) {
        bounded(&text, || drop(text.parse::<Email>()))?;
    }

    // M3
    #[test]
    fn user_names(text in input(&["a", "rn", "usr_", ".", "-", "\u{fdfa}", "\u{301}", "漢", "ａ", "ж", "\u{1d400}"])) {
        bounded(&text, || drop(text.parse::<UserName>()))?;
    }

    // P1
    #[test]
    fn passwords(text in input(&["a", " ", "\u{301}", "\u{327}", "\u{fdfa}", "漢", "\0", "😀"])) {
        bounded(&text, || drop(Password::new(&text)))?;
    }

    // T1
    #[test]
    fn links(text in input(&["A", "a", "0", "-", "_", "=", "+", ".", "usr_", "reg_", "é"])) {
        let root = root();
        bounded(&text, || {
            assert!(open_link_token(&root, &text).is_none());
            let _ = black_box((challenge::split(&text), hash_of(&text), hash_of_browser(&text), text.parse::<UserId>()));
        })?;
    }

    // J1
    #[test]
    fn access_tokens(text in input(&["eyJhbGciOiJub25lIn0", "eyJ0eXAiOiJhdCtqd3QiLCJraWQiOiJ4In0", ".", "A", "e30", "=", "W1tb"])) {
        let text: String = text.chars().take(8 * 1024).collect();
        bounded(&text, || drop(key_id(&text)))?;
    }

    // G1
    #[test]
    fn cursors(text in input(&["A", "_", "-", "=", "AAAAAAAAAAAAAAAAAAAAAA", "e", "i", "n", "é"])) {
        let root = root();
        let list = paging::List { root: &root, conditions: &[b"users", b"", b""] };
        bounded(&text, || assert!(list.open(&text).is_err()))?;
    }
}
