//! Identifiers: a prefix that names the kind, and a `UUIDv7` (RFC 9562) in lower-case base32hex (RFC 4648 §7).
//!
//! `UUIDv7` begins with the time, and base32hex keeps the order of the bytes, so ids sort by age in text and in the
//! database. An id is a name, not a secret (ASVS 11.5.1).

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};

use crate::domain::time::Timestamp;

/// Base32hex in lower case without padding: 16 bytes become 26 characters.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut alphabet = Specification::new();
    alphabet.symbols.push_str("0123456789abcdefghijklmnopqrstuv");
    alphabet.encoding().expect("the alphabet has 32 different symbols")
});

/// The text is not an id of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id that starts with `{0}`")]
pub struct IdError(&'static str);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => {
        /// The prefixes of all kinds of ids.
        pub(crate) const PREFIXES: &[&str] = &[$($prefix),*];

        $(id!($(#[$doc])* $name, $prefix);)*
    };
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The prefix of the text form.
            pub const PREFIX: &'static str = $prefix;

            pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, BASE32.encode_display(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// # Errors
            /// [`IdError`] unless the text is the prefix and exactly the 26 characters that `Display` writes.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes = text
                    .strip_prefix($prefix)
                    .filter(|code| code.len() == 26)
                    .and_then(|code| BASE32.decode(code.as_bytes()).ok())
                    .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
                bytes.map(Self).ok_or(IdError($prefix))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

ids! {
    /// Names a user: `usr_…`. It never changes and is never reused; it is the `sub` of the tokens.
    UserId, "usr_";
    /// Names a sign-up that is not yet a user: `reg_…`.
    RegistrationId, "reg_";
    /// Names a session: `ses_…`, the `sid` of its tokens.
    SessionId, "ses_";
    /// Names a message in the outbox: `msg_…`, its Message-ID and idempotency key.
    MailId, "msg_";
    /// Names an entry of the audit trail: `aud_…`.
    AuditId, "aud_";
    /// Names an event in the life of a user: `evt_…`, the `id` of its webhooks.
    EventId, "evt_";
    /// Names an invitation: `inv_…`.
    InvitationId, "inv_";
    /// Names a passkey of a user: `pky_…`.
    PasskeyId, "pky_";
}

impl AuditId {
    /// Sorts before every entry of this time or later, and after every earlier one: ids begin with the time (RFC 9562
    /// §5.7).
    pub fn first_at(at: Timestamp) -> Self {
        Self(first_bytes(at))
    }
}

impl UserId {
    /// Sorts before every user created at this time or later, and after every earlier one.
    pub(crate) fn first_at(at: Timestamp) -> Self {
        Self(first_bytes(at))
    }
}

fn first_bytes(at: Timestamp) -> [u8; 16] {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0).to_be_bytes();
    let mut bytes = [0; 16];
    for (byte, of_time) in bytes.iter_mut().zip(millis.into_iter().skip(2)) {
        *byte = of_time;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_and_bytes_name_the_same_id(bytes: [u8; 16]) {
            let id = UserId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
        }

        #[test]
        fn text_sorts_like_bytes(a: [u8; 16], b: [u8; 16]) {
            let (one, other) = (UserId::from_bytes(a), UserId::from_bytes(b));
            prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<UserId>().is_ok();
        }
    }

    #[test]
    fn the_first_id_of_a_time_stands_between_the_ids_before_and_after() {
        let clock = crate::env::ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let env = crate::env::Env::manual(&clock);
        let before = AuditId::from_bytes(env.new_id(clock.now()));
        clock.advance(std::time::Duration::from_millis(1));
        let first = AuditId::first_at(clock.now());
        assert!(before < first && first < AuditId::from_bytes(env.new_id(clock.now())));
        assert_eq!(AuditId::first_at(Timestamp::from_millis(-1)), AuditId::from_bytes([0; 16]));
    }

    #[test]
    fn only_the_one_spelling_is_an_id() {
        let id = UserId::from_bytes([7; 16]).to_string();
        assert!(id.to_uppercase().parse::<UserId>().is_err());
        assert!(id.replace("usr_", "ses_").parse::<UserId>().is_err());
        assert!(format!("{id}0").parse::<UserId>().is_err());
        // 26 characters carry 130 bits: the two left over must be zero.
        assert!(format!("usr_{}", "v".repeat(26)).parse::<UserId>().is_err());
    }
}
