//! `vestibule mail`: the outbox, test messages and previews.

use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use vestibule::{
    Accounts, Actor, Email, Env, Mail, MailContent, MailId, MailQuery, MailState, MailTransport as _,
    QueuedMail, SendAttempt, SendError,
};
use vestibule_mail::{Mailer, Transport};

use super::context::Context;
use super::terminal::output;
use crate::cli::terminal::ask::confirmed;
use crate::failure::{Exit, Failure};
use crate::{mailer, open};

/// How long a test waits for the relay.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The largest page of the library.
const PAGE_MAX: usize = 200;

/// What to do with mail.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// List, retry or drop queued messages
    #[command(subcommand)]
    Outbox(Outbox),
    /// Send a test message and show how the relay answers
    Test {
        /// The recipient
        address: Email,
        /// The language: ar, de, en, es, fr or one of your own; English if there is no such template
        #[arg(long, default_value = "en")]
        locale: String,
    },
    /// Print an email with sample values
    Preview(Preview),
}

/// What to do with the outbox. ID is `msg_…`, as the list has it.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Outbox {
    /// List messages, newest first; waiting ones in the order they are due
    List {
        /// Only messages in this state
        #[arg(long)]
        state: Option<State>,
        /// The maximum number of messages
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Try to send a message again now
    Retry {
        /// The message
        #[arg(required_unless_present = "failed")]
        id: Option<MailId>,
        /// All failed messages
        #[arg(long, conflicts_with = "id")]
        failed: bool,
    },
    /// Remove a message that was not sent; it will never be sent
    Drop {
        /// The message
        id: MailId,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// The state of a message.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum State {
    /// Waiting to be sent
    Waiting,
    /// Accepted by the relay
    Sent,
    /// Failed for good
    Failed,
}

/// What to print.
#[derive(Clone, Debug, Args)]
pub(crate) struct Preview {
    /// The kind of email
    #[arg(value_parser = PossibleValuesParser::new(MailContent::KINDS))]
    template: String,
    /// The language: ar, de, en, es, fr or one of your own; English if there is no such template
    #[arg(long, default_value = "en")]
    locale: String,
    /// Print the HTML body instead of the text
    #[arg(long)]
    html: bool,
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Outbox(command) => outbox(context, &command),
        Command::Test { address, locale } => test(context, address, locale),
        Command::Preview(wanted) => preview(context, &wanted),
    }
}

fn outbox(context: &Context, command: &Outbox) -> Result<(), Failure> {
    // Asked before the database is opened, so that nothing waits for a person.
    if let Outbox::Drop { id, yes } = command {
        eprintln!("This removes {id} from the outbox; it will never be sent.");
        confirmed(*yes)?;
    }
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        match command {
            Outbox::List { state, limit } => list(context, &accounts, *state, *limit).await,
            Outbox::Retry { id: Some(id), .. } => {
                print(context, &[accounts.retry_mail(Actor::Operator, *id).await?])
            }
            Outbox::Retry { id: None, .. } => {
                let number = accounts.retry_failed_mail(Actor::Operator).await?;
                report(context, json!({ "retried": number }), &format!("tried again: {number}"))
            }
            Outbox::Drop { id, .. } => {
                accounts.drop_mail(Actor::Operator, *id).await?;
                report(context, json!({ "id": id, "dropped": true }), &format!("dropped: {id}"))
            }
        }
    })
}

fn report(context: &Context, value: Value, words: &str) -> Result<(), Failure> {
    if context.json { output::object(value) } else { output::line(words) }
}

async fn list(
    context: &Context,
    accounts: &Accounts,
    state: Option<State>,
    limit: usize,
) -> Result<(), Failure> {
    let state = state.map(|state| match state {
        State::Waiting => MailState::Waiting,
        State::Sent => MailState::Sent,
        State::Failed => MailState::Failed,
    });
    let mut query = MailQuery { state, ..MailQuery::default() };
    let mut left = limit;
    while left > 0 {
        query.limit = u32::try_from(left.min(PAGE_MAX)).ok();
        let page = accounts.list_mail(Actor::Operator, &query).await?;
        left = left.saturating_sub(page.items.len());
        print(context, &page.items)?;
        match page.next_cursor {
            None => return Ok(()),
            cursor => query.cursor = cursor,
        }
    }
    eprintln!("There are more: raise --limit, or narrow with --state.");
    Ok(())
}

fn print(context: &Context, mails: &[QueuedMail]) -> Result<(), Failure> {
    if context.json {
        return mails.iter().try_for_each(|mail| output::object(as_json(mail)));
    }
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows: Vec<_> = mails
        .iter()
        .map(|mail| {
            // A relay may answer anything; a terminal must not obey it.
            let cause = mail.last_error.as_ref().map(|cause| cause.replace(char::is_control, " "));
            [
                mail.id.to_string(),
                mail.kind.clone(),
                mail.state.name().to_owned(),
                text(mail.to.as_ref().map(Email::masked)),
                mail.created_at.to_string(),
                text(mail.due_at.map(|due| due.to_string())),
                mail.attempts.to_string(),
                text(cause),
            ]
        })
        .collect();
    output::table(["id", "kind", "state", "to", "created", "due", "attempts", "last error"], &rows)
}

