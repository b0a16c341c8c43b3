//! User names: public, unique, usable to sign in, never confusable with an address or with each other.

use std::fmt;
use std::str::FromStr;

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_security::{GeneralSecurityProfile as _, MixedScript as _, skeleton};

use super::email::fold;
use super::ids::PREFIXES;

/// A public name: 3 to 32 letters, digits and inner `.`, `_`, `-`, of one script (M3). Two letters suffice in a script
/// without capitals.
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
    /// Fewer than 3 characters, or than 2 letters of a script without capitals; or more than 32.
    #[error("a user name has 3 to 32 characters; 2 letters are enough in a script without capitals")]
    Length,
    /// Characters other than letters, digits and inner `.`, `_`, `-`, or letters of several scripts.
    #[error("a user name is made of letters of one script, digits, and . _ - between them")]
    Malformed,
    /// A name that could be mistaken for the operator's, or for an id.
    #[error("this user name is reserved")]
    Reserved,
}

/// The maximum length of a name.
const LENGTH_MAX: usize = 32;

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

    /// The one spelling shared by all names that count as this one.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Equal for names that look alike.
    pub(crate) fn skeleton(&self) -> String {
        skeleton(&self.key).collect()
    }

    /// Restores a name that was accepted when it was stored, even if it is reserved now.
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
        // Checked first, so that no text costs more than a name.
        if text.chars().nth(LENGTH_MAX).is_some() {
            return Err(UserNameError::Length);
        }
        let key = fold(text);
        if key.chars().count() > LENGTH_MAX || !is_long_enough(&key) {
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
        if is_reserved(&key) {
            return Err(UserNameError::Reserved);
        }
        Ok(Self { typed: text.to_owned(), key })
    }
}

/// Three characters, or two letters in scripts without case: there each stands for a word, a syllable, or a consonant
/// with its vowel, and many names have two (李明, 지우, 奈々, जय, طه, גל). One letter is too little to tell names apart:
/// single strokes of different scripts look alike.
fn is_long_enough(key: &str) -> bool {
    let mut letters = key.chars().map(UnicodeGeneralCategory::general_category);
    match (letters.next(), letters.next(), letters.next()) {
        (_, _, Some(_)) => true,
        // The second letter may repeat or lengthen the first.
        (Some(first), Some(second), None) => {
            first == GeneralCategory::OtherLetter
                && matches!(second, GeneralCategory::OtherLetter | GeneralCategory::ModifierLetter)
        }
        _ => false,
    }
}

/// Whether it looks like a reserved name, or begins like an id: such a name could refer to two users.
fn is_reserved(key: &str) -> bool {
    let own: String = skeleton(key).collect();
    let begins_like = |prefix: &&str| own.starts_with(&skeleton(prefix).collect::<String>());
    RESERVED.iter().any(|name| skeleton(name).eq(own.chars())) || PREFIXES.iter().any(begins_like)
}

/// A combining mark allowed in identifiers, as many scripts need inside words.
fn is_mark(c: char) -> bool {
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

    // A letter with a capital stands for a sound; others stand for syllables and words.
    #[test]
    fn two_letters_are_a_name_where_letters_have_no_case() {
        for text in ["李明", "지우", "ナナ", "奈々", "ルー", "ﾅﾅ", "طه", "גל", "जय", "โอ", "ሳባ"]
        {
            assert_eq!(name(text).as_str(), text);
        }
        for text in [
            "李",
            "가",
            "ア",
            "ｶﾞ",
            "ط",
            "का",
            "李1",
            "1李",
            "๑๒",
            "12",
            "li",
            "Ян",
            "მე",
            "é",
            "ab",
            "a\u{308}b",
            "",
            "ーア",
            "々々",
            "李.",
            "明а",
        ] {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError::Length), "{text:?}");
        }
        assert_eq!("李\u{200d}明".parse::<UserName>(), Err(UserNameError::Malformed));
        // Still unique by appearance: two is a kana and a number, and a mouth is a kana.
        assert_eq!(name("ニロ").skeleton(), name("二口").skeleton());
        assert_ne!(name("ニロ").key(), name("二口").key());
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
        for c in vestibule_testing::INVISIBLE_CHARACTERS {
            let text = format!("a{c}da");
            assert_eq!(text.parse::<UserName>(), Err(UserNameError::Malformed), "{text:?}");
        }
        for text in ["admin", "ADMIN", "root", "Postmaster", "adrnin"] {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError::Reserved), "{text:?}");
        }
    }

    // M3: naming a user by id or by name is never ambiguous.
    #[test]
    fn no_name_is_an_id() {
        let id = crate::domain::ids::UserId::from_bytes([7; 16]).to_string();
        let alike = id.replace('0', "o");
        assert_ne!(alike, id);
        for text in
            [id.as_str(), &id.to_uppercase(), &alike, "usr_ada", "USR_1", "ses_abc", "reg_abc", "ｕｓｒ_ada"]
        {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError::Reserved), "{text:?}");
        }
        for text in ["usr.ada", "users_1", "usrada", "ada_usr_1"] {
            assert!(text.parse::<UserName>().is_ok(), "{text:?}");
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
