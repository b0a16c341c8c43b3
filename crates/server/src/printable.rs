//! Foreign text on a terminal: characters that would move its cursor, reorder its lines or hide in them are escaped.
//! Such text comes from people who sign up, from a browser's `User-Agent` or from a relay.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// Control characters, including U+0080 to U+009F, format and bidi characters, line separators.
fn is_obeyed(c: char) -> bool {
    use GeneralCategory as G;
    matches!(c.general_category(), G::Control | G::Format | G::LineSeparator | G::ParagraphSeparator)
}

/// For a cell or a line: escapes such characters as `\u{9b}`.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed, named)
}

/// For a text of several lines; columns are preserved.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    let is_obeyed = |c| is_obeyed(c) && !matches!(c, '\n' | '\t');
    escaped(text, is_obeyed, named)
}

/// For JSON text: the same value, with such characters as `\u009b` (RFC 8259 §7). Line breaks are kept.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_obeyed(c) && c != '\n', units)
}

/// For a line of the log, which may be JSON or contain terminal colours; its values have no other control characters.
pub(crate) fn logged(text: &str) -> Cow<'_, str> {
    escaped(text, |c| !c.is_ascii() && is_obeyed(c), units)
}

/// Escapes a character as in JSON.
fn units(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Escapes a character as in Rust.
fn named(c: char, out: &mut String) {
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

fn escaped(text: &str, is_obeyed: impl Fn(char) -> bool, escape: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(&is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) { escape(c, &mut out) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    // O2
    #[test]
    fn nothing_of_others_is_obeyed_by_a_terminal() {
        let hostile = "a\u{9b}2J\u{1b}[2J\u{202e}b\u{200b}\u{feff}\u{2028}\r\n\tc\u{e0001}\0";
        assert_eq!(
            text(hostile),
            "a\\u{9b}2J\\u{1b}[2J\\u{202e}b\\u{200b}\\u{feff}\\u{2028}\\u{d}\\u{a}\\u{9}c\\u{e0001}\\u{0}"
        );
        assert_eq!(lines("a\tb\nc\u{9b}"), "a\tb\nc\\u{9b}");
        let written = serde_json::json!({ "x": hostile }).to_string();
        let safe = json(&written);
        assert!(!safe.chars().any(is_obeyed), "{safe}");
        let back: serde_json::Value = serde_json::from_str(&safe).unwrap();
        assert_eq!(back["x"], hostile);
        for plain in ["Ada Lovelace", "zoë@example.org", "a\u{308}", "ניצן", "漢字", "{\"a\": \"😀\"}"]
        {
            assert!(matches!(text(plain), Cow::Borrowed(_)), "{plain}");
        }
    }
}
