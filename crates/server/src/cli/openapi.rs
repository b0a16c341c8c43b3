//! `vestibule openapi`: the description of the HTTP API.

use super::context::Context;
use super::terminal::output;
use crate::failure::Failure;

/// Prints the document, as it is served at `/openapi.json`.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    let document = vestibule_http::openapi(&config.public_url(config.listen.port()), &config.policy);
    output::line(document.trim_end())
}
