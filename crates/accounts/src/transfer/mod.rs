//! All accounts at once, from one database to another: moves, backups, restores.

#[cfg(feature = "sqlite")]
pub(crate) mod backup;
pub(crate) mod mover;
#[cfg(feature = "sqlite")]
pub(crate) mod restore;
mod sessions;
