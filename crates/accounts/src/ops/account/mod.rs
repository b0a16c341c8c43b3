//! What users do with their own account.

pub(crate) mod email;
pub(crate) mod forgot;
pub(crate) mod password;
pub(crate) mod profile;
