//! The list of users: what it may ask for, and what users are searched by.

pub(crate) mod listed;
pub(crate) mod search_text;
