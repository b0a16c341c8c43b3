//! Which characters are visible: people must be able to see all of an address or a name.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};

/// Assigned and classed as letters or symbols, but blank: Braille without dots, a note without a head, fillers, and
/// replacement characters.
const BLANK: [char; 7] =
    ['\u{2800}', '\u{fffc}', '\u{fffd}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{1d159}'];

/// Letters, marks, digits, punctuation and symbols; no spaces, no controls, no format, bidi or filling characters,
/// nothing private and nothing unassigned.
pub(crate) fn is_visible(c: char) -> bool {
    use GeneralCategoryGroup as G;
    let shown =
        matches!(c.general_category_group(), G::Letter | G::Mark | G::Number | G::Punctuation | G::Symbol);
    shown && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) && !BLANK.contains(&c)
}

/// Whether a name for people may have it: what is visible, spaces, and the joiners and the selector that are parts of
/// pictographs and of some scripts.
pub(crate) fn is_shown(c: char) -> bool {
    is_visible(c) || matches!(c, ' ' | '\u{200c}' | '\u{200d}' | '\u{fe0f}')
}

/// Whether this is displayed on the preceding character.
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
