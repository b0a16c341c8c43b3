//! Invitations.

use crate::domain::access::roles::Roles;
use crate::domain::email::Email;
use crate::domain::ids::{InvitationId, UserId};
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;

/// An invitation that has not been accepted yet. It is not a user and can do nothing (S10).
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Names the invitation.
    pub id: InvitationId,
    /// The address its link is mailed to, and the future account's.
    pub email: Email,
    /// The user name it proposes; the invited person may choose another.
    pub user_name: Option<UserName>,
    /// The roles of the future user.
    pub roles: Roles,
    /// The language of its mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// The administrator who sent it; `None` if it was the operator.
    pub invited_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its link stops working.
    pub expires_at: Timestamp,
    pub(crate) accepted_at: Option<Timestamp>,
}
