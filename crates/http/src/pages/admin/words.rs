//! Words for stable names.

use vestibule::AuditKind;

use crate::pages::frame::i18n::Language;

/// The name of an event.
pub(super) fn kind_words(language: Language, kind: AuditKind) -> &'static str {
    language.text(&["kind.", kind.name()].concat())
}

/// The name of a kind of mail; the stable one, if another version of the program queued it.
pub(super) fn mail_words(language: Language, kind: &str) -> String {
    language.known(&["mail.", kind].concat()).unwrap_or(kind).to_owned()
}

/// The beginning of a long text, which is shown in full elsewhere.
pub(super) fn short(text: &str) -> String {
    const CHARS_MAX: usize = 100;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_words() {
        for language in Language::ALL {
            for kind in AuditKind::ALL {
                assert!(!kind_words(language, *kind).is_empty(), "{language:?} {kind:?}");
            }
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let longest = "ä".repeat(100);
        assert_eq!(short(&longest), longest);
        assert_eq!(short(&format!("{longest}b")), format!("{longest}…"));
    }
}
