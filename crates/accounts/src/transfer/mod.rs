//! All accounts at once, from one database to another: moves.

pub(crate) mod mover;
