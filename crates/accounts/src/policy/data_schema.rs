//! What users may keep in their own data.

use std::fmt;

use serde_json::{Map, Value};

/// Decides what the users' own data may be.
pub trait DataSchema: fmt::Debug + Send + Sync {
    /// What is wrong with an object; nothing if it may be kept. It is called inside a transaction, so it must not wait.
    fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault>;
}

/// Something in an object that a [`DataSchema`] does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFault {
    /// The member, or the place where one is missing (RFC 6901).
    pub pointer: String,
    /// What is wrong with it, in a few words.
    pub reason: String,
}
