//! What users do with their own account.

pub(crate) mod authenticator;
pub(crate) mod data;
pub(crate) mod email;
pub(crate) mod factor_change;
pub(crate) mod factor_due;
pub(crate) mod forgot;
pub(crate) mod passkeys;
pub(crate) mod password;
pub(crate) mod profile;
pub(crate) mod recovery_codes;
pub(crate) mod security_notice;
pub(crate) mod ways_in;
