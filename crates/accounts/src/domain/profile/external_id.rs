//! What a user was called in the system it came from.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::domain::visible::is_visible;

/// Octets of a name.
const OCTETS_MAX: usize = 255;

/// The id of a user in another system: 1 to 255 octets that can be seen, without blanks. No two users have the same, and
/// it is compared as it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExternalId(String);

/// The text is no external id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalIdError {
    /// Nothing, or more than 255 octets.
    #[error("an external id has 1 to 255 bytes")]
    Length,
    /// A blank, a control character, or one that nobody sees.
    #[error("the external id has blanks or characters that cannot be seen")]
    Invisible,
}

impl ExternalId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for ExternalId {
    type Err = ExternalIdError;

    /// # Errors
    /// [`ExternalIdError::Length`], [`Invisible`](ExternalIdError::Invisible).
    fn from_str(text: &str) -> Result<Self, ExternalIdError> {
        if !(1..=OCTETS_MAX).contains(&text.len()) {
            return Err(ExternalIdError::Length);
        }
        if !text.chars().all(is_visible) {
            return Err(ExternalIdError::Invisible);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Serialize for ExternalId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_kept_as_it_is_written() {
        for text in ["1", "507f1f77bcf86cd799439011", "auth0|5f7c8ec7", "Ünï", &"x".repeat(255)] {
            assert_eq!(text.parse::<ExternalId>().unwrap().as_str(), text);
        }
        assert_ne!("a".parse::<ExternalId>(), "A".parse());
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for text in ["", &"x".repeat(256)] {
            assert_eq!(text.parse::<ExternalId>(), Err(ExternalIdError::Length), "{text}");
        }
        for text in [" ", "a b", "a\n", "a\0", "\u{200b}", "\u{202e}a"] {
            assert_eq!(text.parse::<ExternalId>(), Err(ExternalIdError::Invisible), "{text:?}");
        }
    }
}
