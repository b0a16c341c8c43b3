//! The sender of all mail.

use std::str::FromStr;

use lettre::message::Mailbox;
use vestibule::{Email, EmailError};

use crate::letter_error::LetterError;

/// The `From` of every message: an address, with or without a name. Parsed from `no-reply@example.org` or
/// `Example <no-reply@example.org>`.
#[derive(Clone, Debug)]
pub struct Sender {
    name: Option<String>,
    address: Email,
}

/// Why a text is not a [`Sender`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// The address is not valid.
    #[error("the sender's address: {0}")]
    Address(#[from] EmailError),
    /// The name contains a control character, or is longer than 100 characters.
    #[error("the sender's name holds a control character or is longer than 100 characters")]
    Name,
}

const NAME_CHARS_MAX: usize = 100;

impl Sender {
    /// A sender with this name, if any.
    pub fn new(name: Option<&str>, address: Email) -> Result<Self, SenderError> {
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        match name {
            Some(name) if name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control) => {
                Err(SenderError::Name)
            }
            name => Ok(Self { name: name.map(str::to_owned), address }),
        }
    }

    /// The name, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    pub fn address(&self) -> &Email {
        &self.address
    }

    pub(crate) fn mailbox(&self) -> Result<Mailbox, LetterError> {
        let address = self.address.in_mail().parse().map_err(|_| LetterError::Address("the address"))?;
        Ok(Mailbox::new(self.name.clone(), address))
    }
}

impl FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        match text.trim().strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => Self::new(Some(name.trim().trim_matches('"')), address.parse()?),
            None => Self::new(None, text.trim().parse()?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        let plain: Sender = "no-reply@example.org".parse().unwrap();
        assert_eq!((plain.name(), plain.address().as_str()), (None, "no-reply@example.org"));
        let named: Sender = "\"Exämple, Inc.\" <no-reply@example.org>".parse().unwrap();
        assert_eq!((named.name(), named.address().as_str()), (Some("Exämple, Inc."), "no-reply@example.org"));
    }

    // M4: nothing that could start a header of its own.
    #[test]
    fn a_line_break_is_refused() {
        assert_eq!("A\r\nBcc: x <a@example.org>".parse::<Sender>().unwrap_err(), SenderError::Name);
        assert!("A <a@example.org\r\n>".parse::<Sender>().is_err());
        assert!("A <a@example.org> b".parse::<Sender>().is_err());
        assert_eq!(
            format!("{} <a@example.org>", "x".repeat(101)).parse::<Sender>().unwrap_err(),
            SenderError::Name
        );
    }
}
