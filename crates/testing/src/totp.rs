//! The code that an authenticator app shows (RFC 6238).

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use data_encoding::BASE32_NOPAD;

/// The six digits for this secret in base 32, so many seconds after 1970.
///
/// # Panics
/// When the secret is not base 32.
pub fn totp(secret: &str, seconds: i64) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).expect("base 32");
    let step = seconds.div_euclid(30).to_be_bytes();
    let tag = sign(&Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step);
    let tag = tag.as_ref();
    let offset = usize::from(tag[19] & 15);
    let number = tag[offset..offset + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}
