//! Every limit and lifetime, with its name, its default and its origin.

mod check;
pub(crate) mod claims;
pub(crate) mod data_schema;
pub(crate) mod factors;
pub(crate) mod limits;
pub(crate) mod relying_party;
pub(crate) mod sign_up_data;
pub(crate) mod terms;

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::domain::application::registered::ConfiguredApplication;
use crate::domain::password::PasswordRules;
use crate::policy::claims::Claims;
use crate::policy::data_schema::DataSchema;
use crate::policy::factors::{PasskeyPolicy, SecondFactorPolicy};
use crate::policy::terms::TermsConsent;
use crate::token::algorithm::SigningAlgorithm;
use crate::webhook::WebhookSubscription;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Checked settings. Start from `Policy::default()` and change what differs.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How sign-ups are confirmed.
    pub confirm: ConfirmPolicy,
    /// Sign-ups that wait for their confirmation.
    pub sign_up: SignUpPolicy,
    /// How many wrong passwords are tolerated.
    pub sign_in: SignInPolicy,
    /// Links that set a new password.
    pub password_reset: PasswordResetPolicy,
    /// Links that change the address.
    pub email_change: EmailChangePolicy,
    /// Mails sent on behalf of administrators, and the creation of the first administrator.
    pub admin: AdminPolicy,
    /// Tokens and sessions.
    pub tokens: TokenPolicy,
    /// What access tokens say beyond their own claims.
    pub claims: Claims,
    /// Applications that send people here to sign in, beside those of the database; none by default.
    pub applications: Vec<ConfiguredApplication>,
    /// What users may keep in their own data; anything by default.
    pub data_schema: Option<Arc<dyn DataSchema>>,
    /// Who needs a second factor.
    pub second_factor: SecondFactorPolicy,
    /// Passkeys.
    pub passkeys: PasskeyPolicy,
    /// What a new password must satisfy.
    pub passwords: PasswordRules,
    /// Passwords one client may have judged; then 429. Counted by each instance separately.
    pub password_checks: Rate,
    /// The cost of a password hash, and the hashing threads.
    pub hash: HashPolicy,
    /// How PostgreSQL is used; irrelevant to SQLite.
    pub database: DatabasePolicy,
    /// How long the audit trail is kept.
    pub audit_retention: Duration,
    /// Endpoints that are informed of events of users; none by default, at most 16.
    pub webhooks: Vec<WebhookSubscription>,
    /// The limits per client. Turned off only for load tests; the limits per address stay.
    pub client_limits: bool,
    /// Networks whose clients are not limited per client, such as a school or an office behind one address.
    pub exempt_networks: Vec<IpNet>,
}

/// A maximum number of events in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The maximum number.
    pub most: i64,
    /// The length of the window.
    pub window: Duration,
}

impl Rate {
    /// At most `most` in any window of this length.
    pub const fn new(most: i64, window: Duration) -> Self {
        Self { most, window }
    }
}

/// How sign-ups are confirmed: security requirements C1–C8.
#[derive(Clone, Debug)]
pub struct ConfirmPolicy {
    /// The mail carries a link.
    pub link: bool,
    /// The mail carries a code.
    pub code: bool,
    /// The link also asks for the password (S4). Without it, whoever reads the mail can activate the account.
    pub require_password: bool,
    /// Digits of a code, 4 to 8.
    pub code_digits: u8,
    /// How long a code works, from the sending of its mail.
    pub code_lifetime: Duration,
    /// Guesses per code.
    pub guesses_per_code: i64,
    /// Codes per address in 24 hours; then mails carry the link only.
    pub codes_per_day: i64,
    /// Failed guesses per address in 24 hours; then link only.
    pub failures_per_day: i64,
    /// Failed guesses per address in 30 days; then link only.
    pub failures_per_month: i64,
    /// Failed guesses per client prefix, in a short and in a long window; then 429.
    pub client_failures: [Rate; 2],
    /// Failed guesses of all clients in an hour; then link only until they subside (C5, C7).
    pub failures_per_hour_of_all: i64,
}

