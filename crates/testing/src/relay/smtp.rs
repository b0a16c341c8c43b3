//! As much of RFC 5321 as a sender needs; for everything else there is the server's `tests/peers/smtp.py`.

use std::io::{BufRead, BufReader, ErrorKind, Result, Write as _};
use std::net::TcpStream;
use std::thread;

use super::inbox::{Inbox, Letter, Step, Trouble};

/// Serves one connection until it ends.
pub(super) fn converse(stream: &TcpStream, inbox: &Inbox) -> Result<()> {
    let mut input = BufReader::new(stream);
    let say = |answer: &str| {
        let mut stream = stream;
        stream.write_all(format!("{answer}\r\n").as_bytes())
    };
    let mut recipients = Vec::new();
    if inbox.trouble() == Some(Trouble::Throttles) {
        return say("421 4.7.0 too many connections");
    }
    say("220 relay.example.net ESMTP")?;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => say("250-relay.example.net\r\n250-8BITMIME\r\n250 SMTPUTF8")?,
            "MAIL" => {
                recipients.clear();
                say(inbox.refusal(Step::Sender, &[]).unwrap_or("250 2.0.0 good"))?;
            }
            "RSET" => {
                recipients.clear();
                say("250 2.0.0 good")?;
            }
            "RCPT" => {
                let to = line.split_once('<').and_then(|(_, rest)| Some(rest.split_once('>')?.0.to_owned()));
                let to: Vec<String> = to.into_iter().collect();
                let refusal = inbox.refusal(Step::Recipient, &to);
                recipients.extend(to.into_iter().filter(|_| refusal.is_none()));
                say(refusal.unwrap_or("250 2.1.5 good"))?;
            }
            "DATA" if recipients.is_empty() => say("503 5.5.1 for whom?")?,
            "DATA" => {
                say("354 end with a dot")?;
                let source = data(&mut input)?;
                if let Some(refusal) = inbox.refusal(Step::Message, &recipients) {
                    say(refusal)?;
                    continue;
                }
                inbox.put(Letter::read(&recipients, &source));
                match inbox.trouble() {
                    Some(Trouble::HangsUp) => return Ok(()),
                    Some(Trouble::Slow(wait)) => thread::sleep(wait),
                    _ => {}
                }
                say("250 2.0.0 taken")?;
            }
            "NOOP" => say("250 2.0.0 good")?,
            "QUIT" => return say("221 2.0.0 bye"),
            _ => say("502 5.5.1 not known here")?,
        }
    }
}

/// A message up to the line with a dot, with dot-stuffing removed (RFC 5321 §4.5.2).
fn data(input: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut source = Vec::new();
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(source);
        }
        source.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
