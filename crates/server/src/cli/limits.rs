//! `vestibule limits`: what keeps a user from getting in, and how to let them in.

use clap::Subcommand;
use serde_json::{Value, json};
use vestibule::{AccountLimits, Accounts, Actor, Recently};

use super::account::named;
use super::context::Context;
use super::terminal::output;
use super::terminal::reason::Because;
use crate::failure::Failure;
use crate::open;

/// What to do about the limits of an account. ACCOUNT is an id (`usr_…`), a user name, or an email address, which need
/// not have an account.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Show wrong passwords and codes, requested emails, and when the next attempt is possible
    Show {
        /// ID, email address or user name
        account: String,
    },
    /// Forget the wrong passwords and codes, so that the next attempt is possible now
    Clear {
        /// ID, email address or user name
        account: String,
        #[command(flatten)]
        because: Because,
    },
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    let (account, reason) = match command {
        Command::Show { account } => (account, None),
        Command::Clear { account, because } => (account, because.reason.as_ref()),
    };
    let whose = named(account)?;
    let config = context.config_because(reason)?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        if let Command::Clear { .. } = command {
            let before = accounts.clear_limits(Actor::Operator, &whose, None).await?;
            eprintln!(
                "Forgotten: {} wrong passwords and {} wrong codes.",
                before.failures + before.link_failures,
                before.codes_failed.month
            );
        }
        print(context, &accounts, &accounts.account_limits(Actor::Operator, &whose).await?)
    })
}

fn print(context: &Context, accounts: &Accounts, limits: &AccountLimits) -> Result<(), Failure> {
    if context.json {
        return output::object(as_json(limits));
    }
    let policy = accounts.policy();
    let next_try = match limits.closed_until {
        _ if limits.closed_for_good => "only after a reset link, or `vestibule limits clear`".to_owned(),
        Some(until) => until.to_string(),
        None => "now".to_owned(),
    };
    let user = limits.account.as_ref().map_or_else(|| "none".to_owned(), |account| account.id.to_string());
    let (confirm, sign_up) = (&policy.confirm, &policy.sign_up);
    let lines = [
        ("email", limits.email.as_str().to_owned()),
        ("account", user),
        ("next try", next_try),
        ("wrong passwords", format!("{} in a row (of {})", limits.failures, policy.sign_in.hard_stop)),
        ("at links", format!("{} in a row", limits.link_failures)),
        (
            "wrong codes",
            lately(limits.codes_failed, confirm.failures_per_day, Some(confirm.failures_per_month)),
        ),
        ("codes sent", lately(limits.codes_sent, confirm.codes_per_day, None)),
        ("mails asked for", lately(limits.mails_requested, sign_up.mails_per_day, None)),
        ("resets asked for", lately(limits.resets_requested, policy.password_reset.per_day, None)),
    ];
    lines.iter().try_for_each(|(name, value)| output::line(&format!("{name:<16}  {value}")))
}

fn lately(number: Recently, per_day: i64, per_month: Option<i64>) -> String {
    let per_month = per_month.map_or_else(String::new, |most| format!(" (of {most})"));
    format!("{} in 24 h (of {per_day}), {} in 30 d{per_month}", number.day, number.month)
}

fn as_json(limits: &AccountLimits) -> Value {
    let lately = |number: Recently| json!({ "day": number.day, "month": number.month });
    json!({
        "email": limits.email.as_str(),
        "user_id": limits.account.as_ref().map(|account| account.id),
        "failures": limits.failures,
        "link_failures": limits.link_failures,
        "closed_until": limits.closed_until,
        "closed_for_good": limits.closed_for_good,
        "codes_sent": lately(limits.codes_sent),
        "codes_failed": lately(limits.codes_failed),
        "mails_requested": lately(limits.mails_requested),
        "resets_requested": lately(limits.resets_requested),
    })
}
