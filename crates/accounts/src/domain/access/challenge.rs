//! What a mailed link of an existing user is for.

use crate::domain::email::Email;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Timestamp;

macro_rules! purposes {
    ($($(#[$doc:meta])* $purpose:ident = $name:literal),* $(,)?) => {
        /// What a link allows, once.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Purpose { $($(#[$doc])* $purpose),* }

        impl Purpose {
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$purpose => $name),* }
            }

            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$purpose),)* _ => None }
            }
        }
    };
}

purposes! {
    /// To set a new password.
    PasswordReset = "password_reset",
    /// To use an address from now on.
    EmailChange = "email_change",
    /// To go back to the address before, whatever was changed since.
    EmailUndo = "email_undo",
}

/// A link that waits to be used. Its address is kept here, so that one row is good for one address only.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) id: [u8; 16],
    pub(crate) purpose: Purpose,
    pub(crate) user_id: UserId,
    /// The session that asked for it, which a change does not end.
    pub(crate) session_id: Option<SessionId>,
    /// Where the link goes, or what it restores.
    pub(crate) email: Email,
    /// The user's when it was made: it works only as long as nothing else was changed (T2).
    pub(crate) credential_version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}
