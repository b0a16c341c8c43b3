//! Texts from the other side, made safe for a log line and a column: short, one line, without secrets.

use vestibule::SendError;

/// Enough for a relay's reply; people read it.
const CHARS_MAX: usize = 300;

/// One line of at most [`CHARS_MAX`] characters, without control characters.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(CHARS_MAX).collect()
}

/// Removes the given texts from `error`: relays tend to quote the address, content filters the link (O1, O2).
pub(crate) fn redacted(error: SendError, hidden: &[(&str, &str)]) -> SendError {
    let hide = |text: String| {
        hidden
            .iter()
            .filter(|(secret, _)| !secret.is_empty())
            .fold(text, |text, (secret, name)| text.replace(secret, name))
    };
    let shown = |cause| one_line(&hide(cause));
    match error {
        SendError::Temporary(cause) => SendError::Temporary(shown(cause)),
        SendError::Throttled { cause, retry_after } => {
            SendError::Throttled { cause: shown(cause), retry_after }
        }
        SendError::Refused(cause) => SendError::Refused(shown(cause)),
        SendError::Deferred(cause) => SendError::Deferred(shown(cause)),
        SendError::Uncertain(cause) => SendError::Uncertain(shown(cause)),
        SendError::Permanent(cause) => SendError::Permanent(shown(cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_one_short_line() {
        assert_eq!(one_line(" 550 no\r\n\u{1b}[31msuch  user "), "550 no [31msuch user");
        assert_eq!(one_line(&"x".repeat(900)).len(), CHARS_MAX);
    }

    #[test]
    fn what_is_hidden_is_replaced() {
        let error = SendError::Permanent("550 <ada@example.org> unknown".to_owned());
        let shown = redacted(error, &[("ada@example.org", "[address]"), ("", "[nothing]")]);
        assert_eq!(shown, SendError::Permanent("550 <[address]> unknown".to_owned()));
    }
}
