//! Text that must not be seen: never logged, wiped from memory when dropped.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

/// A secret in text form: a token, a code, a link that carries a token.
///
/// `Debug` writes `[secret]`; there is no `Display` and no `Serialize`, so sending one takes an explicit
/// [`expose`](Self::expose).
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret itself. Send it to its recipient only.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
