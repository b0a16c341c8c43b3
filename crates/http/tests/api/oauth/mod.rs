//! The routes of OAuth 2.

mod introspect;
mod token;
