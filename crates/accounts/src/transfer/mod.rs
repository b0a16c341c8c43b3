//! All accounts at once, from one database to another: moves, backups, restores.

#[cfg(feature = "sqlite")]
pub(crate) mod backup;
pub(crate) mod mover;
pub(crate) mod progress;
#[cfg(feature = "sqlite")]
pub(crate) mod restore;
mod sessions;
