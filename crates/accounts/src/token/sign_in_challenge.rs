//! The opaque name of a right password that waits for its second factor.

use data_encoding::BASE64URL_NOPAD;

use super::root::{Purpose, RootKeys};
use crate::domain::secret::Secret;

const PREFIX: &str = "vsf_";

/// The name of a challenge: its random id, and 128 bits that show that it was made here.
pub(crate) fn name(root: &RootKeys, id: &[u8; 16]) -> Secret {
    let mac = root.short_mac(Purpose::SignInChallenge, &[id]);
    Secret::from(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&[*id, mac].concat())))
}

/// The id that a name stands for, if it was made here.
pub(crate) fn id_of(root: &RootKeys, name: &str) -> Option<[u8; 16]> {
    let code = name.strip_prefix(PREFIX).filter(|code| code.len() == 43)?;
    let octets = BASE64URL_NOPAD.decode(code.as_bytes()).ok()?;
    let (id, mac) = octets.split_first_chunk::<16>()?;
    root.is_short_mac(Purpose::SignInChallenge, &[id], mac).then_some(*id)
}
