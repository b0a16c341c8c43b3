//! The crate from outside: what is rendered, and what relays and providers receive.
#![expect(clippy::unwrap_used, reason = "the helpers of tests may end a test")]

mod addresses;
mod folder;
mod http_api;
mod languages;
mod logouts;
mod memory;
mod overrides;
mod preview;
mod rendered;
mod smtp;
mod support;
mod webhooks;
