//! What a queued message is for.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal),* $(,)?) => {
        /// What a message of the outbox is for. Its text is composed when it is sent, by the operation it belongs to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum MailKind { $($(#[$doc])* $kind),* }

        impl MailKind {
            /// The name as stored.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// `None` if a newer version of the program queued it.
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// Asks to confirm a sign-up, or informs the owner of the address about it.
    Confirmation = "confirm",
    Invitation = "invitation",
    Welcome = "welcome",
    /// Contains a link that sets a new password.
    PasswordReset = "password_reset",
    PasswordChanged = "password_changed",
    /// Contains a link that makes an address the user's.
    EmailChange = "email_change",
    /// Contains a link that restores the previous address.
    EmailUndo = "email_undo",
    FailedSignIns = "failed_sign_ins",
    RefreshReused = "refresh_reused",
    /// Something that protects the account was changed or used: the audit trail says what, from where.
    SecurityNotice = "security_notice",
    /// With a link that leads to a second factor.
    Enrolment = "enrolment",
    /// Says from when on a second factor is asked for.
    SecondFactorDue = "second_factor_due",
    /// Says nothing but that it has arrived.
    Test = "test",
}
