//! Recovery codes: what a user keeps for the day when every other factor is lost.

use std::fmt::Write as _;
use std::str::FromStr;

use crate::domain::secret::Secret;

/// Without letters that are taken for digits: i, l, o, u (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of a code: 80 bits.
const LETTERS: usize = 16;
/// Letters between two hyphens.
const GROUP: usize = 4;

/// A code of the form `xxxx-xxxx-xxxx-xxxx`: 80 random bits in lower-case base 32 without i, l, o and u.
#[derive(Clone, Debug)]
pub struct RecoveryCode(Secret);

/// The text is not of the form `xxxx-xxxx-xxxx-xxxx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a recovery code has the form xxxx-xxxx-xxxx-xxxx")]
pub struct RecoveryCodeError;

impl RecoveryCode {
    /// The code of these random bytes: each gives the five bits of a letter.
    pub(crate) fn from_random(bytes: [u8; LETTERS]) -> Self {
        let mut text = String::with_capacity(LETTERS + LETTERS / GROUP);
        for (index, byte) in bytes.into_iter().enumerate() {
            if index > 0 && index.is_multiple_of(GROUP) {
                text.push('-');
            }
            let _ = text.write_char(char::from(ALPHABET[usize::from(byte & 31)]));
        }
        Self(Secret::from(text))
    }

    /// The code as it is shown.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl FromStr for RecoveryCode {
    type Err = RecoveryCodeError;

    fn from_str(text: &str) -> Result<Self, RecoveryCodeError> {
        let is_group =
            |group: &str| group.len() == GROUP && group.bytes().all(|byte| ALPHABET.contains(&byte));
        let groups: Vec<&str> = text.split('-').take(LETTERS / GROUP + 1).collect();
        let is_code = groups.len() == LETTERS / GROUP && groups.into_iter().all(is_group);
        is_code.then(|| Self(Secret::from(text))).ok_or(RecoveryCodeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_that_is_shown_is_read(bytes: [u8; LETTERS]) {
            let code = RecoveryCode::from_random(bytes);
            let read: RecoveryCode = code.expose().parse().unwrap();
            prop_assert_eq!(read.expose(), code.expose());
        }

        #[test]
        fn nothing_else_is_read(text in "\\PC{0,30}") {
            prop_assert_eq!(text.parse::<RecoveryCode>().unwrap_err(), RecoveryCodeError);
        }
    }

    #[test]
    fn only_the_form_that_is_shown_is_read() {
        assert!("0123-4567-89ab-cdef".parse::<RecoveryCode>().is_ok());
        for text in [
            "0123456789abcdef",
            "0123-4567-89AB-cdef",
            "0123-4567-89ab-cdei",
            "0123-4567-89ab",
            " 0123-4567-89ab-cdef",
        ] {
            assert_eq!(text.parse::<RecoveryCode>().unwrap_err(), RecoveryCodeError, "{text}");
        }
    }
}
