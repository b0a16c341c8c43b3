//! Whether mail would be taken: connect, TLS, EHLO, AUTH, and no message unless one is asked for.

use std::time::Duration;

use tokio::time::timeout;
use vestibule::{Email, Env, Mail, MailTransport as _, SendAttempt, SendError};
use vestibule_mail::{Mailer, Transport};

use super::report::Finding;
use crate::config::settings::Config;
use crate::mailer;

const CHECK: &str = "mail";
/// A person waits.
const RELAY_MAX: Duration = Duration::from_secs(10);
const MESSAGE_MAX: Duration = Duration::from_mins(1);

/// Asks the relay, and sends a message where there is a recipient.
pub(super) async fn check(config: &Config, to: Option<Email>) -> Finding {
    let mailer = match mailer::mailer(config, false, &config.public_url(None)) {
        Ok(mailer) => mailer,
        Err(problem) => return Finding::of_problem(CHECK, &problem),
    };
    let sends = to.is_some();
    let taken = match to {
        Some(to) => timeout(MESSAGE_MAX, send(&mailer, to)).await,
        None => timeout(RELAY_MAX, mailer.transport().reach()).await,
    };
    let place = config.place("mail.url");
    match taken {
        Ok(Ok(())) => good(mailer.transport(), sends),
        Ok(Err(error)) => failed(&place, &error),
        Err(_) => Finding::fail(CHECK, format!("{place}: no answer within {} s", RELAY_MAX.as_secs()))
            .cause("a firewall, a wrong port, or a relay that is overloaded")
            .fix("correct host and port in mail.url, or let the firewall pass; then `vestibule mail test ADDRESS`"),
    }
}

async fn send(mailer: &Mailer, to: Email) -> Result<(), SendError> {
    mailer.send(&Mail::test(to, None, &Env::system()), &SendAttempt::untracked()).await
}

fn good(transport: &Transport, sent: bool) -> Finding {
    let what = match transport {
        Transport::Smtp(relay) => format!("the relay {relay} would take mail"),
        Transport::HttpApi(_) => {
            "the provider is not asked without a message: `vestibule doctor --send-to ADDRESS`".to_owned()
        }
        Transport::Console(_) | Transport::Folder(_) | Transport::Memory(_) => {
            let found = format!("mail goes to the transport `{}`, and to nobody", transport.name());
            return Finding::warn(CHECK, found)
                .cause("it is meant for development")
                .fix("set VESTIBULE_MAIL_URL, e.g. smtps://user:password@mail.example.org");
        }
    };
    if sent {
        return Finding::ok(CHECK, "a message was taken: now look in the mailbox, and in its spam folder");
    }
    Finding::ok(CHECK, what)
}

fn failed(place: &str, error: &SendError) -> Finding {
    let (what, fix) = match error {
        SendError::Refused(_) => (
            "mail is refused, whoever it is for",
            "correct VESTIBULE_MAIL_URL, VESTIBULE_MAIL_FROM or the account there; then `vestibule mail test ADDRESS`",
        ),
        SendError::Permanent(_) => ("the message was refused for good", "check the address of --send-to"),
        SendError::Uncertain(_) => ("the message was taken or not", "look in the mailbox"),
        SendError::Temporary(_) | SendError::Throttled { .. } | SendError::Deferred(_) => (
            "mail is not taken now",
            "correct host and port in VESTIBULE_MAIL_URL, or start the relay; then `vestibule mail test ADDRESS`",
        ),
    };
    Finding::fail(CHECK, format!("{place}: {what}")).cause(error.to_string()).fix(fix)
}
