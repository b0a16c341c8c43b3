//! Why an administrative operation is refused.

use std::time::Duration;

use crate::domain::access::roles::RolesError;
use crate::domain::password::PasswordError;
use crate::fault::Fault;
use crate::ops::sign_in::step_up::StepUp;

/// Why an administrative operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The actor does not have the role `admin`.
    #[error("this needs the role admin")]
    Forbidden,
    /// The actor must prove again who it is.
    #[error(transparent)]
    StepUp(#[from] StepUp),
    /// A second factor is demanded of administrators, and this one must enrol it first.
    #[error("a second factor must be enrolled first")]
    EnrolmentRequired,
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
    /// It would leave no active administrator.
    #[error("this is the last active administrator")]
    LastAdmin,
    /// The user is not in the expected state: another change came first.
    #[error("the user was changed meanwhile")]
    Changed,
    /// The user is disabled, so a link would be useless.
    #[error("the user is disabled")]
    Disabled,
    /// The address has already been sent too many mails.
    #[error("this address was sent too many mails today")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The cursor was not issued by this service, or for another query.
    #[error("the cursor does not belong to this list")]
    CursorInvalid,
    /// The limit is not 1 to 200.
    #[error("the limit is not between 1 and 200")]
    LimitInvalid,
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}
