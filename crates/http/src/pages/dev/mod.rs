//! The pages of the development mode.

mod mail;

pub(crate) use mail::routes;
