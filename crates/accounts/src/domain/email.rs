//! Email addresses: which are accepted, and which spellings are the same address.

use std::fmt;
use std::str::FromStr;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;

use super::visible::{is_mark, is_visible};

/// An address that mail can be sent to, kept as typed, with the key that identifies the account.
///
/// Accepted is `dot-atom@domain` (RFC 5321 §4.1.2) with UTF-8 allowed on both sides (RFC 6531): at most 64 octets
/// before the `@` (RFC 5321 §4.5.3.1.1), 254 in all (§4.5.3.1.3 less the brackets), a domain with a dot. Quoted local
/// parts, comments, address literals, display names and invisible characters are refused.
///
/// This is the only definition: every `Email` can be written in a header and sent to, as [`in_mail`](Self::in_mail).
///
/// Two addresses are equal when their keys are: NFKC and case folding before the `@`, the UTS-46 A-label form after it.
#[derive(Clone)]
pub struct Email {
    typed: String,
    key: String,
}

/// Why a text is not an [`Email`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// More than 64 octets before the `@`, 253 after it, or 254 in all.
    #[error("the address is longer than mail systems accept (64 octets before the @, 254 in all)")]
    TooLong,
    /// Not of the form `name@domain.example`.
    #[error("this is not an email address of the form name@domain.example")]
    Malformed,
}

const LOCAL_OCTETS_MAX: usize = 64;
const DOMAIN_OCTETS_MAX: usize = 253;
const OCTETS_MAX: usize = 254;

impl Email {
    /// The address as typed: where mail goes.
    pub fn as_str(&self) -> &str {
        &self.typed
    }

    /// The one spelling shared by all addresses that count as this one. Unique in the store; never shown.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Restores an address that was accepted when it was stored, even if the rules have changed since.
    pub(crate) fn from_stored(typed: String, key: String) -> Self {
        Self { typed, key }
    }

    /// The part before the `@`, as typed.
    pub fn local_part(&self) -> &str {
        self.typed.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// The address as it stands in headers and envelopes: letters beyond ASCII before the `@` composed (RFC 6532 §3.1),
    /// the domain in its A-label form. Without such letters, every relay and provider understands it.
    pub fn in_mail(&self) -> String {
        format!("{}@{}", composed(self.local_part()), self.domain())
    }

    /// Enough for its owner to recognise it, too little to write to: `a***@example.org`.
    pub fn masked(&self) -> String {
        let first: String = self.local_part().chars().take(1).collect();
        format!("{first}***@{}", self.domain())
    }

    /// The domain in its A-label form (`xn--…` where it is international).
    pub fn domain(&self) -> &str {
        self.key.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Email {
    type Err = EmailError;

    /// # Errors
    /// [`EmailError::TooLong`], [`EmailError::Malformed`].
    fn from_str(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Malformed)?;
        if local.len() > LOCAL_OCTETS_MAX || domain.len() > DOMAIN_OCTETS_MAX || text.len() > OCTETS_MAX {
            return Err(EmailError::TooLong);
        }
        // Full-width letters and compatibility forms become what they look like before they are checked.
        let (composed, folded) = (composed(local), fold(local));
        let ascii = domain_key(domain)?;
        if ![local, &composed, &folded].into_iter().all(is_dot_atom) || !domain.chars().all(is_visible) {
            return Err(EmailError::Malformed);
        }
        let octets = composed.len().max(folded.len());
        if octets > LOCAL_OCTETS_MAX || octets + 1 + ascii.len() > OCTETS_MAX {
            return Err(EmailError::TooLong);
        }
        Ok(Self { typed: text.to_owned(), key: format!("{folded}@{ascii}") })
    }
}

/// Composes letters and their marks into single characters where these exist (Unicode NFC).
fn composed(text: &str) -> String {
    text.nfc().collect()
}

/// NFKC, case folding, then NFKC again, because folding can undo the first (Unicode §3.13, D147).
pub(crate) fn fold(text: &str) -> String {
    let composed: String = text.nfkc().collect();
    UniCase::unicode(composed).to_folded_case().nfkc().collect()
}

/// `atext *("." atext)`, where characters beyond ASCII count as `atext` unless they are invisible (RFC 6531 §3.3), and
/// a mark needs a base character.
fn is_dot_atom(local: &str) -> bool {
    let atext = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ if c.is_ascii() => "!#$%&'*+-/=?^_`{|}~".contains(c),
        _ => is_visible(c),
    };
    let is_atom = |atom: &str| !atom.is_empty() && !atom.starts_with(is_mark) && atom.chars().all(atext);
    !local.starts_with('-') && local.split('.').all(is_atom)
}

/// The domain as A-labels: at least two, no trailing dot, letters, digits and inner hyphens only.
fn domain_key(domain: &str) -> Result<String, EmailError> {
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError::Malformed)?;
    if ascii.len() > DOMAIN_OCTETS_MAX {
        return Err(EmailError::TooLong);
    }
    let labels: Vec<&str> = ascii.split('.').collect();
    let all_digits = |label: &&str| label.bytes().all(|b| b.is_ascii_digit());
    let well_formed = labels.iter().all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    });
    // A last label of only digits would be an IPv4 address (RFC 5321 §4.1.3 wants it in brackets).
    if labels.len() < 2 || !well_formed || labels.last().is_none_or(all_digits) {
        return Err(EmailError::Malformed);
    }
    Ok(ascii)
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

/// Addresses are personal data: logs that print a structure show the domain only.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…@{}", self.domain())
    }
}

