//! User names: public, unique, usable to sign in, never confusable with an address or with each other.

use std::fmt;
use std::str::FromStr;

use unicode_security::{GeneralSecurityProfile as _, MixedScript as _, skeleton};

use super::email::fold;

/// A public name: 3 to 32 letters, digits and inner `.`, `_`, `-`, of one script (M3).
///
/// Letters are those of the identifier profile of UTS 39 §3.1. The key folds width and case, as PRECIS
/// `UsernameCaseMapped` does (RFC 8265 §3.3); the skeleton (UTS 39 §4) is equal for names that look alike.
#[derive(Clone)]
pub struct UserName {
    typed: String,
    key: String,
}

/// Why a text is not a [`UserName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserNameError {
    /// Fewer than 3 or more than 32 characters.
    #[error("a user name has 3 to 32 characters")]
    Length,
    /// Other characters than letters, digits and inner `.`, `_`, `-`, or letters of several scripts.
    #[error("a user name is made of letters of one script, digits, and . _ - between them")]
    Malformed,
    /// A name that would pass for the operator's.
    #[error("this user name is reserved")]
    Reserved,
}

const RESERVED: [&str; 24] = [
    "abuse",
    "account",
    "admin",
    "administrator",
    "anonymous",
    "everyone",
    "help",
    "hostmaster",
    "info",
    "me",
    "moderator",
    "nobody",
    "noreply",
    "no-reply",
    "null",
    "owner",
    "postmaster",
    "root",
    "security",
    "support",
    "system",
    "undefined",
    "vestibule",
    "webmaster",
];

impl UserName {
    /// The name as it was typed.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The one spelling of all names that count as this one.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Equal for names that look alike.
    pub(crate) fn skeleton(&self) -> String {
        skeleton(&self.key).collect()
    }

    /// A name that was accepted when it was stored, though it may be reserved by now.
    pub(crate) fn from_stored(typed: String) -> Self {
        let key = fold(&typed);
        Self { typed, key }
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    /// # Errors
    /// [`UserNameError`] says which rule refuses it.
    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let key = fold(text);
        if !(3..=32).contains(&key.chars().count()) || text.chars().count() > 32 {
            return Err(UserNameError::Length);
        }
        let punctuation = |c: char| matches!(c, '.' | '_' | '-');
        let allowed =
            |c: char| punctuation(c) || (c.is_alphanumeric() && c.identifier_allowed()) || is_mark(c);
        let outer_ok = |c: Option<char>| c.is_some_and(|c| !punctuation(c));
        if !key.chars().all(allowed)
            || !outer_ok(key.chars().next())
            || !outer_ok(key.chars().next_back())
            || !key.as_str().is_single_script()
        {
            return Err(UserNameError::Malformed);
        }
        if RESERVED.iter().any(|name| skeleton(name).eq(skeleton(&key))) {
            return Err(UserNameError::Reserved);
        }
        Ok(Self { typed: text.to_owned(), key })
    }
}

/// A combining mark that identifiers may hold, as many scripts need them inside words.
fn is_mark(c: char) -> bool {
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
    c.general_category_group() == GeneralCategoryGroup::Mark && c.identifier_allowed()
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for UserName {}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

impl serde::Serialize for UserName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> UserName {
        text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
    }

    // M3
    #[test]
    fn case_and_width_do_not_make_another_name() {
        assert_eq!(name("Ada"), name("ada"));
        assert_eq!(name("Ａｄａ"), name("ada"));
        assert_eq!(name("ÄRGER"), name("a\u{308}rger"));
        assert_eq!(name("Ada").as_str(), "Ada");
    }

    #[test]
    fn names_that_look_alike_share_a_skeleton() {
        assert_eq!(name("modern").skeleton(), name("rnodern").skeleton());
        assert_ne!(name("modern").key(), name("rnodern").key());
        assert_eq!(name("сосо").skeleton(), name("coco").skeleton());
    }

    #[test]
    fn what_could_deceive_is_refused() {
        assert_eq!("ab".parse::<UserName>(), Err(UserNameError::Length));
        assert_eq!("a".repeat(33).parse::<UserName>(), Err(UserNameError::Length));
        for text in [
            "ada@example.org",
            "ada lovelace",
            ".ada",
            "ada-",
            "аda",
            "ad\0a",
            "a\u{202e}da",
            "ada:x",
            "😀😀😀",
        ] {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError::Malformed), "{text:?}");
        }
        for text in ["admin", "ADMIN", "root", "Postmaster", "adrnin"] {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError::Reserved), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_name_is_an_address(text in "\\PC{0,40}") {
            if let Ok(name) = text.parse::<UserName>() {
                prop_assert!(!name.as_str().contains('@') && !name.key().contains('@'));
                let again: UserName = name.key().parse().expect("a key is a name");
                prop_assert_eq!(again.key(), name.key());
            }
        }
    }
}