/// Sign-ups that wait for their confirmation: security requirements S1–S7.
#[derive(Clone, Debug)]
pub struct SignUpPolicy {
    /// How long a sign-up waits for its confirmation, and how long its link works.
    pub lifetime: Duration,
    /// Sign-ups per address that get a code and a link that asks for their password; a further one gets a link at which
    /// the owner of the mailbox chooses the password.
    pub open_per_address: i64,
    /// The wait before the first, second, … further mail, counted from the sending of the previous one.
    pub resend_waits: Vec<Duration>,
    /// Requested mails per address in 24 hours. The last of them lets the owner of the mailbox choose a password.
    pub mails_per_day: i64,
    /// Requests per client prefix that cost a mail, whether one is sent or not; then 429.
    pub client_mails: Rate,
    /// "You already have an account" mails per address in 24 hours.
    pub notices_per_day: i64,
    /// How long an `Idempotency-Key` is remembered.
    pub idempotency_lifetime: Duration,
    /// Whether a sign-up may reveal that the address is taken.
    pub disclosure: Disclosure,
    /// Who may sign up.
    pub mode: SignUpMode,
    /// Whether people who get an account are asked to accept the operator's terms.
    pub consent: TermsConsent,
}

/// Who may sign up. Invitations, administrators and commands create accounts in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpMode {
    /// Anyone.
    Open,
    /// Nobody: people are referred to an invitation.
    Invitation,
    /// Nobody: people are informed that no accounts are created.
    Closed,
}

/// Whether a sign-up may reveal that an address has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Never: the owner is informed by mail (D3).
    Discreet,
    /// 409 `email_taken`, for sites that prefer convenience.
    Friendly,
}

/// How many wrong passwords are tolerated: security requirements L2, L3.
#[derive(Clone, Debug)]
pub struct SignInPolicy {
    /// Failures per account, existing or not, that cost no wait.
    pub free_failures: i64,
    /// The wait after the last free failure; it doubles with each further one.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// Failures in a row after which no password is accepted until a reset link was used (SP 800-63B-4 §3.2.2).
    pub hard_stop: i64,
    /// Failures in a row after which the owner is informed by mail.
    pub failures_to_notice: i64,
    /// Failures per client prefix; then 429.
    pub client_failures: Rate,
}

/// Links that set a new password: security requirements T3, X1.
#[derive(Clone, Debug)]
pub struct PasswordResetPolicy {
    /// How long a link works.
    pub lifetime: Duration,
    /// The time between two mails.
    pub interval: Duration,
    /// Mails per address in 24 hours.
    pub per_day: i64,
}

/// Links that change the address: security requirements T3, X3.
#[derive(Clone, Debug)]
pub struct EmailChangePolicy {
    /// How long the link to the new address works.
    pub lifetime: Duration,
    /// How long the link to the old address undoes it.
    pub undo_lifetime: Duration,
}

/// Mails sent on behalf of administrators, and the creation of the first administrator: security requirements T3, O3.
#[derive(Clone, Debug)]
pub struct AdminPolicy {
    /// How long the link of an invitation works.
    pub invitation_lifetime: Duration,
    /// How long the link that creates the first administrator works.
    pub setup_lifetime: Duration,
    /// Mails that administrators have sent to one address in 24 hours. Mails requested by strangers do not count: they
    /// must not prevent an administrator from helping someone.
    pub mails_per_day: i64,
    /// How long after the password, or a second factor where there is one, was given an administrator may give roles and
    /// delete users (O4).
    pub reauthenticate_after: Duration,
}

/// Tokens and sessions: security requirements J1–J7, R1–R6.
#[derive(Clone, Debug)]
pub struct TokenPolicy {
    /// The lifetime of an access token.
    pub access_lifetime: Duration,
    /// The tolerated clock difference when checking `exp`, `iat` and `nbf`.
    pub leeway: Duration,
    /// A session ends after this long without use.
    pub session_idle: Duration,
    /// A session ends after this long at the latest.
    pub session_absolute: Duration,
    /// How long after a proof a user may change factors, address and password, and delete the account.
    pub step_up: Duration,
    /// Reuse of a refresh token within this time is refused only; later it ends the session.
    pub reuse_grace: Duration,
    /// The `aud` of the tokens; the public address if empty.
    pub audience: Option<String>,
    /// How many verified tokens are cached.
    pub cache_capacity: usize,
    /// The algorithm of the next signing key. Existing keys keep their own.
    pub algorithm: SigningAlgorithm,
    /// How long others may cache the published keys.
    pub jwks_max_age: Duration,
    /// How often an instance reads the keys; [`Accounts::sweep`](crate::Accounts::sweep) is called about that often.
    pub keys_read_every: Duration,
}

impl TokenPolicy {
    /// How long a new key is published before it signs: until every instance has read it, even after one failure, and
    /// every copy of the keys that was fetched from an instance before that has expired.
    pub fn key_lead(&self) -> Duration {
        2 * self.keys_read_every + self.jwks_max_age
    }

