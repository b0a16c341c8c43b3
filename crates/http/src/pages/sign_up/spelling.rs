//! Domains that are probably misspelled: one letter away from a well-known one.

use vestibule::Email;

use super::webmail;

/// Domains of mail that look like a misspelled one and are not.
const REAL: [&str; 4] = ["mail.com", "email.com", "gmx.eu", "web.com"];

/// The domain that was probably meant.
pub(super) fn suggestion(email: &Email) -> Option<&'static str> {
    let typed = email.domain().to_ascii_lowercase();
    if REAL.contains(&typed.as_str()) || webmail::domains().any(|domain| domain == typed) {
        return None;
    }
    webmail::domains().find(|domain| is_one_slip(typed.as_bytes(), domain.as_bytes()))
}

/// Whether one letter was left out, added, replaced, or exchanged with the next.
fn is_one_slip(typed: &[u8], meant: &[u8]) -> bool {
    let same = typed.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let (typed, meant) = (&typed[same..], &meant[same..]);
    match (typed, meant) {
        ([a, typed @ ..], [b, meant @ ..]) if typed == meant => a != b,
        ([a, b, typed @ ..], [c, d, meant @ ..]) if a == d && b == c && typed == meant => true,
        ([_, rest @ ..], meant) if rest == meant => true,
        (typed, [_, rest @ ..]) => rest == typed,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_noticed() {
        let meant = |address: &str| suggestion(&address.parse().unwrap());
        for (typed, domain) in [
            ("gmial.com", "gmail.com"),
            ("gmal.com", "gmail.com"),
            ("gmaill.com", "gmail.com"),
            ("gnail.com", "gmail.com"),
            ("gmail.con", "gmail.com"),
            ("GMAIL.CO", "gmail.com"),
            ("outlok.com", "outlook.com"),
            ("hotmial.fr", "hotmail.fr"),
            ("wed.de", "web.de"),
        ] {
            assert_eq!(meant(&format!("ada@{typed}")), Some(domain), "{typed}");
        }
        for right in ["gmail.com", "GMX.de", "mail.com", "example.org", "gmial.con", "mail.example.com"] {
            assert_eq!(meant(&format!("ada@{right}")), None, "{right}");
        }
    }
}
