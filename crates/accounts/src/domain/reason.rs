//! The reason for an administrative action, in words for the audit trail.

use std::str::FromStr;

/// The maximum length of a reason.
const CHARS_MAX: usize = 200;

/// A short text on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is not a [`Reason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReasonError {
    /// More than 200 characters.
    #[error("a reason has at most 200 characters")]
    TooLong,
    /// A control character, such as a line break.
    #[error("a reason has no control characters")]
    Malformed,
}

impl FromStr for Reason {
    type Err = ReasonError;

    /// # Errors
    /// [`ReasonError::TooLong`], [`ReasonError::Malformed`].
    fn from_str(text: &str) -> Result<Self, ReasonError> {
        if text.chars().count() > CHARS_MAX {
            return Err(ReasonError::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(ReasonError::Malformed);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Reason {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_short_line() {
        assert!("ä".repeat(200).parse::<Reason>().is_ok());
        assert_eq!("ä".repeat(201).parse::<Reason>(), Err(ReasonError::TooLong));
        for text in ["a\nb", "\0", "\u{1b}[31m", "\u{85}"] {
            assert_eq!(text.parse::<Reason>(), Err(ReasonError::Malformed), "{text:?}");
        }
    }
}
