//! Cleans up what people type and paste into pages, before anything reads it. Programs are taken literally: the API
//! does none of this.

use crate::extract::Pairs;

/// The zero of each script whose digits keyboards can write; its one to nine follow in Unicode.
const ZEROS: [char; 19] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}',
    '\u{ff10}',
];

impl Pairs {
    /// Passwords stay as they are: a space is a character (P2). Of a code only the digits remain, and a recovery code is
    /// spelled as it was shown; everything else loses what copying added at its ends.
    pub(crate) fn tidied(self) -> Self {
        let tidy = |(name, value): (String, String)| {
            let value = match name.as_str() {
                name if name.contains("password") => value,
                "code" => digits(&value),
                "recovery_code" => recovery_code(&value),
                _ => trimmed(&value).to_owned(),
            };
            (name, value)
        };
        Self(self.0.into_iter().map(tidy).collect())
    }
}

/// Strips white space and invisible characters at the ends: address books and right-to-left pages add marks.
fn trimmed(text: &str) -> &str {
    text.trim_matches(is_empty)
}

/// A code as it was mailed: in ASCII digits, without what people and keyboards insert between them. Other characters
/// stay, to be refused.
fn digits(text: &str) -> String {
    text.chars().filter(|c| !is_empty(*c) && *c != '-').map(ascii_digit).collect()
}

/// A recovery code as it was shown: in small letters, in groups of four, and without the letters that no code has because
/// they look like digits.
fn recovery_code(text: &str) -> String {
    let plain = |c: char| match ascii_digit(c).to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    };
    let is_hyphen = |c: char| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let letters: Vec<char> = text.chars().filter(|c| !is_empty(*c) && !is_hyphen(*c)).map(plain).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn ascii_digit(c: char) -> char {
    let value = |zero: char| u32::from(c).checked_sub(u32::from(zero)).filter(|value| *value < 10);
    ZEROS.into_iter().find_map(value).and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
}

/// White space, soft hyphens, zero-width characters, and the marks of the bidirectional algorithm.
fn is_empty(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_every_keyboard_are_digits() {
        for text in
            ["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "๐๑๒๓๔๕๖๗๘๙", "０１２３４５６７８９"]
        {
            assert_eq!(digits(text), "0123456789", "{text}");
        }
        for zero in ZEROS {
            let all: String = (0..10).filter_map(|value| char::from_u32(u32::from(zero) + value)).collect();
            assert_eq!(digits(&all), "0123456789", "{all}");
        }
        assert_eq!(digits(" \u{202b}٠٤\u{200f} ٢-١\u{202c}\n"), "0421");
        assert_eq!(digits("04²l٫٠"), "04²l٫0", "what is no digit stays");
    }

    #[test]
    fn a_recovery_code_is_spelled_as_it_was_shown() {
        for typed in [
            "0123-4567-89ab-cd1e",
            " O123 4567\u{a0}89AB cdLe\n",
            "o123456789abcdie",
            "0123–4567–89AB–CD1E",
            "٠١٢٣-٤٥٦٧-٨٩ab-cd1e",
        ] {
            assert_eq!(recovery_code(typed), "0123-4567-89ab-cd1e", "{typed}");
        }
        assert_eq!(recovery_code(""), "");
        assert_eq!(recovery_code("ab"), "ab");
    }

    #[test]
    fn only_the_ends_are_trimmed_and_never_of_a_password() {
        assert_eq!(
            trimmed("\u{202a}+ada\u{200b}b@example.org\u{202c}\u{a0}\r\n"),
            "+ada\u{200b}b@example.org"
        );
        let pairs =
            [("email", " a@b.c\t"), ("code", " 1 2 "), ("new_password", " x "), ("password", "\u{200b}")];
        let pairs = Pairs(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()).tidied();
        let values: Vec<_> = pairs.0.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["a@b.c", "12", " x ", "\u{200b}"]);
    }
}