    /// How long a key verifies after the next one began to sign: until its last token has expired.
    pub fn key_overlap(&self) -> Duration {
        self.access_lifetime + self.leeway
    }
}

/// The cost of a password hash (P4) and the hashing threads (P6).
#[derive(Clone, Debug)]
pub struct HashPolicy {
    /// Memory of a hash in KiB, at least 19,456.
    pub memory_kib: u32,
    /// Passes over the memory, at least 2 at the smallest memory.
    pub passes: u32,
    /// Hashing threads; 0 means one per core.
    pub threads: usize,
    /// Hashes that may wait; 0 means about one second of work.
    pub queue: usize,
}

/// How PostgreSQL is used.
#[derive(Clone, Debug)]
pub struct DatabasePolicy {
    /// The connections of this instance, opened when needed.
    pub connections: usize,
    /// How long one statement may take, and about how long a host may be silent before the next one is tried.
    pub statement_timeout: Duration,
    /// How long to wait at start for a database that is not up yet.
    pub wait: Duration,
}

impl Default for DatabasePolicy {
    fn default() -> Self {
        Self { connections: 16, statement_timeout: Duration::from_secs(5), wait: Duration::from_secs(30) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirm: ConfirmPolicy::default(),
            sign_up: SignUpPolicy::default(),
            sign_in: SignInPolicy::default(),
            password_reset: PasswordResetPolicy { lifetime: 30 * MINUTE, interval: MINUTE, per_day: 5 },
            email_change: EmailChangePolicy { lifetime: HOUR, undo_lifetime: 3 * DAY },
            admin: AdminPolicy {
                invitation_lifetime: 3 * DAY,
                setup_lifetime: 30 * MINUTE,
                mails_per_day: 20,
                reauthenticate_after: 15 * MINUTE,
            },
            tokens: TokenPolicy::default(),
            claims: Claims::default(),
            data_schema: None,
            second_factor: SecondFactorPolicy::default(),
            passkeys: PasskeyPolicy::default(),
            passwords: PasswordRules { min_code_points: 8, service_name: "Vestibule".to_owned() },
            password_checks: Rate::new(120, MINUTE),
            hash: HashPolicy { memory_kib: 19_456, passes: 2, threads: 0, queue: 0 },
            database: DatabasePolicy::default(),
            audit_retention: 365 * DAY,
            webhooks: Vec::new(),
            client_limits: true,
            exempt_networks: Vec::new(),
            applications: Vec::new(),
        }
    }
}

impl Default for ConfirmPolicy {
    fn default() -> Self {
        Self {
            link: true,
            code: true,
            require_password: true,
            code_digits: 4,
            code_lifetime: MINUTE,
            guesses_per_code: 3,
            codes_per_day: 5,
            failures_per_day: 15,
            failures_per_month: 30,
            client_failures: [Rate::new(10, 10 * MINUTE), Rate::new(30, DAY)],
            failures_per_hour_of_all: 200,
        }
    }
}

impl Default for SignUpPolicy {
    fn default() -> Self {
        Self {
            lifetime: DAY,
            open_per_address: 3,
            resend_waits: [1, 2, 4, 8, 15].map(|minutes| minutes * MINUTE).to_vec(),
            mails_per_day: 10,
            client_mails: Rate::new(100, HOUR),
            notices_per_day: 1,
            idempotency_lifetime: DAY,
            disclosure: Disclosure::Discreet,
            mode: SignUpMode::Open,
            consent: TermsConsent::Off,
        }
    }
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self {
            free_failures: 5,
            first_wait: Duration::from_secs(1),
            longest_wait: 15 * MINUTE,
            hard_stop: 100,
            failures_to_notice: 10,
            client_failures: Rate::new(20, 5 * MINUTE),
        }
    }
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            access_lifetime: 10 * MINUTE,
            leeway: Duration::from_secs(5),
            session_idle: 14 * DAY,
            session_absolute: 30 * DAY,
            step_up: 5 * MINUTE,
            reuse_grace: Duration::from_secs(10),
            audience: None,
            cache_capacity: 10_000,
            algorithm: SigningAlgorithm::default(),
            jwks_max_age: 5 * MINUTE,
            keys_read_every: MINUTE,
        }
    }
}

#[cfg(test)]
mod tests;

/// A setting that would make the product unsafe or unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {rule}")]
pub struct PolicyError {
    /// The setting, as `section.name`.
    pub setting: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}
