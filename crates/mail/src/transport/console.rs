//! Mail to the terminal.

use vestibule::SendError;

use crate::letter::Letter;

/// Prints the text of every message to standard error: for a first look, not for production, as it reveals the codes.
#[derive(Clone, Copy, Debug)]
pub struct Console;

impl Console {
    #[expect(clippy::unused_self, reason = "every transport is called the same way")]
    pub(crate) fn deliver(self, letter: &Letter) -> Result<(), SendError> {
        write(&mut std::io::stderr().lock(), letter)
            .map_err(|error| SendError::Temporary(format!("standard error: {error}")))
    }
}

fn write(out: &mut impl std::io::Write, letter: &Letter) -> std::io::Result<()> {
    let (to, subject, text) = (letter.to(), letter.subject(), letter.text());
    writeln!(out, "----- mail {}\nTo: {to}\nSubject: {subject}\n\n{text}\n-----", letter.id())
}
