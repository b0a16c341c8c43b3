//! The bounds of settings, checked before anything starts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{DAY, HOUR, MINUTE, Policy, Rate};
use crate::domain::application::registered::{ApplicationKind, ConfiguredApplication};
use crate::domain::secret::Secret;
use crate::policy::PolicyError;
use crate::webhook::WebhookSubscription;

const RATE_BOUNDS: &str = "must be 1 to 100000 in 1 second to 30 days";
/// Each event is a row for every endpoint that wants it.
const ENDPOINTS_MAX: usize = 16;

const APPLICATIONS_MAX: usize = 100;
/// Secrets are compared by a fast hash, so they must be long.
const SECRET_OCTETS_MIN: usize = 32;

/// Whether the rule is satisfied, the setting it is about, and the rule in words.
type Rule = (bool, &'static str, &'static str);

impl Policy {
    /// Refuses settings below the minimum of the security requirements.
    ///
    /// # Errors
    /// The first setting that breaks its rule.
    pub fn check(&self) -> Result<(), PolicyError> {
        let rules =
            [self.of_sign_ups(), self.of_tokens(), self.of_applications(), self.of_limits(), self.of_costs()];
        match rules.iter().flatten().find(|(holds, ..)| !holds) {
            None => Ok(()),
            Some((_, setting, rule)) => Err(PolicyError { setting, rule }),
        }
    }

    fn of_sign_ups(&self) -> Vec<Rule> {
        let Self { confirm, sign_up, passwords, .. } = self;
        vec![
            (confirm.link || confirm.code, "confirm.methods", "must name `link`, `code`, or both"),
            ((4..=8).contains(&confirm.code_digits), "confirm.code_digits", "must be 4 to 8"),
            (
                (Duration::from_secs(10)..=10 * MINUTE).contains(&confirm.code_lifetime),
                "confirm.code_lifetime",
                "must be 10 seconds to 10 minutes (ASVS 6.5.5)",
            ),
            ((1..=5).contains(&confirm.guesses_per_code), "confirm.guesses_per_code", "must be 1 to 5"),
            ((1..=10).contains(&sign_up.open_per_address), "signup.open_per_address", "must be 1 to 10"),
            ((HOUR..=7 * DAY).contains(&sign_up.lifetime), "signup.lifetime", "must be 1 hour to 7 days"),
            (
                sign_up.resend_waits.iter().all(|wait| *wait >= confirm.code_lifetime)
                    && !sign_up.resend_waits.is_empty(),
                "signup.resend_waits",
                "must name at least one wait, none shorter than the life of a code",
            ),
            (
                (8..=64).contains(&passwords.min_code_points),
                "password.min_length",
                "must be 8 to 64 (ASVS 6.2.1, NIST SP 800-63B-4)",
            ),
        ]
    }

    fn of_applications(&self) -> Vec<Rule> {
        let all = &self.applications;
        let ids: BTreeSet<&str> = all.iter().map(|one| one.application.id.as_str()).collect();
        let has_its_secrets = |one: &ConfiguredApplication| match one.application.kind {
            ApplicationKind::Public => one.secrets.is_empty(),
            ApplicationKind::Confidential => {
                one.secrets.len() <= 2 && !(one.secrets.is_empty() && one.application.keys.is_empty())
            }
        };
        let is_long = |secret: &Secret| secret.expose().len() >= SECRET_OCTETS_MIN;
        vec![
            (all.len() <= APPLICATIONS_MAX, "clients", "are at most 100"),
            (ids.len() == all.len(), "clients", "must have ids of their own"),
            (
                all.iter().all(|one| one.application.check().is_ok()),
                "clients",
                "must satisfy the rules of registrations",
            ),
            (
                all.iter().all(has_its_secrets),
                "clients",
                "have one secret or two, or keys, if they are confidential, and none if they are public",
            ),
            (
                all.iter().flat_map(|one| &one.secrets).all(is_long),
                "clients",
                "need secrets of at least 32 characters",
            ),
        ]
    }

