//! A rendered mail with its headers, ready to be sent.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use vestibule::{Email, Mail, MailId, Secret, Timestamp};

use crate::letter_error::{LetterError, check_line};
use crate::sender::Sender;
use crate::templates::Rendered;
use crate::values;

/// One message as sent: subject, two bodies, and the MIME source built from them.
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

    /// The recipient.
    pub fn to(&self) -> &Email {
        &self.to
    }

    /// The sender.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }

    /// When its cause happened.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// The subject: never contains a secret (M5).
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

    /// The code in it, if there is one.
    pub fn code(&self) -> Option<&Secret> {
        self.code.as_ref()
    }

    /// The link with a token in it, if there is one.
    pub fn link(&self) -> Option<&Secret> {
        self.link.as_ref()
    }

    /// The whole message as MIME source.
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// `<msg_…@domain>`: the same in all attempts, so that a receiver can drop a duplicate.
    pub fn message_id(&self) -> String {
        message_id(self.id, &self.sender)
    }

    /// Whether every mail system accepts the address. If not, a refusal may be about the address.
    pub(crate) fn is_plainly_addressed(&self) -> bool {
        let (local, domain) = (self.to.local_part(), self.to.domain());
        let top = domain.rsplit('.').next().unwrap_or_default();
        local.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b))
            && !domain.contains("xn--")
            && top.len() > 1
            && top.bytes().all(|b| b.is_ascii_alphabetic())
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }
}

fn message_id(id: MailId, sender: &Sender) -> String {
    format!("<{id}@{}>", sender.address().domain())
}

/// A recipient for a header and an envelope. Every [`Email`] can be written there: it is not checked a second time by
/// other rules. Only letters beyond ASCII before the `@` need SMTPUTF8.
pub(crate) fn mailbox(email: &Email, name: Option<String>) -> Result<Mailbox, LetterError> {
    let address = email.in_mail();
    let (local, domain) = address.rsplit_once('@').ok_or(LetterError::Address("the address"))?;
    // Forbidden in an address under any version of the rules (M4).
    if local.contains(|c: char| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"@".contains(c)) {
        return Err(LetterError::Address("the address"));
    }
    Ok(Mailbox::new(name, Address::new_dangerous(local, domain)))
}

fn message(mail: &Mail, rendered: &Rendered, sender: &Sender) -> Result<Message, LetterError> {
    check_line("the subject", &rendered.subject)?;
    check_line("the recipient", mail.to.as_str())?;
    let raw = |name, value: &str| HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned());
    // A boundary made from the id cannot occur in a body: templates do not get the id.
    let body = MultiPart::alternative()
        .boundary(format!("=_{}", mail.id))
        .singlepart(SinglePart::plain(rendered.text.clone()))
        .singlepart(SinglePart::html(rendered.html.clone()));
    let (from, to) = (sender.mailbox()?, mailbox(&mail.to, None)?);
    let wrong = |error: &dyn std::error::Error| LetterError::Message(error.to_string());
    // Passed explicitly: the library would parse it from the header by rules of its own.
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()]).map_err(|e| wrong(&e))?;
    Message::builder()
        .envelope(envelope)
        .from(from)
        .to(to)
        .subject(rendered.subject.clone())
        .date(date(mail.created_at))
        .message_id(Some(message_id(mail.id, sender)))
        .raw_header(raw("Auto-Submitted", "auto-generated"))
        .raw_header(raw("X-Auto-Response-Suppress", "All"))
        .multipart(body)
        .map_err(|error| wrong(&error))
}

/// The time of the cause, not of the attempt: every attempt is the same message. Clamped to what the header can
/// express.
fn date(at: Timestamp) -> SystemTime {
    const LAST_SECOND_OF_9999: u64 = 253_402_300_799;
    let seconds = u64::try_from(at.as_seconds()).unwrap_or(0).min(LAST_SECOND_OF_9999);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
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
