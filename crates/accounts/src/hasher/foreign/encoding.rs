//! How other programs write octets: base64 with and without padding, its other alphabets, hexadecimal.

use std::sync::LazyLock;

use data_encoding::{BASE64_NOPAD, Encoding, HEXLOWER_PERMISSIVE, Specification};

/// bcrypt's alphabet. Not every program clears the bits that are left over.
static BCRYPT: LazyLock<Encoding> = LazyLock::new(|| {
    let mut alphabet = Specification::new();
    alphabet.symbols.push_str("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    alphabet.check_trailing_bits = false;
    alphabet.encoding().expect("64 different characters are an alphabet")
});

/// Base64 with or without padding; also with `.` for `+`, as passlib writes it, or with the alphabet for URLs.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let standard: String = text
        .trim_end_matches('=')
        .chars()
        .map(|char| match char {
            '.' | '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    BASE64_NOPAD.decode(standard.as_bytes()).ok()
}

pub(super) fn bcrypt_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    BCRYPT.decode(text.as_bytes()).ok()?.try_into().ok()
}

pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

/// A number in decimal digits, and nothing else: no sign, no blanks.
pub(super) fn number(text: &str) -> Option<u32> {
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
