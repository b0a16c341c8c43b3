//! What is stored of a recovery code: a keyed hash, so that a copy of the database opens nothing. The key does not change
//! with the secret key: people keep their codes for years.

use super::root::{Purpose, RootKeys};
use crate::domain::access::recovery_code::RecoveryCode;
use crate::domain::ids::UserId;
use crate::store::tables::recovery_codes::RecoveryHash;

/// The keyed hash of a code of this user.
pub(crate) fn hash(root: &RootKeys, user: UserId, code: &RecoveryCode) -> RecoveryHash {
    root.mac(Purpose::RecoveryCode, &[user.as_bytes(), code.expose().as_bytes()])
}
