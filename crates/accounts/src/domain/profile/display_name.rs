//! What people are called, spelled as they like. It need not be unique, and nobody signs in with it.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::domain::visible::{is_shown, is_visible};

/// Code points of a name.
const CODE_POINTS_MAX: usize = 100;

/// A display name: 1 to 100 characters that can be seen, spaces between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

/// The text is no display name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisplayNameError {
    /// Nothing that can be seen.
    #[error("the display name is empty")]
    Empty,
    /// More than 100 characters.
    #[error("a display name has at most 100 characters")]
    TooLong,
    /// A control character, or one that nobody sees.
    #[error("the display name has characters that cannot be seen")]
    Invisible,
}

impl FromStr for DisplayName {
    type Err = DisplayNameError;

    /// Blanks around it are left out.
    ///
    /// # Errors
    /// [`DisplayNameError::Empty`], [`TooLong`](DisplayNameError::TooLong), [`Invisible`](DisplayNameError::Invisible).
    fn from_str(text: &str) -> Result<Self, DisplayNameError> {
        let text = text.trim();
        if text.chars().count() > CODE_POINTS_MAX {
            return Err(DisplayNameError::TooLong);
        }
        if !text.chars().all(is_shown) {
            return Err(DisplayNameError::Invisible);
        }
        if !text.chars().any(is_visible) {
            return Err(DisplayNameError::Empty);
        }
        Ok(Self(text.to_owned()))
    }
}

impl DisplayName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }
}

impl Serialize for DisplayName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_as_its_owner_likes() {
        for (text, expected) in [
            (" Ada  King, Countess of Lovelace\u{a0}", Ok("Ada  King, Countess of Lovelace")),
            ("भीमराव रामजी आम्बेडकर", Ok("भीमराव रामजी आम्बेडकर")),
            ("می\u{200c}خواهم", Ok("می\u{200c}خواهم")),
            ("O’Brien-Ōe 李 👩\u{200d}💻", Ok("O’Brien-Ōe 李 👩\u{200d}💻")),
            ("", Err(DisplayNameError::Empty)),
            (" \u{200d} ", Err(DisplayNameError::Empty)),
            ("a\nb", Err(DisplayNameError::Invisible)),
            ("a\0b", Err(DisplayNameError::Invisible)),
            ("a\u{202e}b", Err(DisplayNameError::Invisible)),
            ("\u{200b}", Err(DisplayNameError::Invisible)),
        ] {
            let name = text.parse::<DisplayName>();
            assert_eq!(name.as_ref().map(DisplayName::as_str).map_err(|error| *error), expected, "{text:?}");
        }
        assert!("漢".repeat(100).parse::<DisplayName>().is_ok());
        assert_eq!("x".repeat(101).parse::<DisplayName>(), Err(DisplayNameError::TooLong));
    }
}
