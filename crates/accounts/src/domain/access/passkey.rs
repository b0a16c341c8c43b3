//! Passkeys, as their users see them.

use crate::domain::ids::PasskeyId;
use crate::domain::time::Timestamp;

/// A passkey of a user. What checks it stays in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Names it: `pky_…`.
    pub id: PasskeyId,
    /// What its user calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// Whether copies of it exist, as with a password manager.
    pub backed_up: bool,
    /// How browsers reach it: `internal`, `hybrid`, `usb`, `nfc`, `ble`, `smart-card`.
    pub transports: Vec<String>,
    /// The model of the authenticator; all zeros where it does not say.
    pub aaguid: [u8; 16],
}
