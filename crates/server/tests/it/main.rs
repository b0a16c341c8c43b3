//! The program itself, run as people run it: processes, signals, files, sockets.

#![expect(clippy::unwrap_used, reason = "what a test cannot unwrap has failed")]

mod administration;
mod applications;
#[path = "../../examples/axum_service/axum_app.rs"]
mod axum_app;
mod backup;
mod base_path;
mod browser;
mod browser_cors;
mod browser_tls;
mod clients;
mod commands;
mod costs;
mod database_file;
mod database_lost;
mod described;
mod doctor;
mod doctor_dns;
mod factors;
mod foreign_clients;
mod forward_auth;
mod import;
mod init;
mod instances;
mod integrate;
mod introspection;
mod keys;
mod lifecycle;
mod limits;
mod litestream;
mod metrics;
mod migrations;
mod moving;
mod name_server;
mod openers;
mod operators;
#[cfg(feature = "otlp")]
mod otlp;
mod peers;
mod protect;
mod proxies;
mod readme;
mod references;
mod relay;
mod relay_down;
mod relay_peer;
mod relay_slow;
mod reload;
mod settings;
mod start_order;
mod supervised;
mod tls;
mod tokens;
mod traces;
mod users;
mod verifiers;
mod webhooks;
mod whereabouts;
