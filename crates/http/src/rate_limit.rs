//! The limits per client, as answers tell them (draft-ietf-httpapi-ratelimit-headers-11).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use vestibule::Policy;

/// What was done too often.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// Wrong passwords.
    SignIn,
    /// Wrong codes.
    Confirm,
}

/// Goes with an answer to the [`edge`](crate::edge): a limit was reached, and ends in so many seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub(crate) limit: Limit,
    pub(crate) seconds: u64,
}

/// How many failures of one client each limit allows, from the policy in force.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quotas {
    sign_in_per_5_minutes: i64,
    confirm_per_10_minutes: i64,
}

impl Quotas {
    pub(crate) fn of(policy: &Policy) -> Self {
        Self {
            sign_in_per_5_minutes: policy.sign_in.client_failures_per_5_minutes,
            confirm_per_10_minutes: policy.confirm.client_failures_per_10_minutes,
        }
    }

    /// `RateLimit-Policy` and `RateLimit`.
    pub(crate) fn write(self, reached: Reached, headers: &mut HeaderMap) {
        let (name, quota, window_seconds) = match reached.limit {
            Limit::SignIn => ("sign-in", self.sign_in_per_5_minutes, 300),
            Limit::Confirm => ("confirm", self.confirm_per_10_minutes, 600),
        };
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
    use super::*;

    // L6: what is told is what is enforced.
    #[test]
    fn quotas_are_those_of_the_policy() {
        let mut policy = Policy::default();
        policy.sign_in.client_failures_per_5_minutes = 7;
        policy.confirm.client_failures_per_10_minutes = 4;
        for (limit, quota) in
            [(Limit::SignIn, "\"sign-in\";q=7;w=300"), (Limit::Confirm, "\"confirm\";q=4;w=600")]
        {
            let mut headers = HeaderMap::new();
            Quotas::of(&policy).write(Reached { limit, seconds: 42 }, &mut headers);
            assert_eq!(headers["ratelimit-policy"], quota);
            assert!(headers["ratelimit"].to_str().is_ok_and(|left| left.ends_with(";r=0;t=42")));
        }
    }
}
