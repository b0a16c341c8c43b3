//! What a browser keeps so that it is known again: proof that its user has signed in there before (L4).
//!
//! It opens nothing. Whoever brings it is only counted apart from strangers who try the same account, so that their
//! failures do not lock its owner out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").

use data_encoding::BASE64URL_NOPAD;

use super::root::{Purpose, RootKeys};
use crate::store::limits::Subject;
use crate::{Env, Secret, UserId};

/// A new token: a random name of the device, and a keyed hash of it and the user.
pub(crate) fn new_device_token(root: &RootKeys, env: &Env, user: UserId) -> Secret {
    let device: [u8; 16] = env.random();
    let seal = root.short_mac(Purpose::Device, &[b"seal", &device, user.as_bytes()]);
    Secret::from(BASE64URL_NOPAD.encode(&[device, seal].concat()))
}

/// What failures on this device count for, if it is one that `user` has signed in on.
pub(crate) fn device_of(root: &RootKeys, token: &str, user: UserId) -> Option<Subject> {
    let bytes = (token.len() == 43).then(|| BASE64URL_NOPAD.decode(token.as_bytes()).ok()).flatten()?;
    let (device, given) = bytes.split_first_chunk::<16>()?;
    let known = root.is_short_mac(Purpose::Device, &[b"seal", device, user.as_bytes()], given);
    known.then(|| root.short_mac(Purpose::Device, &[b"failures", device]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKey;

    #[test]
    fn a_device_is_known_for_its_user_only() {
        let root = RootKeys::derive(&SecretKey::generate());
        let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let token = new_device_token(&root, &Env::system(), ada);
        let token = token.expose();
        assert!(device_of(&root, token, ada).is_some());
        assert_eq!(device_of(&root, token, ada), device_of(&root, token, ada));
        assert_eq!(device_of(&root, token, bob), None);
        let changed = token.replacen(&token[..1], if token.starts_with('A') { "B" } else { "A" }, 1);
        assert_eq!(device_of(&root, &changed, ada), None);
        for text in ["", "AAAA", &"ä".repeat(30), &"A".repeat(43), &"=".repeat(43)] {
            assert_eq!(device_of(&root, text, ada), None, "{text}");
        }
    }
}
