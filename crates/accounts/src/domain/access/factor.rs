//! Second factors: what a user has beside the password.

macro_rules! factors {
    ($($(#[$doc:meta])* $factor:ident = $name:literal),* $(,)?) => {
        /// A kind of second factor.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Factor { $($(#[$doc])* $factor),* }

        impl Factor {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$factor),*];

            /// The stable name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$factor => $name),* }
            }
        }
    };
}

factors! {
    /// A code of an authenticator app (RFC 6238).
    Totp = "totp",
    /// A passkey (Web Authentication).
    Passkey = "passkey",
    /// One of the codes that a user keeps for the day when everything else is lost.
    RecoveryCode = "recovery_code",
}
