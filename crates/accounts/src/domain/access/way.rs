//! The ways to begin a session.

macro_rules! ways {
    ($($(#[$doc:meta])* $way:ident = $amr:literal),* $(,)?) => {
        /// How users prove who they are when a session begins.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Way { $($(#[$doc])* $way),* }

        impl Way {
            /// Every way.
            pub const ALL: &'static [Self] = &[$(Self::$way),*];

            /// The authentication methods as RFC 8176 names them, which are stored with the session.
            pub const fn amr(self) -> &'static str {
                match self { $(Self::$way => $amr),* }
            }
        }
    };
}

ways! {
    /// With the password.
    Password = "pwd",
    /// By activating the account in the browser where its password was entered.
    Confirmation = "pwd",
}
