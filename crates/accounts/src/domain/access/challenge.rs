//! Links mailed to existing users, and what each is for.

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
    /// Sets a new password.
    PasswordReset = "password_reset",
    /// Makes an address the user's.
    EmailChange = "email_change",
    /// Restores the previous address, whatever has changed since.
    EmailUndo = "email_undo",
    /// To enrol a second factor, together with the password.
    Enrolment = "enrolment",
}

/// A mailed link that has not been used yet. The address is stored here, so one row is good for one address only.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    pub(crate) id: [u8; 16],
    pub(crate) purpose: Purpose,
    pub(crate) user_id: UserId,
    /// The session that asked for the link; the change does not end it.
    pub(crate) session_id: Option<SessionId>,
    /// The address the link is mailed to, or the one it restores.
    pub(crate) email: Email,
    /// The user's version when the link was made: it works only while nothing else has changed (T2).
    pub(crate) credential_version: i64,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}
