//! The ways in which a session begins.

macro_rules! ways {
    ($($(#[$doc:meta])* $way:ident = $amr:literal),* $(,)?) => {
        /// How somebody proved who they are when a session began.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Way { $($(#[$doc])* $way),* }

        impl Way {
            /// Every way.
            pub const ALL: &'static [Self] = &[$(Self::$way),*];

            /// The authentication methods as RFC 8176 names them, which a session keeps.
            pub const fn amr(self) -> &'static str {
                match self { $(Self::$way => $amr),* }
            }
        }
    };
}

ways! {
    /// With the password.
    Password = "pwd",
    /// By activating the account, in the browser that has given its password.
    Confirmation = "pwd",
}
