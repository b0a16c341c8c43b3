//! Roles: what a user may do beyond their own account.

use std::str::FromStr;

/// The role that administrative operations need.
pub(crate) const ADMIN: &str = "admin";

/// The longest name of a role.
const NAME_OCTETS_MAX: usize = 32;
/// Roles per user at most: every access token carries them.
const ROLES_MAX: usize = 16;

/// The roles of one user, sorted and without duplicates. A name begins with a letter and continues with letters,
/// digits, `_` and `-`, all lower-case ASCII, so that no two names look alike and none contains a separator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(Vec<String>);

/// Why a list of names is not valid [`Roles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RolesError {
    /// A name is malformed.
    #[error("a role is 1 to 32 of a-z, 0-9, _ and -, and begins with a letter")]
    Malformed {
        /// Its index, counted from 0.
        index: usize,
    },
    /// More than 16.
    #[error("a user has at most 16 roles")]
    TooMany,
}

/// The name of one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleName(String);

impl RoleName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = RolesError;

    /// # Errors
    /// [`RolesError::Malformed`].
    fn from_str(text: &str) -> Result<Self, RolesError> {
        if is_name(text) { Ok(Self(text.to_owned())) } else { Err(RolesError::Malformed { index: 0 }) }
    }
}

impl Roles {
    /// Creates the roles with these names.
    ///
    /// # Errors
    /// [`RolesError::Malformed`] for the first malformed name, [`RolesError::TooMany`].
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, RolesError> {
        let mut roles = Vec::new();
        for (index, name) in names.into_iter().enumerate() {
            let name = name.as_ref();
            if !is_name(name) {
                return Err(RolesError::Malformed { index });
            }
            roles.push(name.to_owned());
        }
        roles.sort();
        roles.dedup();
        if roles.len() > ROLES_MAX { Err(RolesError::TooMany) } else { Ok(Self(roles)) }
    }

    /// The role `admin` only.
    pub(crate) fn admin() -> Self {
        Self(vec![ADMIN.to_owned()])
    }

    /// The names, sorted.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    pub(crate) fn has_admin(&self) -> bool {
        self.0.iter().any(|role| role == ADMIN)
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0
    }

    pub(crate) fn from_stored(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= NAME_OCTETS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_a_closed_alphabet() {
        assert_eq!(Roles::new(["editor", "admin", "editor"]).unwrap().names(), ["admin", "editor"]);
        assert_eq!(Roles::new(["a", "a-1_b", &"x".repeat(32)]).unwrap().names().len(), 3);
        for name in ["", "Admin", "1a", "-a", "a b", " admin", "a\0", "ädmin", "a,b", &"x".repeat(33)] {
            assert_eq!(Roles::new(["ok", name]), Err(RolesError::Malformed { index: 1 }), "{name:?}");
        }
    }

    #[test]
    fn a_user_has_sixteen_at_most() {
        let names = |number: usize| (0..number).map(|i| format!("role{i}")).collect::<Vec<_>>();
        assert_eq!(Roles::new(names(16)).unwrap().names().len(), 16);
        assert_eq!(Roles::new(names(17)), Err(RolesError::TooMany));
    }
}
