//! A rendered mail with its headers, ready to be handed over.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use vestibule::{Email, Mail, MailId, Secret, Timestamp};

use crate::Sender;
use crate::templates::Rendered;
use crate::values;

/// One message as it leaves: subject, two bodies, and the MIME source built from them.
pub struct Letter {
    id: MailId,
    kind: &'static str,
    to: Email,
    sender: Sender,
    created_at: Timestamp,
    code: Option<Secret>,
    link: Option<Secret>,
    rendered: Rendered,
    envelope: Envelope,
    source: Vec<u8>,
}

/// Why a mail cannot become a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// A value would break out of its line (M4).
    #[error("{0} holds a line break or another control character")]
    ControlCharacter(&'static str),
    /// The address is none for the MIME library.
    #[error("{0} is not an address that can be written in a header")]
    Address(&'static str),
    /// This crate has no template for this kind of mail.
    #[error("there is no template for mails of the kind `{0}`")]
    UnknownKind(&'static str),
    /// The template failed although it was checked at the start.
    #[error("template: {0}")]
    Template(String),
    /// The MIME library refused the message.
    #[error("message: {0}")]
    Message(String),
}

impl Letter {
    pub(crate) fn build(mail: &Mail, rendered: Rendered, sender: &Sender) -> Result<Self, LetterError> {
        let message = message(mail, &rendered, sender)?;
        let (link, code) = values::secrets(&mail.content);
        Ok(Self {
            id: mail.id,
            kind: mail.content.kind(),
            to: mail.to.clone(),
            sender: sender.clone(),
            created_at: mail.created_at,
            code: code.cloned(),
            link: link.cloned(),
            rendered,
            envelope: message.envelope().clone(),
            source: message.formatted(),
        })
    }

    /// The id of the mail: the same for every attempt.
    pub fn id(&self) -> MailId {
        self.id
    }

    /// The kind of mail, as [`vestibule::MailContent::kind`].
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whom it is for.
    pub fn to(&self) -> &Email {
        &self.to
    }

    /// Whom it comes from.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// When its cause happened.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The subject: never holds a secret (M5).
    pub fn subject(&self) -> &str {
        &self.rendered.subject
    }

    /// The plain text body.
    pub fn text(&self) -> &str {
        &self.rendered.text
    }

    /// The HTML body.
    pub fn html(&self) -> &str {
        &self.rendered.html
    }

    /// The code in it, if it has one.
    pub fn code(&self) -> Option<&Secret> {
        self.code.as_ref()
    }

    /// The link with a token in it, if it has one.
    pub fn link(&self) -> Option<&Secret> {
        self.link.as_ref()
    }

    /// The whole message as MIME source.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// `<msg_…@domain>`: stable over all attempts, so that a receiver can drop a duplicate.
    pub fn message_id(&self) -> String {
        message_id(self.id, &self.sender)
    }

    /// `to` with its domain as A-labels, which every relay and provider understands.
    pub(crate) fn to_ascii_domain(&self) -> String {
        ascii_domain(&self.to)
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

fn message_id(id: MailId, sender: &Sender) -> String {
    format!("<{id}@{}>", sender.address().domain())
}

pub(crate) fn ascii_domain(email: &Email) -> String {
    format!("{}@{}", email.local_part(), email.domain())
}

/// An address for a header. The domain is written as A-labels, so that only a UTF-8 local part needs SMTPUTF8.
pub(crate) fn mailbox(email: &Email, name: Option<String>) -> Result<Mailbox, LetterError> {
    let address =
        Address::new(email.local_part(), email.domain()).map_err(|_| LetterError::Address("the address"))?;
    Ok(Mailbox::new(name, address))
}

fn message(mail: &Mail, rendered: &Rendered, sender: &Sender) -> Result<Message, LetterError> {
    check_line("the subject", &rendered.subject)?;
    check_line("the recipient", mail.to.as_str())?;
    let raw = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    // A boundary made from the id cannot occur in a body: no template is given the id.
    let body = MultiPart::alternative()
        .boundary(format!("=_{}", mail.id))
        .singlepart(SinglePart::plain(rendered.text.clone()))
        .singlepart(SinglePart::html(rendered.html.clone()));
    Message::builder()
        .from(sender.mailbox()?)
        .to(mailbox(&mail.to, None)?)
        .subject(rendered.subject.clone())
        .date(date(mail.created_at))
        .message_id(Some(message_id(mail.id, sender)))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .multipart(body)
        .map_err(|error| LetterError::Message(error.to_string()))
}

/// The cause's time, not the attempt's: every attempt is the same message. Kept inside what the header can say.
fn date(at: Timestamp) -> SystemTime {
    const LAST_SECOND_OF_9999: u64 = 253_402_300_799;
    let seconds = u64::try_from(at.as_seconds()).unwrap_or(0).min(LAST_SECOND_OF_9999);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// M4: a value that would end its line is an error, never repaired.
pub(crate) fn check_line(what: &'static str, value: &str) -> Result<(), LetterError> {
    if value.contains(char::is_control) { Err(LetterError::ControlCharacter(what)) } else { Ok(()) }
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str) -> Mail {
        Mail {
            id: format!("msg_{}", "0".repeat(26)).parse().unwrap(),
            to: to.parse().unwrap(),
            locale: None,
            created_at: Timestamp::from_millis(1_700_000_000_123),
            content: vestibule::MailContent::Welcome { sign_in: "https://example.org".to_owned() },
        }
    }

    fn rendered(subject: &str) -> Rendered {
        Rendered { subject: subject.to_owned(), text: "text\n".to_owned(), html: "<p>html</p>\n".to_owned() }
    }

    fn letter(to: &str, subject: &str, sender: &str) -> Result<String, LetterError> {
        let letter = Letter::build(&mail(to), rendered(subject), &sender.parse().unwrap())?;
        Ok(String::from_utf8(letter.source).unwrap())
    }

    #[test]
    fn headers_come_from_the_values() {
        let source = letter("Ada@Bücher.example", "Grüße", "Exämple <no-reply@Bücher.example>").unwrap();
        for line in [
            "To: Ada@xn--bcher-kva.example\r\n",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
            "Message-ID: <msg_00000000000000000000000000@xn--bcher-kva.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "X-Auto-Response-Suppress: All\r\n",
            "MIME-Version: 1.0\r\n",
            "<no-reply@xn--bcher-kva.example>\r\n",
            "Content-Type: multipart/alternative;",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(source.contains(line), "{line:?} is not in\n{source}");
        }
        assert!(source.is_ascii(), "encoded words and A-labels leave nothing for SMTPUTF8:\n{source}");
    }

    // M4: header injection is an error, whatever the line break.
    #[test]
    fn a_subject_with_a_line_break_is_refused() {
        for subject in ["a\r\nBcc: eve@example.org", "a\nb", "a\rb", "a\0b", "a\u{85}b"] {
            assert_eq!(
                letter("ada@example.org", subject, "x@example.org"),
                Err(LetterError::ControlCharacter("the subject"))
            );
        }
    }

    #[test]
    fn dates_out_of_range_do_not_panic() {
        for millis in [i64::MIN, -1, 0, i64::MAX] {
            let mut mail = mail("ada@example.org");
            mail.created_at = Timestamp::from_millis(millis);
            assert!(Letter::build(&mail, rendered("s"), &"x@example.org".parse().unwrap()).is_ok());
        }
    }

    #[test]
    fn the_same_mail_is_the_same_message() {
        let once = letter("ada@example.org", "Hello", "x@example.org").unwrap();
        assert_eq!(once, letter("ada@example.org", "Hello", "x@example.org").unwrap());
    }
}
