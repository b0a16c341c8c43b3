//! Stable names in words, for those that the catalogues have words for.

use vestibule::AuditKind;

use crate::pages::Language;

/// What happened.
pub(super) fn kind_words(language: Language, kind: AuditKind) -> &'static str {
    language.known(&["kind.", kind.name()].concat()).unwrap_or(kind.name())
}

/// What a mail is.
pub(super) fn mail_words(language: Language, kind: &str) -> String {
    language.known(&["mail.", kind].concat()).unwrap_or(kind).to_owned()
}

/// The beginning of a long text: the whole of it stands elsewhere.
pub(super) fn short(text: &str) -> String {
    const CHARS_MAX: usize = 100;
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
