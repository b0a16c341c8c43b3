//! The HTTP API of a mail provider: one POST per message.

use std::io::{BufRead, BufReader, Read as _, Result, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::Value;

use super::inbox::{Inbox, Letter, Step, Trouble};

/// Serves one connection until it ends.
pub(super) fn converse(stream: &TcpStream, inbox: &Inbox) -> Result<()> {
    let mut input = BufReader::new(stream);
    while let Some(letter) = request(&mut input)? {
        let recipients = std::slice::from_ref(&letter.to);
        let trouble = inbox.trouble();
        let answer = match trouble {
            Some(Trouble::Throttles) => "429 Too Many Requests\r\nretry-after: 1",
            Some(Trouble::Refuses(..)) => "400 Bad Request",
            _ => "200 OK",
        };
        if inbox.refusal(Step::Message, recipients).is_none() && answer.starts_with("200") {
            inbox.put(vec![letter]);
        }
        match trouble {
            Some(Trouble::HangsUp) => return Ok(()),
            Some(Trouble::Slow(wait)) => thread::sleep(wait),
            _ => {}
        }
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {answer}\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{{}}"
        )?;
    }
    Ok(())
}

/// The next request's message; `None` at the end.
fn request(input: &mut impl BufRead) -> Result<Option<Letter>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(Some(Letter {
        to: text(&body["to"][0]),
        message_id: text(&body["headers"]["Message-ID"]).trim_matches(['<', '>']).to_owned(),
        subject: text(&body["subject"]),
        text: text(&body["text"]),
        html: text(&body["html"]),
    }))
}
