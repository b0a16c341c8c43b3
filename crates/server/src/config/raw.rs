//! The settings as typed values, before they are checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

use super::values::{Network, PerTime, Span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) listen: String,
    pub(super) public_url: String,
    pub(super) data_dir: String,
    pub(super) database_url: String,
    pub(super) database: Database,
    pub(super) secret_key: String,
    pub(super) secret_key_previous: String,
    pub(super) service_name: String,
    pub(super) clients: Vec<Value>,
    pub(super) trusted_proxies: Vec<Network>,
    pub(super) mail: Mail,
    pub(super) webhooks: Webhooks,
    pub(super) confirm: Confirm,
    pub(super) signup: SignUp,
    pub(super) password: Password,
    pub(super) pages: Pages,
    pub(super) cors: Cors,
    pub(super) tokens: Tokens,
    pub(super) claims: BTreeMap<String, String>,
    pub(super) user_data: UserData,
    pub(super) passkeys: Passkeys,
    pub(super) second_factor: SecondFactor,
    pub(super) introspection: Introspection,
    pub(super) hash: Hash,
    pub(super) limits: Limits,
    pub(super) bootstrap: Bootstrap,
    pub(super) admin: Admin,
    pub(super) audit: Audit,
    pub(super) log: Log,
    pub(super) metrics: Metrics,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Database {
    pub(super) connections: usize,
    pub(super) statement_timeout: Span,
    pub(super) wait: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mail {
    pub(super) url: String,
    pub(super) from: String,
    pub(super) from_name: String,
    pub(super) templates_dir: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhooks {
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) events: Vec<String>,
    pub(super) allow_private_addresses: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    pub(super) methods: Vec<Method>,
    pub(super) require_password: bool,
    pub(super) code_digits: u8,
    pub(super) code_lifetime: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Method {
    Code,
    Link,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignUp {
    pub(super) mode: SignUpMode,
    pub(super) consent: TermsConsent,
    pub(super) lifetime: Span,
    pub(super) disclosure: Disclosure,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SignUpMode {
    Open,
    Invitation,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum TermsConsent {
    Off,
    Line,
    Checkbox,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Disclosure {
    Discreet,
    Friendly,
}

impl From<SignUpMode> for vestibule::SignUpMode {
    fn from(mode: SignUpMode) -> Self {
        match mode {
            SignUpMode::Open => Self::Open,
            SignUpMode::Invitation => Self::Invitation,
            SignUpMode::Closed => Self::Closed,
        }
    }
}

impl From<TermsConsent> for vestibule::TermsConsent {
    fn from(consent: TermsConsent) -> Self {
        match consent {
            TermsConsent::Off => Self::Off,
            TermsConsent::Line => Self::Line,
            TermsConsent::Checkbox => Self::Checkbox,
        }
    }
}

impl From<Disclosure> for vestibule::Disclosure {
    fn from(disclosure: Disclosure) -> Self {
        match disclosure {
            Disclosure::Discreet => Self::Discreet,
            Disclosure::Friendly => Self::Friendly,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Password {
    pub(super) preset: Preset,
    pub(super) min_length: usize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Preset {
    Standard,
    Nist,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pages {
    pub(super) accent: String,
    pub(super) logo: String,
    pub(super) logo_alone: bool,
    pub(super) css: String,
    pub(super) support: String,
    pub(super) terms_url: String,
    pub(super) privacy_url: String,
    pub(super) return_urls: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cors {
    pub(super) origins: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tokens {
    pub(super) access_lifetime: Span,
    pub(super) algorithm: String,
    pub(super) audience: String,
    pub(super) password_grant: bool,
    pub(super) session_idle: Span,
    pub(super) session_absolute: Span,
    pub(super) step_up: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UserData {
    pub(super) schema: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passkeys {
    pub(super) enabled: bool,
    pub(super) rp_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecondFactor {
    pub(super) require: RequireFactor,
    pub(super) grace: Span,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RequireFactor {
    Off,
    Admins,
    All,
}

impl From<RequireFactor> for vestibule::RequireFactor {
    fn from(require: RequireFactor) -> Self {
        match require {
            RequireFactor::Off => Self::Off,
            RequireFactor::Admins => Self::Admins,
            RequireFactor::All => Self::All,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Introspection {
    pub(super) clients: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hash {
    pub(super) memory_kib: u32,
    pub(super) passes: u32,
    pub(super) threads: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bootstrap {
    pub(super) admin_email: String,
    pub(super) admin_password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) reauthenticate_after: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    pub(super) retention: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) enabled: bool,
    pub(super) sign_in: PerTime,
    pub(super) codes: [PerTime; 2],
    pub(super) mails: PerTime,
    pub(super) exempt: Vec<Network>,
    pub(super) hard_stop: i64,
    pub(super) connections: usize,
    pub(super) connections_per_client: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    pub(super) format: LogFormat,
    pub(super) level: String,
    pub(super) otlp_endpoint: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) listen: String,
    pub(super) token: String,
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}
