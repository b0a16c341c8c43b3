//! What users are searched by, and the trigrams that find it.
//!
//! Both sides are folded as addresses and names are for comparison. A text of fewer than three characters is searched at the
//! beginning of an address or a name: two line feeds precede each of them, so that a beginning is a trigram like any other.

use std::collections::BTreeSet;

use crate::domain::email::{Email, fold};
use crate::domain::profile::display_name::DisplayName;
use crate::domain::user_name::UserName;

/// Precedes every part. No address or name contains a line feed.
const PADDING: &str = "\n\n";
/// Longer texts are in no address or name.
const CHARS_MAX: usize = 254;
/// Trigrams of a long text that are looked at to find its rarest.
const SAMPLED: usize = 8;

/// Everything a user is searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SearchText(String);

impl SearchText {
    pub(crate) fn of(
        email: &Email,
        user_name: Option<&UserName>,
        display_name: Option<&DisplayName>,
    ) -> Self {
        // An international domain is found as it was typed, and as it is sent.
        let typed = Some(fold(email.as_str())).filter(|typed| typed != email.key());
        let parts = [
            Some(email.key().to_owned()),
            typed,
            user_name.map(|name| name.key().to_owned()),
            display_name.map(|name| fold(name.as_str())),
        ];
        Self(parts.into_iter().flatten().fold(String::new(), |text, part| text + PADDING + &part))
    }

    pub(crate) fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Each trigram once. None goes from one part into the next.
    pub(crate) fn trigrams(&self) -> BTreeSet<String> {
        let parts = self.0.split(PADDING).filter(|part| !part.is_empty());
        parts.flat_map(|part| trigrams(&format!("{PADDING}{part}"))).collect()
    }
}

/// What is looked for in a [`SearchText`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle(String);

impl Needle {
    /// `None` if nothing is looked for.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let plain: String = text.chars().filter(|c| !c.is_control()).take(CHARS_MAX).collect();
        let folded = fold(&plain);
        let missing = match folded.chars().count() {
            0 => return None,
            length => 3_usize.saturating_sub(length),
        };
        Some(Self(PADDING.get(..missing).unwrap_or_default().to_owned() + &folded))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Trigrams that every text with it has, spread over its length.
    pub(crate) fn trigrams(&self) -> Vec<String> {
        let all = trigrams(&self.0);
        let step = all.len().div_ceil(SAMPLED).max(1);
        all.into_iter().step_by(step).collect()
    }
}

fn trigrams(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.windows(3).map(|three| three.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(email: &str, user_name: Option<&str>, display_name: Option<&str>) -> SearchText {
        let user_name = user_name.map(|name| name.parse().unwrap());
        let display_name = display_name.map(|name| name.parse().unwrap());
        SearchText::of(&email.parse().unwrap(), user_name.as_ref(), display_name.as_ref())
    }

    fn needle(text: &str) -> Needle {
        Needle::new(text).unwrap()
    }

    #[test]
    fn a_text_has_every_part_folded() {
        let all = text("Ada@Example.org", Some("Countess"), Some("Ada, Gräfin LOVELACE"));
        assert_eq!(all.as_str(), "\n\nada@example.org\n\ncountess\n\nada, gräfin lovelace");
        let international = text("ada@Bücher.example", None, None);
        assert_eq!(international.as_str(), "\n\nada@xn--bcher-kva.example\n\nada@bücher.example");
    }

    #[test]
    fn trigrams_stay_within_a_part() {
        let found = text("ab@c.de", None, Some("é")).trigrams();
        let expected = ["\n\na", "\nab", "ab@", "b@c", "@c.", "c.d", ".de", "\n\né"];
        assert_eq!(found, expected.map(str::to_owned).into());
    }

    #[test]
    fn short_texts_are_looked_for_at_the_beginning() {
        assert_eq!(Needle::new(""), None);
        assert_eq!(Needle::new("\n\0"), None);
        assert_eq!(needle("A").as_str(), "\n\na");
        assert_eq!(needle("Ad").as_str(), "\nad");
        assert_eq!(needle("ADA").as_str(), "ada");
        // Two characters that fold to one, and one that folds to two.
        assert_eq!(needle("e\u{301}").as_str(), "\n\né");
        assert_eq!(needle("ß").as_str(), "\nss");
    }

    #[test]
    fn a_long_text_has_few_trigrams_to_look_at() {
        for (length, many) in [(3, 1), (10, 8), (11, 5), (254, 8), (1000, 8)] {
            assert_eq!(needle(&"x".repeat(length)).trigrams().len(), many, "{length}");
        }
        assert_eq!(needle("abcd").trigrams(), ["abc", "bcd"]);
    }

    proptest! {
        // What is in the text is found by the index, whatever is looked for.
        #[test]
        fn a_part_has_trigrams_of_the_whole(name in "[a-zA-ZäÖß .0-9]{1,40}", from in 0_usize..40, length in 3_usize..40) {
            prop_assume!(name.parse::<DisplayName>().is_ok());
            let whole = text("ada@example.org", None, Some(&name));
            let folded: Vec<char> = fold(name.trim()).chars().collect();
            let part: String = folded.iter().skip(from).take(length).collect();
            prop_assume!(part.chars().count() >= 3);
            let part = needle(&part);
            prop_assert!(whole.as_str().contains(part.as_str()));
            prop_assert!(part.trigrams().iter().all(|trigram| whole.trigrams().contains(trigram)));
        }
    }
}
