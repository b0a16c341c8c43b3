//! An address that was invited.

use crate::domain::access::roles::Roles;
use crate::domain::email::Email;
use crate::domain::ids::{InvitationId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;

/// An invitation that waits to be accepted. It is no user and can do nothing (S10).
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Names the invitation.
    pub id: InvitationId,
    /// Where its link goes, and whose account it becomes.
    pub email: Email,
    /// The public name it proposes; the person may choose another.
    pub user_name: Option<UserName>,
    /// The roles of the user to be.
    pub roles: Roles,
    /// The language of its mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// The administrator; `None` where it was the operator.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its link stops working.
    pub expires_at: Timestamp,
    pub(crate) accepted_at: Option<Timestamp>,
}
