//! Why a mail cannot become a message.

/// Why a mail cannot become a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// A value would break out of its line (M4).
    #[error("{0} holds a line break or another control character")]
    ControlCharacter(&'static str),
    /// The MIME library does not accept the address.
    #[error("{0} is not an address that can be written in a header")]
    Address(&'static str),
    /// The template failed although it was checked at start.
    #[error("template: {0}")]
    Template(String),
    /// The MIME library refused the message.
    #[error("message: {0}")]
    Message(String),
}

/// M4: a value with a line break is an error, never repaired.
pub(crate) fn check_line(what: &'static str, value: &str) -> Result<(), LetterError> {
    if value.contains(char::is_control) { Err(LetterError::ControlCharacter(what)) } else { Ok(()) }
}
