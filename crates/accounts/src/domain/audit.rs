//! What the audit trail holds.

use crate::domain::ids::{AuditId, UserId};
use crate::domain::time::Timestamp;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal),* $(,)?) => {
        /// What happened. The names are stable: they are stored and given out.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum AuditKind { $($(#[$doc])* $kind),* }

        impl AuditKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }
        }
    };
}

kinds! {
    /// Somebody signed up; the account does not exist yet.
    SignedUp = "signed_up",
    /// A sign-up was confirmed: the account exists.
    Activated = "activated",
    /// A code or the password of a sign-up was wrong.
    ConfirmFailed = "confirm_failed",
    /// A session began.
    SignedIn = "signed_in",
    /// A password was wrong, or was right for an account that is disabled or not confirmed.
    SignInFailed = "sign_in_failed",
    /// A limit began to refuse.
    LimitReached = "limit_reached",
    /// An operator forgot the failures of an account.
    LimitsCleared = "limits_cleared",
    /// A session, or all of a user's, ended by a sign-out.
    SignedOut = "signed_out",
    /// A used refresh token came back: its session was ended.
    RefreshReused = "refresh_reused",
    /// A link to set a new password was asked for.
    ResetRequested = "reset_requested",
    /// A new password was set by link.
    PasswordReset = "password_reset",
    /// A new password was set by its user.
    PasswordChanged = "password_changed",
    /// Another address was asked for.
    EmailChangeRequested = "email_change_requested",
    /// The address was changed.
    EmailChanged = "email_changed",
    /// A change of the address was taken back.
    EmailChangeUndone = "email_change_undone",
    /// The user name or the language was changed.
    ProfileChanged = "profile_changed",
    /// Everything held about the user was given to them.
    Exported = "exported",
    /// The account is gone.
    Deleted = "deleted",
    /// An operator made a user.
    Created = "created",
    /// An administrator invited somebody.
    Invited = "invited",
    /// An invitation was accepted: the account exists.
    InvitationAccepted = "invitation_accepted",
    /// The link that makes the first administrator was given out.
    SetupLinkMade = "setup_link_made",
    /// The first administrator was made with that link.
    SetUp = "set_up",
    /// A new password was set by an operator.
    PasswordSet = "password_set",
    /// Roles, name or language were changed by an administrator.
    Updated = "updated",
    /// The account may not sign in any more.
    Disabled = "disabled",
    /// The account may sign in again.
    Enabled = "enabled",
    /// An administrator had a mail sent again, or looked after a sign-up.
    Assisted = "assisted",
    /// The keys that sign tokens were changed.
    KeysChanged = "keys_changed",
    /// An operator took an SQLite database as it is, though it lacks what an earlier one had.
    DatabaseAccepted = "database_accepted",
}

impl AuditKind {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditActor {
    /// Somebody who did not have to say who they are, such as whoever signs up.
    Anonymous,
    /// A user.
    User(UserId),
    /// Whoever may run the program on the server.
    Operator,
    /// The program by itself.
    System,
}

impl AuditActor {
    /// The stable name of the kind of actor.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    /// Which user it is, if it is one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            _ => None,
        }
    }
}

/// One entry of the trail. It has no secrets, and of the address only what reminds its owner of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Names the entry; sorts by time.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: AuditKind,
    /// Who.
    pub actor: AuditActor,
    /// Whom it is about, where that is a user.
    pub user_id: Option<UserId>,
    /// The masked address that it is about, e.g. `a***@example.org`.
    pub email: Option<String>,
    /// The address of the client.
    pub ip: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// More, in words for operators.
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::from_name(kind.name()), Some(*kind));
        }
    }
}
