//! Who needs a second factor, and what passkeys belong to.

use std::time::Duration;

use crate::domain::access::roles::ADMIN;
use crate::domain::time::{DAY, HOUR};

/// Who needs a second factor.
#[derive(Clone, Debug)]
pub struct SecondFactorPolicy {
    /// Who must have one.
    pub require: RequireFactor,
    /// How long whoever must have one may still sign in without, counted from the first sign-in under the policy.
    pub grace: Duration,
    /// How long a mailed link to enrol one works.
    pub enrolment_lifetime: Duration,
}

/// Who must have a second factor. Whoever has an authenticator app is asked for it in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequireFactor {
    /// Nobody.
    Off,
    /// Users with the role `admin`.
    Admins,
    /// Everybody.
    All,
}

impl SecondFactorPolicy {
    /// Whether a user with these roles must have a second factor.
    pub(crate) fn requires(&self, roles: &[String]) -> bool {
        match self.require {
            RequireFactor::Off => false,
            RequireFactor::Admins => roles.iter().any(|role| role == ADMIN),
            RequireFactor::All => true,
        }
    }
}

/// Passkeys (Web Authentication).
#[derive(Clone, Debug)]
pub struct PasskeyPolicy {
    /// Whether there are any.
    pub enabled: bool,
    /// The domain that they belong to; the host of the public address where it is empty. Passkeys of another domain stop
    /// working when it changes.
    pub rp_id: Option<String>,
}

impl Default for SecondFactorPolicy {
    fn default() -> Self {
        Self { require: RequireFactor::Off, grace: 7 * DAY, enrolment_lifetime: HOUR }
    }
}

impl Default for PasskeyPolicy {
    fn default() -> Self {
        Self { enabled: true, rp_id: None }
    }
}
