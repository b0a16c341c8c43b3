//! Randomness for values that are not secrets of users, from the library's own generator.

use vestibule::SecretKey;

/// 32 random bytes.
pub(crate) fn bytes() -> [u8; 32] {
    let hex = SecretKey::generate().to_hex();
    let digit = |i: usize| {
        hex.expose().as_bytes().get(i).and_then(|c| char::from(*c).to_digit(16)).unwrap_or_default()
    };
    std::array::from_fn(|i| u8::try_from(16 * digit(2 * i) + digit(2 * i + 1)).unwrap_or_default())
}

/// A random number.
pub(crate) fn number() -> u64 {
    bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_differ() {
        let bytes = super::bytes();
        assert!(bytes.iter().any(|byte| *byte != bytes[0]));
        assert_ne!(super::number(), super::number());
    }
}
