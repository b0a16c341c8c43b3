//! The program itself, run as people run it: processes, signals, files, sockets.

#![expect(clippy::unwrap_used, reason = "what a test cannot unwrap has failed")]

mod administration;
#[expect(unreachable_pub, reason = "the text of docs/protect.md, where it is an application's own file")]
mod axum_app;
mod browser;
mod clients;
mod commands;
mod described;
mod forward_auth;
mod http;
mod instances;
mod introspection;
mod keys;
mod lifecycle;
mod limits;
mod migrations;
mod operators;
mod peers;
mod program;
mod protect;
mod proxies;
mod readme;
mod relay;
mod relay_down;
mod relay_peer;
mod settings;
mod tokens;
mod users;
mod verifiers;
mod webhooks;