impl serde::Serialize for Email {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> String {
        text.parse::<Email>().unwrap_or_else(|e| panic!("{text}: {e}")).key().to_owned()
    }

    // M2: one account, however the address is typed.
    #[test]
    fn spellings_of_one_address_share_a_key() {
        assert_eq!(key("Ada@Example.ORG"), "ada@example.org");
        assert_eq!(key("ÄRGER@Bücher.example"), "ärger@xn--bcher-kva.example");
        assert_eq!(key("a\u{308}rger@example.org"), key("ÄRGER@example.org"));
        assert_eq!(key("ａｄａ@ｅｘａｍｐｌｅ.org"), "ada@example.org");
        assert_eq!(key("STRASSE@example.org"), key("straße@example.org"));
        assert_ne!(key("a.da+x@example.org"), key("ada@example.org"));
        assert_eq!("Ada@Example.ORG".parse::<Email>().unwrap().as_str(), "Ada@Example.ORG");
    }

    // M1: the list that the other crates are tested with as well.
    #[test]
    fn one_list_says_what_an_address_is() {
        for text in vestibule_testing::ACCEPTED_ADDRESSES {
            let email: Email = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(email.as_str(), *text);
            let again: Email = email.in_mail().parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(again, email, "{text}");
        }
        for text in vestibule_testing::REFUSED_ADDRESSES {
            assert_eq!(text.parse::<Email>(), Err(EmailError::Malformed), "{text:?}");
        }
        for c in vestibule_testing::INVISIBLE_CHARACTERS {
            for text in
                [format!("a{c}da@example.org"), format!("ada{c}@example.org"), format!("ada@exam{c}ple.org")]
            {
                assert_eq!(text.parse::<Email>(), Err(EmailError::Malformed), "{text:?}");
            }
        }
    }

    #[test]
    fn mail_goes_to_composed_letters() {
        let in_mail = |text: &str| text.parse::<Email>().unwrap().in_mail();
        assert_eq!(in_mail("a\u{308}rger@Bücher.example"), "ärger@xn--bcher-kva.example");
        assert_eq!(in_mail("Ada@Example.ORG"), "Ada@example.org");
        // Two octets longer when composed: excluded from composition, so it is written in its parts.
        assert_eq!(in_mail("\u{958}@example.org"), "\u{915}\u{93c}@example.org");
        let long = format!("{}@example.org", "\u{958}".repeat(21));
        assert_eq!(long.parse::<Email>(), Err(EmailError::TooLong));
    }

    // M1: what no mail system should be given.
    #[test]
    fn malformed_addresses_are_refused() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.org",
            "ada@localhost",
            "a b@example.org",
            ".a@example.org",
            "a..b@example.org",
            "a.@example.org",
            "\"a b\"@example.org",
            "a(c)@example.org",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "Ada <ada@example.org>",
            "a@example.org,b@example.org",
            "ada@example.org.",
            "ada@-x.org",
            "ada@x-.org",
            "ada@ex ample.org",
            "ada\r\n@example.org",
            "ada@example.org\r\nBcc: x",
            "ad\0a@example.org",
            "ad\u{202e}a@example.org",
            "-ada@example.org",
            "a:b@example.org",
            "ada@exa_mple.org",
            "a@b@example.org",
            "\u{a0}ada@example.org",
            "ada@example.org ",
            "ad\u{200b}a@example.org",
            "ada@exam\u{0}ple.org",
            "ada@.org",
            "ada@a..org",
            "ａ，ｂ@example.org",
        ] {
            assert_eq!(text.parse::<Email>(), Err(EmailError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn lengths_end_where_the_standard_says() {
        let domain = format!("{}.{}.{}.example", "d".repeat(59), "d".repeat(60), "d".repeat(60));
        assert_eq!(domain.len(), 189);
        assert!(format!("{}@{domain}", "a".repeat(64)).parse::<Email>().is_ok());
        assert_eq!(format!("{}@{domain}x", "a".repeat(64)).parse::<Email>(), Err(EmailError::TooLong));
        assert_eq!(format!("{}@example.org", "a".repeat(65)).parse::<Email>(), Err(EmailError::TooLong));
        // 22 characters that are 66 octets in UTF-8.
        assert_eq!(format!("{}@example.org", "漢".repeat(22)).parse::<Email>(), Err(EmailError::TooLong));
        assert!(format!("a@{}.org", "d".repeat(63)).parse::<Email>().is_ok());
        assert_eq!(format!("a@{}.org", "d".repeat(64)).parse::<Email>(), Err(EmailError::Malformed));
    }

    #[test]
    fn debug_hides_the_person() {
        let email: Email = "ada@example.org".parse().unwrap();
        assert_eq!(format!("{email:?}"), "…@example.org");
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_safe_in_a_header(text in "\\PC{0,40}(@\\PC{0,40})?") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert!(email.as_str().chars().all(|c| !c.is_control() && !c.is_whitespace()));
                prop_assert_eq!(email.as_str().matches('@').count(), 1);
                prop_assert!(!email.as_str().contains(':'));
            }
        }

        #[test]
        fn a_key_is_its_own_key(local in "[a-zA-Zäöüßéèñ0-9+_.-]{1,20}", domain in "[a-zA-Z0-9äö]{1,10}\\.[a-z]{2,5}") {
            if let Ok(email) = format!("{local}@{domain}").parse::<Email>() {
                let again: Email = email.key().parse().expect("a key is an address");
                prop_assert_eq!(again.key(), email.key());
            }
        }
    }
}
