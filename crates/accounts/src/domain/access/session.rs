//! Sessions, as users see them and as tokens name them.

use crate::domain::access::roles::ADMIN;
use crate::domain::ids::SessionId;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;

/// A sign-in that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session; the `sid` of its tokens.
    pub id: SessionId,
    /// The `User-Agent` of the browser or program that signed in.
    pub user_agent: Option<String>,
    /// The IP address it signed in from.
    pub ip: Option<String>,
    /// When the password was given.
    pub created_at: Timestamp,
    /// When tokens were last issued.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// The author of a request: the result of checking an access token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user as currently stored.
    pub account: Account,
    /// The session the token belongs to.
    pub session_id: SessionId,
    /// When the password was last given.
    pub auth_time: Timestamp,
    /// When the token expires.
    pub expires_at: Timestamp,
}

impl SignedIn {
    /// Whether the user has this role now.
    pub fn has_role(&self, role: &str) -> bool {
        self.account.roles.iter().any(|has| has == role)
    }

    /// Whether the user is an administrator.
    pub fn is_admin(&self) -> bool {
        self.has_role(ADMIN)
    }
}
