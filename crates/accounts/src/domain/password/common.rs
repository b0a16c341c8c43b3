//! The 120 000 passwords that attackers try first, checked offline.
//!
//! The list contains the 20 000 common passwords that Django refuses (BSD-3-Clause) and the most frequent of the "10
//! million passwords" in `SecLists` (MIT); of both, only those of 8 to 256 code points. 9 755 have 15 or more, so it
//! also serves a policy with that minimum (ASVS 6.2.4 asks for 3 000). Sources, versions and notices: `data/README.md`;
//! to regenerate the list: `python3 data/common_passwords.py`.
//!
//! It is stored as sorted 40-bit fingerprints, the first 5 octets of SHA-256: 600 000 octets of the program, searched
//! in place, so nothing is unpacked at start. Every listed password is found. Any other is mistaken for a listed one
//! with a chance of 120 000 / 2^40 = 1.1e-7, one in nine million, and the user is asked for another password.

use aws_lc_rs::digest::{SHA256, digest};

const OCTETS: usize = 5;

static FINGERPRINTS: &[[u8; OCTETS]] = include_bytes!("../../../data/common_passwords.bin").as_chunks().0;

/// Whether the whole password is on the list. `folded` is in NFC, then case-folded.
pub(crate) fn is_common(folded: &str) -> bool {
    digest(&SHA256, folded.as_bytes())
        .as_ref()
        .first_chunk()
        .is_some_and(|fingerprint| FINGERPRINTS.binary_search(fingerprint).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_passwords_are_found() {
        let most_frequent = ["password", "12345678", "123456789", "baseball", "trustno1", "sunshine"];
        let with_signs = ["password1!", "p@ssw0rd", "qwerty123", "1qaz2wsx3edc", "aa123456"];
        let recent = ["linkedin", "1g2w3e4r", "yahoo123", "asdfghjkl:"];
        let long = ["1qaz2wsx3edc4rfv", "q1w2e3r4t5y6u7i8o9p0", "123456789qwerty", "manchesterunited"];
        let not_ascii = ["пїѕпїѕпїѕпїѕпїѕ"];
        let sample = [&most_frequent[..], &with_signs, &recent, &long, &not_ascii].concat();
        for password in sample {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_not() {
        // Too short to be listed; unusual; longer than a listed one; not folded by the caller.
        for text in ["", "1234567", "vq8-tj#w", "correct horse battery staple", "sunshine ", "Sunshine"] {
            assert!(!is_common(text), "{text}");
        }
        let found = (0..100_000).filter(|n| is_common(&format!("violet-{n}-harbour"))).count();
        assert_eq!(found, 0);
    }

    // The binary search relies on the order; P3 asks for 100 000.
    #[test]
    fn the_list_is_whole_and_sorted() {
        let octets = include_bytes!("../../../data/common_passwords.bin");
        assert_eq!(octets.len(), 120_000 * OCTETS);
        assert_eq!(FINGERPRINTS.as_flattened(), octets);
        assert!(FINGERPRINTS.is_sorted_by(|a, b| a < b));
    }
}