fn as_json(mail: &QueuedMail) -> Value {
    json!({
        "id": mail.id,
        "kind": mail.kind,
        "state": mail.state.name(),
        "to": mail.to.as_ref().map(Email::masked),
        "created_at": mail.created_at,
        "due_at": mail.due_at,
        "attempts": mail.attempts,
        "last_error": mail.last_error,
        "sent_at": mail.sent_at,
        "failed_at": mail.failed_at,
    })
}

/// Works without a database, so mail can be tested before anything else is set up, or while something else is down.
fn test(context: &Context, address: Email, locale: String) -> Result<(), Failure> {
    let config = context.config()?;
    let mailer = mailer::mailer(&config, false, &config.public_url(None));
    let mailer = mailer.map_err(|problem| Failure::problems(&[problem]))?;
    let transport = mailer.transport().name();
    eprintln!("Sending a test message to {address} with the transport `{transport}` …");
    let mail = Mail::test(address, Some(locale), &Env::system());
    let sent = open::block_on(async { Ok(handed_over(&mailer, &mail).await) })?;
    let (outcome, cause) = match &sent {
        Ok(()) => ("sent", None),
        Err(SendError::Temporary(cause) | SendError::Throttled { cause, .. }) => ("temporary", Some(cause)),
        Err(SendError::Refused(cause)) => ("refused", Some(cause)),
        Err(SendError::Deferred(cause)) => ("deferred", Some(cause)),
        Err(SendError::Uncertain(cause)) => ("uncertain", Some(cause)),
        Err(SendError::Permanent(cause)) => ("permanent", Some(cause)),
    };
    if context.json {
        let answer = json!({ "id": mail.id, "transport": transport, "outcome": outcome, "cause": cause });
        output::object(answer)?;
    }
    let failure = |what: &str, exit: Exit, cause: &str, fix: &str| {
        Err(Failure::failed(format!("{what}: {cause}")).exit(exit).fix(fix))
    };
    match sent {
        Ok(()) if matches!(mailer.transport(), Transport::Memory(_)) => {
            eprintln!("It went to the mailbox of this process, which ends with it: nothing was sent.");
        }
        Ok(()) => {
            eprintln!("It was accepted ({}). Now look in the mailbox, and in its spam folder.", mail.id);
        }
        Err(SendError::Temporary(cause) | SendError::Throttled { cause, .. }) => {
            let fix = "check host, port, firewall and credentials; the server would try again for a day";
            return failure("not taken now", Exit::TryAgain, &cause, fix);
        }
        Err(SendError::Refused(cause)) => {
            let fix = "check VESTIBULE_MAIL_URL, VESTIBULE_MAIL_FROM and the account there; \
                       the server would try again for a day";
            return failure("refused, whoever it is for", Exit::Failed, &cause, fix);
        }
        Err(SendError::Deferred(cause)) => {
            let fix = "try again in some minutes; a mail of the server would be tried again for a day";
            return failure("not taken now", Exit::TryAgain, &cause, fix);
        }
        Err(SendError::Uncertain(cause)) => {
            let fix = "look into the mailbox; the server would send it again, with the same link and code";
            return failure("taken or not", Exit::TryAgain, &cause, fix);
        }
        Err(SendError::Permanent(cause)) => {
            return failure("refused for good", Exit::Failed, &cause, "check the address");
        }
    }
    Ok(())
}

/// A person waits for the result: not as long as the server would.
async fn handed_over(mailer: &Mailer, mail: &Mail) -> Result<(), SendError> {
    let attempt = SendAttempt::untracked();
    tokio::time::timeout(TIMEOUT, mailer.send(mail, &attempt)).await.unwrap_or_else(|_| {
        let cause = format!("no answer within {} s; the server would wait longer", TIMEOUT.as_secs());
        Err(SendError::Uncertain(cause))
    })
}

fn preview(context: &Context, wanted: &Preview) -> Result<(), Failure> {
    let config = context.config()?;
    let mailer = mailer::for_preview(&config).map_err(|problem| Failure::problems(&[problem]))?;
    let letter = mailer.preview(&wanted.template, &wanted.locale);
    let letter = letter.ok_or_else(|| Failure::not_found(format!("there is no mail {}", wanted.template)))?;
    let letter = letter.map_err(|error| Failure::failed(error.to_string()))?;
    if context.json {
        let kind = &wanted.template;
        let (subject, text, html) = (letter.subject(), letter.text(), letter.html());
        return output::object(json!({ "kind": kind, "subject": subject, "text": text, "html": html }));
    }
    if wanted.html {
        return output::line(letter.html().trim_end());
    }
    output::line(&format!("Subject: {}\n\n{}", letter.subject(), letter.text().trim_end()))
}
