//! The authentication methods behind a session, in the terms of RFC 8176.

use std::fmt;

/// A proof that somebody has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The password.
    Password,
    /// A one-time code: of an authenticator app, or for recovery.
    OneTimeCode,
    /// A passkey that never leaves its device.
    HardwareKey,
    /// A passkey that is synchronised between devices.
    SoftwareKey,
}

impl Method {
    const ALL: [Self; 4] = [Self::Password, Self::OneTimeCode, Self::HardwareKey, Self::SoftwareKey];

    const fn name(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::OneTimeCode => "otp",
            Self::HardwareKey => "hwk",
            Self::SoftwareKey => "swk",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::OneTimeCode => 2,
            Self::HardwareKey => 4,
            Self::SoftwareKey => 8,
        }
    }
}

/// What a session with more than one factor has beside its methods.
const MULTI_FACTOR: &str = "mfa";

/// The methods by which a session was authenticated: the `amr` of its tokens (RFC 8176).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Amr(u8);

impl Amr {
    /// These methods and one more.
    #[must_use]
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | method.bit())
    }

    /// These methods and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether this is one of the methods.
    pub const fn has(self, method: Method) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether there is more than one factor: a passkey is two by itself, as its authenticator has verified the user.
    pub const fn is_multi_factor(self) -> bool {
        let has_key = self.has(Method::HardwareKey) || self.has(Method::SoftwareKey);
        has_key || (self.has(Method::Password) && self.has(Method::OneTimeCode))
    }

    /// The names, as tokens carry them.
    pub fn names(self) -> Vec<&'static str> {
        let methods = Method::ALL.into_iter().filter(|method| self.has(*method)).map(Method::name);
        methods.chain(self.is_multi_factor().then_some(MULTI_FACTOR)).collect()
    }

    /// As it is stored; what this version does not know is left out.
    pub(crate) fn from_stored(text: &str) -> Self {
        let known = |name| Method::ALL.into_iter().find(|method| method.name() == name);
        text.split_ascii_whitespace().filter_map(known).fold(Self::default(), Self::with)
    }
}

impl From<Method> for Amr {
    fn from(method: Method) -> Self {
        Self::default().with(method)
    }
}

impl fmt::Display for Amr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

impl fmt::Debug for Amr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        for bits in 0..16 {
            let amr = Amr(bits);
            assert_eq!(Amr::from_stored(&amr.to_string()), amr, "{amr}");
        }
        assert_eq!(Amr::from_stored("pwd face otp"), Amr::from(Method::Password).with(Method::OneTimeCode));
    }

    #[test]
    fn a_password_with_a_code_and_a_passkey_alone_are_two_factors() {
        let password = Amr::from(Method::Password);
        assert_eq!(password.names(), ["pwd"]);
        assert_eq!(password.with(Method::OneTimeCode).names(), ["pwd", "otp", "mfa"]);
        assert_eq!(Amr::from(Method::SoftwareKey).names(), ["swk", "mfa"]);
        assert_eq!(Amr::from(Method::OneTimeCode).names(), ["otp"]);
    }
}
