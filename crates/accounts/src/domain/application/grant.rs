//! What a user has allowed an application.

use crate::domain::application::id::ApplicationId;
use crate::domain::application::scope::Scopes;
use crate::domain::profile::claim_paths::ClaimPaths;
use crate::domain::time::Timestamp;

/// An application that a user has let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The application.
    pub application: ApplicationId,
    /// What people call it; its id, if it is not registered any more.
    pub name: String,
    /// What it may see and do.
    pub scopes: Scopes,
    /// What it is told of the user beyond that.
    pub claims: ClaimPaths,
    /// When the user first allowed it.
    pub created_at: Timestamp,
    /// When it last got a token.
    pub last_used_at: Timestamp,
}
