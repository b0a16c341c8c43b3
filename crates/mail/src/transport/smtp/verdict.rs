//! The meaning of a relay's refusal, failure or silence, judged by the step at which it happens.

use std::io;
use std::time::Duration;

use lettre::transport::smtp::Error;
use vestibule::SendError;

use crate::cause;

/// The step of the dialogue that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    SignIn,
    /// The sender is always us.
    Sender,
    /// The same, for an address that needs SMTPUTF8, which may be what is refused.
    SenderUtf8,
    Recipient,
    Data,
    /// From here on the relay may have the message.
    Message,
}

/// A dialogue that failed.
pub(super) struct Failed {
    error: SendError,
    /// The relay is closing the connection, or has closed it, without the message: on a new one it may accept it.
    pub(super) is_worn: bool,
}

impl From<SendError> for Failed {
    fn from(error: SendError) -> Self {
        Self { error, is_worn: false }
    }
}

impl From<Failed> for SendError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// The relay did not answer.
pub(super) fn late(at: Step, limit: Duration) -> Failed {
    let silent = |to: &str| format!("the relay did not answer{to} within {} s", limit.as_secs());
    Failed::from(match at {
        Step::Message => SendError::Uncertain(silent(" to the message")),
        _ => SendError::Temporary(silent("")),
    })
}

pub(super) fn judged(at: Step, error: &Error) -> Failed {
    // The reply to a sign-in is left out: it may quote the credentials (O1).
    let reply = || cause::one_line(&error.to_string());
    match error.status().map(u16::from) {
        // RFC 5321 §3.8
        Some(code) => Failed { error: refused(at, code, &reply()), is_worn: code == 421 },
        None => Failed { error: broken(at, error, &reply()), is_worn: at != Step::Message },
    }
}

/// A refusal before the recipient was named applies to any recipient.
fn refused(at: Step, code: u16, reply: &str) -> SendError {
    match (at, code) {
        (Step::SignIn, 500..) => SendError::Refused(format!(
            "the relay refused the user name or password ({code}): check the mail settings"
        )),
        (Step::SignIn, _) => {
            SendError::Temporary(format!("the relay cannot check the user name and password now ({code})"))
        }
        // RFC 4954 §6: sign-in required, too weak, failed, encryption required.
        (_, 530 | 534 | 535 | 538) => {
            SendError::Refused(format!("the relay wants another sign-in ({code}): check the mail settings"))
        }
        (Step::Connect, 500..) => SendError::Refused(format!("the relay refuses to talk to us: {reply}")),
        (Step::Connect, _) => SendError::Temporary(format!("the relay does not talk to us now: {reply}")),
        (Step::Sender, 500..) => {
            SendError::Refused(format!("the relay refuses mail from us, whoever it is for: {reply}"))
        }
        // RFC 6531 §3.5, RFC 5321 §4.2.2: addresses beyond ASCII are refused, or the parameters are unknown.
        (Step::SenderUtf8, 553 | 555) => SendError::Permanent(no_utf8(reply)),
        (Step::SenderUtf8, 500..) if reply.contains("5.6.7") => SendError::Permanent(no_utf8(reply)),
        (Step::Recipient | Step::Data | Step::Message, 500..) => {
            SendError::Permanent(format!("the relay refused the message: {reply}"))
        }
        // RFC 5321 §3.8: 421 closes the connection, whatever the command was.
        (Step::Sender, _) | (_, 421) => SendError::Temporary(format!("the relay takes nothing now: {reply}")),
        (_, _) => SendError::Deferred(format!("the relay deferred the message: {reply}")),
    }
}

fn no_utf8(reply: &str) -> String {
    format!("the relay does not take an address with letters beyond ASCII: {reply}")
}

fn broken(at: Step, error: &Error, cause: &str) -> SendError {
    match at {
        Step::Connect if is_of_tls(error) => {
            SendError::Refused(format!("no connection to the relay: {cause}"))
        }
        Step::Connect => SendError::Temporary(format!("no connection to the relay: {cause}")),
        // It offers no authentication mechanism that is supported here.
        Step::SignIn if error.is_client() => SendError::Refused(format!("sign-in at the relay: {cause}")),
        Step::SignIn => SendError::Temporary(format!("sign-in at the relay: {cause}")),
        Step::Sender | Step::SenderUtf8 | Step::Recipient | Step::Data => {
            SendError::Temporary(format!("the connection to the relay broke: {cause}"))
        }
        Step::Message => {
            SendError::Uncertain(format!("the connection broke before the relay answered: {cause}"))
        }
    }
}

/// Whether the other side has no trusted certificate, or does not speak TLS: the errors of the TLS library arrive as
/// invalid data.
fn is_of_tls(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        if deeper.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        cause = deeper.source();
    }
    false
}
