//! The device token, by which a browser is recognised: proof that its user has signed in there before (L4).
//!
//! It grants no access. Failures on a known device are only counted apart from those of strangers who try the same
//! account, so that strangers do not lock its owner out (OWASP, "Slow Down Online Guessing Attacks with Device
//! Cookies").

use data_encoding::BASE64URL_NOPAD;

use super::root::{Purpose, RootKeys};
use crate::domain::ids::UserId;
use crate::domain::secret::Secret;
use crate::env::Env;
use crate::store::tables::limits::Subject;

/// A device that a user has signed in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    name: [u8; 16],
    /// The user's version at the sign-in. A new password or address makes every device unknown.
    pub(crate) credential_version: i64,
    /// The subject that counts failures in a row on this device.
    pub(crate) failures: Subject,
    /// The subject that stands for the network of a client on this device.
    pub(crate) client: Subject,
}

impl Device {
    /// The device that a token names, if `user` has signed in on it, with whatever password.
    pub(crate) fn of_user(root: &RootKeys, token: &str, user: UserId) -> Option<Self> {
        let bytes = (token.len() == 54).then(|| BASE64URL_NOPAD.decode(token.as_bytes()).ok()).flatten()?;
        let (name, rest) = bytes.split_first_chunk::<16>()?;
        let (version, seal) = rest.split_first_chunk::<8>()?;
        let known = root.is_short_mac(Purpose::Device, &[b"seal", name, version, user.as_bytes()], seal);
        known.then(|| Self {
            name: *name,
            credential_version: i64::from_be_bytes(*version),
            failures: root.short_mac(Purpose::Device, &[b"failures", name]),
            client: root.short_mac(Purpose::Device, &[b"client", name]),
        })
    }
}

/// The token of a device: its name (random unless it has one), the credential version, and a keyed hash of these and
/// the user.
pub(crate) fn device_token(
    root: &RootKeys,
    env: &Env,
    user: UserId,
    credential_version: i64,
    before: Option<Device>,
) -> Secret {
    let name: [u8; 16] = before.map_or_else(|| env.random(), |device| device.name);
    let version = credential_version.to_be_bytes();
    let seal = root.short_mac(Purpose::Device, &[b"seal", &name, &version, user.as_bytes()]);
    Secret::from(BASE64URL_NOPAD.encode(&[name.as_slice(), &version, &seal].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret_key::SecretKey;

    #[test]
    fn a_device_is_known_for_its_user_only() {
        let root = RootKeys::derive(&SecretKey::generate());
        let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let token = device_token(&root, &Env::system(), ada, 7, None);
        let token = token.expose();
        let device = Device::of_user(&root, token, ada).unwrap();
        assert_eq!(device.credential_version, 7);
        assert_ne!(device.failures, device.client);
        assert_eq!(Device::of_user(&root, token, bob), None);
        let changed = token.replacen(&token[..1], if token.starts_with('A') { "B" } else { "A" }, 1);
        assert_eq!(Device::of_user(&root, &changed, ada), None);
        for text in ["", "AAAA", &"ä".repeat(30), &"A".repeat(54), &"=".repeat(54)] {
            assert_eq!(Device::of_user(&root, text, ada), None, "{text}");
        }
    }

    // L4: a new password gives a device a new token, but no new budget.
    #[test]
    fn a_device_keeps_its_name() {
        let (root, env) = (RootKeys::derive(&SecretKey::generate()), Env::system());
        let ada = UserId::from_bytes([1; 16]);
        let first = device_token(&root, &env, ada, 7, None);
        let first = Device::of_user(&root, first.expose(), ada).unwrap();
        let second = device_token(&root, &env, ada, 8, Some(first));
        let second = Device::of_user(&root, second.expose(), ada).unwrap();
        assert_eq!((second.credential_version, second.failures), (8, first.failures));
        let other = device_token(&root, &env, ada, 7, None);
        assert_ne!(Device::of_user(&root, other.expose(), ada).unwrap().failures, first.failures);
    }
}
