//! The input of a request: the fields of its body and of its query.

pub(crate) mod fields;
pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod object;
pub(crate) mod query;
pub(crate) mod tree;
