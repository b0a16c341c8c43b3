//! Addresses that every crate must judge alike: what a sign-up accepts can be mailed to.

/// Accepted, and can be mailed to.
pub const ACCEPTED_ADDRESSES: &[&str] = &[
    "ada@example.org",
    "Ada.Lovelace+tag@Example.ORG",
    "o'hara@example.org",
    "!#$%&'*+-/=?^_`{|}~@example.org",
    "1@example.co",
    "ada@bücher.example",
    "ada@xn--bcher-kva.example",
    "ada@例え.テスト",
    "ärger@example.org",
    // Letter and mark, as written by some keyboards and file systems.
    "a\u{308}rger@example.org",
    "ａｄａ@example.org",
    "иван@пример.рф",
    "γιώργος@παράδειγμα.ελ",
    "محمد@مثال.السعودية",
    "עדה@example.org",
    "हिन्दी@example.org",
    "சோதனை@example.org",
    "ทดสอบ@example.org",
    "한글@example.org",
    "漢字@example.org",
    "😀@example.org",
    "❤@example.org",
];

/// Refused, because people would see something other than what is there, or because mail cannot be sent there.
pub const REFUSED_ADDRESSES: &[&str] = &[
    "ada",
    "ada@localhost",
    "a b@example.org",
    ".ada@example.org",
    "a..da@example.org",
    "\"a b\"@example.org",
    "ada@[127.0.0.1]",
    "Ada <ada@example.org>",
    "ada@example.org\r\nBcc: eve@example.org",
    // A mark without a base character.
    "\u{301}ada@example.org",
    "ada.\u{94d}@example.org",
    // A Greek question mark, which normalises to a semicolon.
    "a\u{37e}b@example.org",
    // Invisible in the domain, and dropped from the name of the server.
    "ada@exam\u{ad}ple.org",
    "ada@example\u{2060}.org",
];

/// Invisible, or displayed as something else.
pub const INVISIBLE_CHARACTERS: &[char] = &[
    '\u{80}',
    '\u{9b}',
    '\u{a0}',
    '\u{ad}',
    '\u{34f}',
    '\u{378}',
    '\u{61c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{2028}',
    '\u{2065}',
    '\u{2800}',
    '\u{3000}',
    '\u{3164}',
    '\u{e000}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff0}',
    '\u{fffc}',
    '\u{fffd}',
    '\u{ffff}',
    '\u{1d159}',
    '\u{1d173}',
    '\u{e0041}',
    '\u{e0fff}',
    '\u{10ffff}',
];
