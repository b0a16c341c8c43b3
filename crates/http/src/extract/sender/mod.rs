//! The sender of a request: its address and its credentials.

pub(crate) mod administrator;
pub(crate) mod app_data;
pub(crate) mod basic;
pub(crate) mod bearer;
pub(crate) mod client;
pub(crate) mod peers;
pub(crate) mod proxies;
pub(crate) mod signed_in;
