//! Which characters can be seen: an address or a name is shown to people, who must see what there is.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Assigned and shown like letters or symbols, though there is nothing to see: Braille without a dot, a note without a
/// head, fillers, and what stands for something that could not be shown.
const BLANK: [char; 7] =
    ['\u{2800}', '\u{fffc}', '\u{fffd}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];

/// Letters, marks, digits, punctuation and symbols; no spaces, no controls, no format, bidi or filling characters, nothing
/// private and nothing unassigned.
pub(crate) fn is_visible(c: char) -> bool {
    use GeneralCategoryGroup as G;
    let shown =
        matches!(c.general_category_group(), G::Letter | G::Mark | G::Number | G::Punctuation | G::Symbol);
    shown && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) && !BLANK.contains(&c)
}

/// Whether this is shown on the character before it.
pub(crate) fn is_mark(c: char) -> bool {
    use GeneralCategory as C;
    matches!(c.general_category(), C::NonspacingMark | C::SpacingMark | C::EnclosingMark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_known() {
        for c in vestibule_testing::INVISIBLE_CHARACTERS {
            assert!(!is_visible(*c), "{c:?}");
        }
        for c in "aZ09äßжعहि்한漢😀❤+-~".chars() {
            assert!(is_visible(c), "{c:?}");
        }
    }
}
