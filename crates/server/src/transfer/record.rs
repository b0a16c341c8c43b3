//! One record of a file of users, before anything is understood of it.

use serde_json::{Map, Value};

/// Octets of one record. Nobody has a user that large, and memory must not grow with what is in a file.
pub(crate) const OCTETS_MAX: usize = 1024 * 1024;

/// Why a row was not imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The name of the field, or nothing if it is about the whole row.
    pub(crate) field: &'static str,
    pub(crate) reason: String,
}

impl Refusal {
    pub(crate) fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }

    /// Of the whole row.
    pub(crate) fn whole(reason: impl Into<String>) -> Self {
        Self::new("", reason)
    }
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The line it begins in, counted from 1; in a JSON array, which element it is.
    pub(crate) number: u64,
    /// As it is in the file, without the line break; empty if it is too long to be kept.
    pub(crate) raw: Vec<u8>,
    /// Its fields by their names.
    pub(crate) fields: Result<Map<String, Value>, Refusal>,
}

/// Reads a record of JSON.
pub(crate) fn of_json(number: u64, raw: Vec<u8>) -> Record {
    let fields = match std::str::from_utf8(&raw) {
        Err(_) => Err(Refusal::whole("this is not UTF-8")),
        Ok(text) => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Refusal::whole("this is JSON, but no object")),
            Err(error) => Err(Refusal::whole(format!("this is not JSON: {error}"))),
        },
    };
    Record { number, raw, fields }
}

/// A record that was not kept.
pub(crate) fn too_long(number: u64) -> Record {
    let reason = "this is longer than 1 MiB, and not in the file of errors";
    Record { number, raw: Vec::new(), fields: Err(Refusal::whole(reason)) }
}
