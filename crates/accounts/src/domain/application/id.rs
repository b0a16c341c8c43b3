//! The names of applications: `client_id` in the terms of OAuth 2.

use std::fmt;
use std::str::FromStr;

/// Longer ones fit into no log line.
const OCTETS_MAX: usize = 64;

/// The service itself, as the tokens of its own sign-in name it.
pub(crate) const OWN: &str = "vestibule";

/// Names an application: 2 to 64 of `a-z`, `0-9`, `-`, `_` and `.`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApplicationId(String);

/// The text names no application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a client id is 2 to 64 of a-z, 0-9, -, _ and ., begins with a letter or digit, and is not `vestibule`"
)]
pub struct ApplicationIdError;

impl ApplicationId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApplicationId {
    type Err = ApplicationIdError;

    fn from_str(text: &str) -> Result<Self, ApplicationIdError> {
        let is_inner =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        let is_id = (2..=OCTETS_MAX).contains(&text.len())
            && text.bytes().all(is_inner)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text != OWN;
        is_id.then(|| Self(text.to_owned())).ok_or(ApplicationIdError)
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for ApplicationId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_a_closed_alphabet() {
        for name in ["shop", "a1", "com.example.app", "9-lives_2", &"x".repeat(64)] {
            assert_eq!(name.parse::<ApplicationId>().unwrap().as_str(), name);
        }
        for name in ["", "a", "Shop", "-shop", ".shop", "sh op", "shöp", "vestibule", "a/b", &"x".repeat(65)]
        {
            assert_eq!(name.parse::<ApplicationId>(), Err(ApplicationIdError), "{name:?}");
        }
    }
}
