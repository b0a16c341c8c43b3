//! What the audit trail records.

use std::borrow::Cow;

use crate::domain::access::operator::OperatorName;
use crate::domain::ids::{AuditId, UserId};
use crate::domain::time::Timestamp;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal),* $(,)?) => {
        /// What happened. The names are stable: they are stored and appear in the API.
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
    /// A sign-up was made; the account does not exist yet.
    SignedUp = "signed_up",
    /// A sign-up was confirmed: the account exists.
    Activated = "activated",
    /// A code or the password of a sign-up was wrong.
    ConfirmFailed = "confirm_failed",
    /// A session began.
    SignedIn = "signed_in",
    /// A password was wrong, or was right for an account that is disabled or not confirmed.
    SignInFailed = "sign_in_failed",
    /// A limit began to refuse requests.
    LimitReached = "limit_reached",
    /// An operator cleared the failures counted for an account.
    LimitsCleared = "limits_cleared",
    /// A sign-out ended a session, or all sessions of a user.
    SignedOut = "signed_out",
    /// A refresh token was used a second time: its session was ended.
    RefreshReused = "refresh_reused",
    /// A link to set a new password was requested.
    ResetRequested = "reset_requested",
    /// A new password was set by link.
    PasswordReset = "password_reset",
    /// A user changed their own password.
    PasswordChanged = "password_changed",
    /// A change of the address was requested.
    EmailChangeRequested = "email_change_requested",
    /// The address was changed.
    EmailChanged = "email_changed",
    /// A change of the address was undone.
    EmailChangeUndone = "email_change_undone",
    /// The user name or the language was changed.
    ProfileChanged = "profile_changed",
    /// A user changed their own data.
    DataChanged = "data_changed",
    /// What the application keeps about a user was changed.
    AppDataChanged = "app_data_changed",
    /// An operator imported a user from another system, or changed one so.
    Imported = "imported",
    /// An operator imported users: how many, from what.
    UsersImported = "users_imported",
    /// An operator exported the users.
    UsersExported = "users_exported",
    /// A user exported everything stored about them.
    Exported = "exported",
    /// The account was deleted.
    Deleted = "deleted",
    /// An operator created a user.
    Created = "created",
    /// An administrator invited an address.
    Invited = "invited",
    /// An invitation was accepted: the account exists.
    InvitationAccepted = "invitation_accepted",
    /// The link that creates the first administrator was issued.
    SetupLinkMade = "setup_link_made",
    /// The first administrator was created with that link.
    SetUp = "set_up",
    /// An operator set a new password.
    PasswordSet = "password_set",
    /// An administrator changed roles, name or language.
    Updated = "updated",
    /// The account may no longer sign in.
    Disabled = "disabled",
    /// The account may sign in again.
    Enabled = "enabled",
    /// An administrator had a mail sent again, or handled a sign-up.
    Assisted = "assisted",
    /// A second factor was wrong.
    SecondFactorFailed = "second_factor_failed",
    /// Somebody who is signed in has proven again who they are.
    Reauthenticated = "reauthenticated",
    /// A passkey was added.
    PasskeyAdded = "passkey_added",
    /// A passkey got another name.
    PasskeyRenamed = "passkey_renamed",
    /// A passkey was removed.
    PasskeyRemoved = "passkey_removed",
    /// The counter of a passkey went back: somebody may have a copy.
    PasskeyCounterWentBack = "passkey_counter_went_back",
    /// An authenticator app was added.
    AuthenticatorAdded = "authenticator_added",
    /// The authenticator app was removed.
    AuthenticatorRemoved = "authenticator_removed",
    /// New recovery codes were made; those of before stopped working.
    RecoveryCodesMade = "recovery_codes_made",
    /// A recovery code was used.
    RecoveryCodeUsed = "recovery_code_used",
    /// The password was removed by its user.
    PasswordRemoved = "password_removed",
    /// All second factors of a user were removed by an administrator or operator.
    FactorsReset = "factors_reset",
    /// A link to enrol a second factor was mailed.
    EnrolmentRequested = "enrolment_requested",
    /// An application was registered.
    ApplicationCreated = "application_created",
    /// The registration of an application was changed.
    ApplicationUpdated = "application_updated",
    /// An application got a secret, or lost its old one.
    ApplicationSecretChanged = "application_secret_changed",
    /// An application was removed.
    ApplicationRemoved = "application_removed",
    /// A user let an application in, or allowed it more.
    ApplicationAllowed = "application_allowed",
    /// A user took back what an application was allowed.
    ApplicationDisconnected = "application_disconnected",
    /// An application's code came a second time: the session that it began was ended.
    CodeReused = "code_reused",
    /// The keys that sign tokens were changed.
    KeysChanged = "keys_changed",
    /// An operator accepted an SQLite database although it lacks what an earlier one had.
    DatabaseAccepted = "database_accepted",
    /// An operator moved the accounts to this database, or called such a move off.
    DatabaseMoved = "database_moved",
    /// An operator made a backup.
    BackedUp = "backed_up",
}

impl AuditKind {
    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditActor {
    /// Someone who did not have to identify themselves, for example to sign up.
    Anonymous,
    /// A user.
    User(UserId),
    /// The operator: anyone who can run the program on the server.
    Operator,
    /// An application, for itself: the detail names it.
    Application,
    /// The program itself.
    System,
}

impl AuditActor {
    /// The stable name of the kind of actor.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Operator => "operator",
            Self::Application => "client",
            Self::System => "system",
        }
    }

    /// The user, if the actor is one.
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            _ => None,
        }
    }
}

/// One entry of the trail. It contains no secrets, and only as much of the address as its owner needs to recognise it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// Names the entry; sorts by time.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// Who caused it.
    pub actor: AuditActor,
    /// Which operator, if that is known: the account of the operating system that ran the command.
    pub operator: Option<OperatorName>,
    /// The user it concerns, if any.
    pub user_id: Option<UserId>,
    /// The address it concerns, masked, e.g. `a***@example.org`.
    pub email: Option<String>,
    /// The IP address of the client.
    pub ip: Option<String>,
    /// The `User-Agent` of the client.
    pub user_agent: Option<String>,
    /// More detail, in words for operators.
    pub detail: Option<String>,
}

impl AuditEvent {
    /// The kind of actor, and the name of an operator: `operator:alice`.
    pub fn actor_name(&self) -> Cow<'static, str> {
        match (self.actor, &self.operator) {
            (AuditActor::Operator, Some(name)) => format!("operator:{}", name.as_str()).into(),
            (actor, _) => actor.name().into(),
        }
    }
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
