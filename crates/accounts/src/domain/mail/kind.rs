//! What a queued message is for.

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal),* $(,)?) => {
        /// What a message of the outbox is for. What it says is decided when it leaves, in the file of its story.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum MailKind { $($(#[$doc])* $kind),* }

        impl MailKind {
            /// As it is stored.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// `None`: a newer program has queued it.
            pub(crate) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// To confirm a sign-up, or to tell the owner of the address of it.
    Confirmation = "confirm",
    Invitation = "invitation",
    Welcome = "welcome",
    /// With a link that sets a new password.
    PasswordReset = "password_reset",
    PasswordChanged = "password_changed",
    /// With a link that makes an address the user's.
    EmailChange = "email_change",
    /// With a link that goes back to the address before.
    EmailUndo = "email_undo",
    FailedSignIns = "failed_sign_ins",
    RefreshReused = "refresh_reused",
}
