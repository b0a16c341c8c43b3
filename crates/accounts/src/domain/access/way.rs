//! The ways to begin a session.

macro_rules! ways {
    ($($(#[$doc:meta])* $way:ident = $said:expr),* $(,)?) => {
        /// How somebody proved who they are when a session began.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Way { $($(#[$doc])* $way),* }

        impl Way {
            /// Every way.
            pub const ALL: &'static [Self] = &[$(Self::$way),*];

            /// What the audit trail adds to a sign-in.
            pub(crate) const fn detail(self) -> Option<&'static str> {
                match self { $(Self::$way => $said),* }
            }
        }
    };
}

ways! {
    /// With the password.
    Password = None,
    /// By activating the account, in the browser that has given its password.
    Confirmation = Some("after the confirmation"),
    /// With a passkey alone.
    Passkey = Some("with a passkey"),
    /// With the password and a code of the authenticator app.
    PasswordAndCode = Some("with a code of the authenticator app"),
    /// With the password and a passkey.
    PasswordAndPasskey = Some("with a passkey as second factor"),
    /// With the password and a recovery code.
    PasswordAndRecoveryCode = Some("with a recovery code"),
    /// With the password and a mailed link, in order to enrol a second factor.
    Enrolment = Some("with an enrolment link"),
    /// With a code that an application got in the browser where somebody was signed in.
    Application = Some("at an application"),
}

impl Way {
    /// Its stable name, for metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Confirmation => "confirmation",
            Self::Passkey => "passkey",
            Self::PasswordAndCode => "password_and_code",
            Self::PasswordAndPasskey => "password_and_passkey",
            Self::PasswordAndRecoveryCode => "password_and_recovery_code",
            Self::Enrolment => "enrolment",
            Self::Application => "application",
        }
    }
}
