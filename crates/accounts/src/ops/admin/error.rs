//! Why an administrative operation is refused.

use std::time::Duration;

use crate::domain::access::roles::RolesError;
use crate::domain::password::PasswordError;
use crate::fault::Fault;

/// Why an administrative operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The actor does not have the role `admin`.
    #[error("this needs the role admin")]
    Forbidden,
    /// It is too long since the actor gave the password.
    #[error("this needs a sign-in that is only minutes old")]
    Stale,
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// Another user has the address.
    #[error("another user has this email address")]
    EmailTaken,
    /// Another user has the name, or one that looks like it.
    #[error("another user has this user name, or one that looks like it")]
    UserNameTaken,
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The roles are not names, or too many.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// It would leave nobody who can administrate.
    #[error("this is the last active administrator")]
    LastAdmin,
    /// The user is in another state than expected: somebody else was faster.
    #[error("the user was changed meanwhile")]
    Changed,
    /// The user is disabled, so a link would be of no use.
    #[error("the user is disabled")]
    Disabled,
    /// The address was sent too much already.
    #[error("this address was sent too many mails today")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The cursor was not made here, or for another query.
    #[error("the cursor does not belong to this list")]
    CursorInvalid,
    /// The limit is not 1 to 200.
    #[error("the limit is not between 1 and 200")]
    LimitInvalid,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}
