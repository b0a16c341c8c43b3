//! Users in files: how they are read, whoever wrote them, and how they are written.

pub(crate) mod bookmark;
pub(crate) mod elements;
pub(crate) mod export;
pub(crate) mod fields;
pub(crate) mod formats;
pub(crate) mod lines;
pub(crate) mod record;
pub(crate) mod refused;
pub(crate) mod rows;
#[cfg(test)]
mod tests;
