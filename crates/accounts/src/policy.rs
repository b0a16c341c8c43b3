//! Every limit and lifetime, with its name, its default and where it comes from.

mod check;

use std::time::Duration;

use ipnet::IpNet;

use crate::domain::password::PasswordRules;
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
    /// How often a password may be wrong.
    pub sign_in: SignInPolicy,
    /// Links that set a new password.
    pub password_reset: PasswordResetPolicy,
    /// Links that change the address.
    pub email_change: EmailChangePolicy,
    /// What administrators have sent, and how the first of them comes about.
    pub admin: AdminPolicy,
    /// Tokens and sessions.
    pub tokens: TokenPolicy,
    /// What a new password must satisfy.
    pub passwords: PasswordRules,
    /// Passwords that one client may have judged; then 429. Counted by each instance for itself.
    pub password_checks: Rate,
    /// The cost of a password hash and the threads that pay it.
    pub hash: HashPolicy,
    /// How PostgreSQL is used; SQLite needs none of it.
    pub database: DatabasePolicy,
    /// How long the audit trail is kept.
    pub audit_retention: Duration,
    /// Who is told what happens to users; nobody by default. At most 16 endpoints.
    pub webhooks: Vec<WebhookSubscription>,
    /// The limits per client. Off only in load tests; the limits per address stay.
    pub client_limits: bool,
    /// Networks whose clients are not limited per client: a school or an office behind one address.
    pub exempt_networks: Vec<IpNet>,
}

/// So many in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub most: i64,
    /// The length of the window.
    pub window: Duration,
}

impl Rate {
    /// `most` in any window of this length.
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
    /// The link asks for the password too (S4). Without it, whoever reads the mail activates the account.
    pub require_password: bool,
    /// Digits of a code, 4 to 8.
    pub code_digits: u8,
    /// How long a code works, from the hand-over of its mail.
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
    /// Failed guesses of everybody in an hour; then link only until it is quiet again (C5, C7).
    pub failures_per_hour_of_all: i64,
}

/// Sign-ups that wait for their confirmation: security requirements S1–S7.
#[derive(Clone, Debug)]
pub struct SignUpPolicy {
    /// How long a sign-up waits for its confirmation, and how long its link works.
    pub lifetime: Duration,
    /// Sign-ups per address that get a code and a link for their password; a further one gets a link at which the owner of
    /// the mailbox chooses the password.
    pub open_per_address: i64,
    /// The wait before the first, second, … further mail, counted from the hand-over of the one before.
    pub resend_waits: Vec<Duration>,
    /// Requested mails per address in 24 hours. The last of them lets the owner of the mailbox choose a password.
    pub mails_per_day: i64,
    /// Requests per client prefix that cost a mail, whether one goes or not; then 429.
    pub client_mails: Rate,
    /// "You already have an account" mails per address in 24 hours.
    pub notices_per_day: i64,
    /// How long an `Idempotency-Key` is remembered.
    pub idempotency_lifetime: Duration,
    /// Whether a sign-up may tell that the address is taken.
    pub disclosure: Disclosure,
    /// Who may sign up.
    pub mode: SignUpMode,
}

/// Who may sign up. Invitations, administrators and commands make accounts in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpMode {
    /// Everybody.
    Open,
    /// Nobody: people are told to look for an invitation.
    Invitation,
    /// Nobody: people are told that no accounts are made.
    Closed,
}

/// Whether sign-up may tell that an address has an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Never: the owner is told by mail (D3).
    Discreet,
    /// 409 `email_taken`, for those who prefer convenience.
    Friendly,
}

/// How often a password may be wrong: security requirements L2, L3.
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
    /// Failures in a row after which the owner is told by mail.
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

/// What administrators have sent, and how the first of them comes about: security requirements T3, O3.
#[derive(Clone, Debug)]
pub struct AdminPolicy {
    /// How long the link of an invitation works.
    pub invitation_lifetime: Duration,
    /// How long the link that makes the first administrator works.
    pub setup_lifetime: Duration,
    /// Mails that administrators have sent to one address in 24 hours. What strangers asked for does not count: they
    /// must not keep an administrator from helping somebody.
    pub mails_per_day: i64,
    /// How long after the password was given an administrator may give roles and delete users (O4).
    pub reauthenticate_after: Duration,
}

/// Tokens and sessions: security requirements J1–J7, R1–R6.
#[derive(Clone, Debug)]
pub struct TokenPolicy {
    /// Life of an access token.
    pub access_lifetime: Duration,
    /// Tolerance for clocks that differ, when checking `exp`, `iat` and `nbf`.
    pub leeway: Duration,
    /// A session ends after this long without use.
    pub session_idle: Duration,
    /// A session ends after this long in any case.
    pub session_absolute: Duration,
    /// Reuse of a refresh token within this time is refused only; later it ends the session.
    pub reuse_grace: Duration,
    /// The `aud` of the tokens; the public address where it is empty.
    pub audience: Option<String>,
    /// How many verified tokens are remembered.
    pub cache_capacity: usize,
    /// How the next signing key signs. A key that exists keeps its own.
    pub algorithm: SigningAlgorithm,
    /// How long others may keep the published keys.
    pub jwks_max_age: Duration,
    /// How often an instance reads the keys: [`Accounts::sweep`](crate::Accounts::sweep) is called about that often.
    pub keys_read_every: Duration,
}

impl TokenPolicy {
    /// How long a new key is published before it signs: until every instance has read it, even if it failed to once,
    /// and every copy of the keys that was taken from an instance before that has grown too old.
    pub fn key_lead(&self) -> Duration {
        2 * self.keys_read_every + self.jwks_max_age
    }

    /// How long a key verifies after the next one began to sign: until its last token has died.
    pub fn key_overlap(&self) -> Duration {
        self.access_lifetime + self.leeway
    }
}

/// The cost of a password hash (P4) and the threads that pay it (P6).
#[derive(Clone, Debug)]
pub struct HashPolicy {
    /// Memory of a hash in KiB, at least 19,456.
    pub memory_kib: u32,
    /// Passes over the memory, at least 2 at the smallest memory.
    pub passes: u32,
    /// Threads that hash; one per core where it is 0.
    pub threads: usize,
    /// Hashes that may wait; 0 means about one second of work.
    pub queue: usize,
}

/// How PostgreSQL is used.
#[derive(Clone, Debug)]
pub struct DatabasePolicy {
    /// Connections of this instance, made when they are needed.
    pub connections: usize,
    /// How long one statement may take, and about how long a host may be silent before it is left for the next one.
    pub statement_timeout: Duration,
    /// How long a start waits for a database that is not up yet.
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
            passwords: PasswordRules { min_code_points: 8, service_name: "Vestibule".to_owned() },
            password_checks: Rate::new(120, MINUTE),
            hash: HashPolicy { memory_kib: 19_456, passes: 2, threads: 0, queue: 0 },
            database: DatabasePolicy::default(),
            audit_retention: 365 * DAY,
            webhooks: Vec::new(),
            client_limits: true,
            exempt_networks: Vec::new(),
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

/// A setting that would make the product unsafe or useless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {rule}")]
pub struct PolicyError {
    /// The setting, as `section.name`.
    pub setting: &'static str,
    /// What it must satisfy.
    pub rule: &'static str,
}
