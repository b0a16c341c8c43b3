//! Why an operator changes something: for the audit trail.

use clap::Args;
use vestibule::Reason;

/// The option of every command that changes a user.
#[derive(Clone, Debug, Args)]
pub(crate) struct Because {
    /// Why, in one line for the audit trail, which also names your account on this machine
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: Option<Reason>,
}

/// Of an argument.
pub(crate) fn reason(text: &str) -> Result<Reason, String> {
    if text.trim().is_empty() {
        return Err("the reason is empty: say why, in one line".to_owned());
    }
    text.parse().map_err(|error: vestibule::ReasonError| error.to_string())
}
