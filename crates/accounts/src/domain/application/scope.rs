//! Scopes: what a token of an application is for (RFC 6749 §3.3, OpenID Connect Core §5.4).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The longest list that is read.
const OCTETS_MAX: usize = 1024;
const NAME_OCTETS_MAX: usize = 64;
const NAMES_MAX: usize = 32;

/// An ID token, and who signed in.
pub(crate) const OPENID: &str = "openid";
/// The names of the user.
pub(crate) const PROFILE: &str = "profile";
/// The address.
pub(crate) const EMAIL: &str = "email";
/// A refresh token.
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// What an application keeps about users here. Only for itself, and only for this service.
pub(crate) const APP_DATA: &str = "users:app-data";

/// What users may grant to any application.
pub(crate) const OF_USERS: [&str; 4] = [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS];

/// Names of scopes, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scopes(BTreeSet<String>);

/// The text is no list of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "scopes are at most 32 names of printable ASCII without quotes and backslashes, separated by single spaces"
)]
pub struct ScopesError;

impl Scopes {
    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether it has this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// Whether the application goes on when the user is away (OpenID Connect Core §11).
    pub fn is_offline(&self) -> bool {
        self.has(OFFLINE_ACCESS)
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every name of these is one of those.
    pub fn is_within(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// These and those.
    pub(crate) fn and(&self, others: &Self) -> Self {
        Self(self.0.union(&others.0).cloned().collect())
    }

    /// These, but not this one.
    pub(crate) fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|other| *other != name).cloned().collect())
    }

    pub(crate) fn from_stored(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(str::to_owned).collect())
    }
}

impl FromStr for Scopes {
    type Err = ScopesError;

    fn from_str(text: &str) -> Result<Self, ScopesError> {
        let is_name = |name: &str| {
            (1..=NAME_OCTETS_MAX).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
        };
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > OCTETS_MAX || !text.split(' ').all(is_name) {
            return Err(ScopesError);
        }
        let names: BTreeSet<String> = text.split(' ').map(str::to_owned).collect();
        if names.len() > NAMES_MAX { Err(ScopesError) } else { Ok(Self(names)) }
    }
}

impl TryFrom<String> for Scopes {
    type Error = ScopesError;

    fn try_from(text: String) -> Result<Self, ScopesError> {
        text.parse()
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let space = if index > 0 { " " } else { "" };
            write!(f, "{space}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_is_defined() {
        let scopes: Scopes = "openid email openid".parse().unwrap();
        assert_eq!(scopes.to_string(), "email openid");
        assert!(scopes.has("email") && !scopes.has("profile"));
        assert_eq!("".parse(), Ok(Scopes::default()));
        for text in [" openid", "openid  email", "openid ", "a\tb", "a\"b", "a\\b", "ä", &"x".repeat(65)] {
            assert_eq!(text.parse::<Scopes>(), Err(ScopesError), "{text:?}");
        }
        let many: Vec<String> = (0..33).map(|i| format!("s{i}")).collect();
        assert_eq!(many.join(" ").parse::<Scopes>(), Err(ScopesError));
    }
}
