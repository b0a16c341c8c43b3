//! Sessions, as users see them and as tokens name them.

use crate::domain::access::amr::Amr;
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
    /// When it began.
    pub created_at: Timestamp,
    /// When tokens were last issued.
    pub last_seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// How it was authenticated.
    pub amr: Amr,
}

/// What was proven in a session, and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The methods.
    pub amr: Amr,
    /// When the password was last given.
    pub password_at: Option<Timestamp>,
    /// When a second factor was last given.
    pub factor_at: Option<Timestamp>,
}

impl Proven {
    /// When anything was last proven.
    pub fn at(self) -> Option<Timestamp> {
        self.password_at.max(self.factor_at)
    }
}

/// The author of a request: the result of checking an access token.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user as currently stored.
    pub account: Account,
    /// The session the token belongs to.
    pub session_id: SessionId,
    /// What was proven in the session, as the store knows it now.
    pub proven: Proven,
    /// When anything was last proven in the session: the `auth_time` of the next token.
    pub auth_time: Timestamp,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// A second factor is demanded and overdue: the session is good for enrolling one, and for nothing else.
    pub must_enrol: bool,
}

impl SignedIn {
    /// How the session was authenticated (RFC 8176).
    pub fn amr(&self) -> Amr {
        self.proven.amr
    }

    /// Whether the user has this role now.
    pub fn has_role(&self, role: &str) -> bool {
        self.account.roles.iter().any(|has| has == role)
    }

    /// Whether the user is an administrator.
    pub fn is_admin(&self) -> bool {
        self.has_role(ADMIN)
    }
}
