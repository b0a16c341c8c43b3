//! What names a ceremony of a passkey, and what its authenticator signs. A ceremony that waits is kept nowhere: its name
//! carries its end, and a MAC binds it to what it is for. Who asks for thousands costs a few bytes of answer each.

use data_encoding::BASE64URL_NOPAD;

use super::root::{Purpose, RootKeys};
use crate::domain::ids::SessionId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// What names of ceremonies begin with.
const PREFIX: &str = "vpk_";
/// Id, end, MAC.
const OCTETS: usize = 16 + 8 + 16;

/// What a ceremony is good for: nothing else accepts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// To sign in with a passkey alone.
    SignIn,
    /// To answer this question for a second factor.
    SecondFactor([u8; 16]),
    /// To prove in this session again who it is.
    StepUp(SessionId),
    /// To add a passkey in this session.
    Creation(SessionId),
}

impl For {
    fn parts(&self) -> [&[u8]; 2] {
        match self {
            Self::SignIn => [b"sign-in", b""],
            Self::SecondFactor(question) => [b"second factor", question],
            Self::StepUp(session) => [b"step-up", session.as_bytes()],
            Self::Creation(session) => [b"creation", session.as_bytes()],
        }
    }
}

/// A ceremony that was begun here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ceremony {
    pub(crate) id: [u8; 16],
    pub(crate) expires_at: Timestamp,
}

impl Ceremony {
    /// The opaque name that the client brings back.
    pub(crate) fn name(&self, root: &RootKeys, what: For) -> Secret {
        let end = self.expires_at.as_millis().to_be_bytes();
        let mac = root.short_mac(Purpose::Ceremony, &self.bound(&end, &what));
        let octets = [&self.id[..], &end[..], &mac[..]].concat();
        Secret::from(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&octets)))
    }

    /// The ceremony of this name, if it was begun here for this and is not over.
    pub(crate) fn named(root: &RootKeys, name: &str, what: For, now: Timestamp) -> Option<Self> {
        let code = name.strip_prefix(PREFIX).filter(|code| code.len() == (OCTETS * 8).div_ceil(6))?;
        let octets = BASE64URL_NOPAD.decode(code.as_bytes()).ok()?;
        let (id, rest) = octets.split_first_chunk::<16>()?;
        let (end, mac) = rest.split_first_chunk::<8>()?;
        let ceremony = Self { id: *id, expires_at: Timestamp::from_millis(i64::from_be_bytes(*end)) };
        let is_ours = root.is_short_mac(Purpose::Ceremony, &ceremony.bound(end, &what), mac);
        (is_ours && now < ceremony.expires_at).then_some(ceremony)
    }

    /// What the authenticator signs.
    pub(crate) fn challenge(&self, root: &RootKeys) -> [u8; 32] {
        root.mac(Purpose::PasskeyChallenge, &[&self.id])
    }

    fn bound<'a>(&'a self, end: &'a [u8; 8], what: &'a For) -> [&'a [u8]; 4] {
        let [purpose, whose] = what.parts();
        [purpose, whose, &self.id, end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret_key::SecretKey;

    #[test]
    fn a_ceremony_is_good_for_one_thing_until_it_ends() {
        let root = RootKeys::derive(&SecretKey(zeroize::Zeroizing::new([7; 32])));
        let (one, other) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let all = [
            For::SignIn,
            For::SecondFactor([1; 16]),
            For::SecondFactor([2; 16]),
            For::StepUp(one),
            For::StepUp(other),
            For::Creation(one),
            For::Creation(other),
        ];
        let ceremony = Ceremony { id: [5; 16], expires_at: Timestamp::from_millis(1000) };
        let at = Timestamp::from_millis;
        for what in all {
            let name = ceremony.name(&root, what);
            for given in all {
                let expected = (what == given).then_some(ceremony);
                assert_eq!(
                    Ceremony::named(&root, name.expose(), given, at(999)),
                    expected,
                    "{what:?} {given:?}"
                );
            }
            assert_eq!(Ceremony::named(&root, name.expose(), what, at(1000)), None);
            let changed = name.expose().replacen("vpk_", "vsf_", 1);
            assert_eq!(Ceremony::named(&root, &changed, what, at(0)), None);
        }
        assert_eq!(Ceremony::named(&root, "vpk_", For::SignIn, at(0)), None);
    }
}
