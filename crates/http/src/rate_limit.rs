//! The limits per client, as reported in answers (draft-ietf-httpapi-ratelimit-headers-11).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use vestibule::{Limits, Rate};

/// What was done too often.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// Wrong passwords.
    SignIn,
    /// Wrong codes.
    Confirm,
    /// Requests that cost a mail.
    Mails,
    /// Passwords to judge.
    PasswordChecks,
}

impl Limit {
    /// Its name in answers and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Confirm => "confirm",
            Self::Mails => "mails",
            Self::PasswordChecks => "password-checks",
        }
    }
}

/// Tells the [`edge`](crate::edge) that a limit was reached, and in how many seconds it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) limit: Limit,
    pub(crate) seconds: u64,
}

/// The quotas of each client, from the limits in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotas {
    sign_in: Rate,
    confirm: Rate,
    mails: Rate,
    password_checks: Rate,
}

impl Quotas {
    pub(crate) fn of(limits: &Limits, password_checks: Rate) -> Self {
        let [confirm, _] = limits.codes;
        Self { sign_in: limits.sign_in, confirm, mails: limits.mails, password_checks }
    }

    /// `RateLimit-Policy` and `RateLimit`.
    pub(crate) fn write(self, reached: Reached, headers: &mut HeaderMap) {
        let name = reached.limit.name();
        let rate = match reached.limit {
            Limit::SignIn => self.sign_in,
            Limit::Confirm => self.confirm,
            Limit::Mails => self.mails,
            Limit::PasswordChecks => self.password_checks,
        };
        let (quota, window_seconds) = (rate.most, rate.window.as_secs());
        let policy = format!("\"{name}\";q={quota};w={window_seconds}");
        let left = format!("\"{name}\";r=0;t={}", reached.seconds);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use vestibule::Policy;

    use super::*;

    // L6: the reported quotas are the enforced ones.
    #[test]
    fn quotas_are_those_of_the_policy() {
        let mut policy = Policy::default();
        policy.sign_in.client_failures.most = 7;
        policy.confirm.client_failures[0].most = 4;
        policy.sign_up.client_mails = Rate::new(3, Duration::from_secs(90));
        policy.password_checks = Rate::new(5, Duration::from_secs(10));
        for (limit, quota) in [
            (Limit::SignIn, "\"sign-in\";q=7;w=300"),
            (Limit::Confirm, "\"confirm\";q=4;w=600"),
            (Limit::Mails, "\"mails\";q=3;w=90"),
            (Limit::PasswordChecks, "\"password-checks\";q=5;w=10"),
        ] {
            let mut headers = HeaderMap::new();
            Quotas::of(&Limits::from(&policy), policy.password_checks)
                .write(Reached { limit, seconds: 42 }, &mut headers);
            assert_eq!(headers["ratelimit-policy"], quota);
            assert!(headers["ratelimit"].to_str().is_ok_and(|left| left.ends_with(";r=0;t=42")));
        }
    }
}