    fn of_tokens(&self) -> Vec<Rule> {
        let tokens = &self.tokens;
        vec![
            (
                (MINUTE..=HOUR).contains(&tokens.access_lifetime),
                "tokens.access_lifetime",
                "must be 1 to 60 minutes",
            ),
            (
                tokens.jwks_max_age <= DAY
                    && (Duration::from_secs(1)..=HOUR).contains(&tokens.keys_read_every),
                "tokens.jwks_max_age",
                "must be a day or less, and keys must be read every second to every hour",
            ),
            (tokens.leeway <= Duration::from_secs(30), "tokens.leeway", "must be 30 seconds or less"),
            (
                tokens.session_idle <= tokens.session_absolute,
                "tokens.session_idle",
                "must not be longer than tokens.session_absolute",
            ),
            (
                (MINUTE..=DAY).contains(&self.admin.reauthenticate_after),
                "admin.reauthenticate_after",
                "must be 1 minute to 1 day",
            ),
            ((MINUTE..=HOUR).contains(&tokens.step_up), "tokens.step_up", "must be 1 to 60 minutes"),
            (self.second_factor.grace <= 90 * DAY, "second_factor.grace", "must be 90 days or less"),
        ]
    }

    fn of_limits(&self) -> Vec<Rule> {
        let Self { confirm, sign_up, .. } = self;
        vec![
            (self.sign_in.client_failures.is_sound(), "limits.sign_in", RATE_BOUNDS),
            (confirm.client_failures.iter().all(|rate| rate.is_sound()), "limits.codes", RATE_BOUNDS),
            (sign_up.client_mails.is_sound(), "limits.mails", RATE_BOUNDS),
            (self.password_checks.is_sound(), "limits.password_checks", RATE_BOUNDS),
            (
                (7 * DAY..=3650 * DAY).contains(&self.audit_retention),
                "audit.retention",
                "must be 7 to 3650 days",
            ),
            (
                (1..=100).contains(&self.sign_in.hard_stop),
                "limits.hard_stop",
                "must be 1 to 100 (SP 800-63B-4 §3.2.2)",
            ),
        ]
    }

    fn of_costs(&self) -> Vec<Rule> {
        let Self { hash, webhooks, database, .. } = self;
        vec![
            ((1..=200).contains(&database.connections), "database.connections", "must be 1 to 200"),
            (
                (Duration::from_secs(1)..=Duration::from_secs(20)).contains(&database.statement_timeout),
                "database.statement_timeout",
                "must be 1 to 20 seconds: a request is given up after 30",
            ),
            (database.wait <= HOUR, "database.wait", "must be an hour or less"),
            (
                hash.memory_kib >= 19_456 && hash.passes >= 2
                    || hash.memory_kib >= 47_104 && hash.passes >= 1,
                "hash.memory_kib",
                "must be at least 19456 with 2 passes or 47104 with 1 (OWASP Password Storage)",
            ),
            (
                hash.memory_kib <= 262_144 && hash.passes <= 10,
                "hash.memory_kib",
                "must be at most 262144, with at most 10 passes",
            ),
            (
                webhooks.len() <= ENDPOINTS_MAX && names_of(webhooks).len() == webhooks.len(),
                "webhooks",
                "must have at most 16 endpoints, each with a name of its own: 1 to 64 small letters, digits, `-` and `_`",
            ),
        ]
    }
}

impl Rate {
    fn is_sound(self) -> bool {
        (1..=100_000).contains(&self.most) && (Duration::from_secs(1)..=30 * DAY).contains(&self.window)
    }
}

/// The names of all subscriptions, without duplicates.
fn names_of(webhooks: &[WebhookSubscription]) -> BTreeSet<&str> {
    let is_fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let names = webhooks.iter().map(|it| it.endpoint.as_str());
    names.filter(|name| (1..=64).contains(&name.len()) && name.chars().all(is_fit)).collect()
}
