//! `vestibule check-config`: the settings of a server, and whether it may serve with them.

use std::time::Duration;

use serde_json::json;
use vestibule::{RequireFactor, SendError};

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::config::guards::refusals;
use crate::config::keys::Key;
use crate::config::layers::Setting;
use crate::config::problem::Problem;
use crate::config::settings::Config;
use crate::failure::{Exit, Failure};
use crate::serve::lacking;
use crate::{mailer, open};

/// A check must be quick.
const RELAY_MAX: Duration = Duration::from_secs(5);
const DATABASE_MAX: Duration = Duration::from_secs(5);

/// Runs the command. Exit code 3 means that there are problems.
pub(crate) fn run(context: &Context, dev: bool, print_sources: bool) -> Result<(), Failure> {
    let loaded = Config::load(&context.flags, &context.environment);
    let problems = match &loaded {
        Ok(config) => {
            if print_sources {
                config.settings().try_for_each(|(key, setting)| print(context, key, setting))?;
            }
            problems(config, dev)?
        }
        Err(problems) => problems.clone(),
    };
    if context.json {
        let told: Vec<_> = problems.iter().map(|it| json!({ "cause": it.cause, "fix": it.fix })).collect();
        output::object(json!({ "good": problems.is_empty(), "problems": told }))?;
    }
    if problems.is_empty() {
        if let Ok(config) = &loaded {
            note_administrators(config)?;
        }
        eprintln!("The settings are good{}.", if dev { " for --dev" } else { "" });
        return Ok(());
    }
    Err(Failure::problems(&problems).exit(Exit::Found))
}

/// The problems that keep a server from working with these settings.
fn problems(config: &Config, dev: bool) -> Result<Vec<Problem>, Failure> {
    let refused = refusals(config, dev);
    Ok(if refused.is_empty() { mail_problem(config, dev)?.into_iter().collect() } else { refused })
}

/// The mail's URL and templates are read as the server reads them, and the relay is tried: a relay without TLS, or one
/// that refuses the password, would never accept a mail.
fn mail_problem(config: &Config, dev: bool) -> Result<Option<Problem>, Failure> {
    let mailer = match mailer::mailer(config, dev, &config.public_url(None)) {
        Ok(mailer) => mailer,
        Err(problem) => return Ok(Some(problem)),
    };
    let asked = async { Ok(tokio::time::timeout(RELAY_MAX, mailer.transport().reach()).await) };
    let place = config.place("mail.url");
    Ok(match open::block_on(asked)? {
        Ok(Ok(())) => None,
        Ok(Err(SendError::Refused(cause))) => {
            let fix = "correct mail.url, or the relay; `vestibule mail test ADDRESS` tries a message";
            Some(Problem::new(format!("{place}: {cause}"), fix))
        }
        // The check may run where the relay is unreachable, or before the relay runs.
        Ok(Err(error)) => {
            eprintln!("note: {place}: the relay could not be asked: {error}");
            None
        }
        Err(_) => {
            eprintln!("note: {place}: the relay did not answer within {} s", RELAY_MAX.as_secs());
            None
        }
    })
}

/// Notes how many administrators have no second factor, where the settings demand one. The check may run where there is no
/// database yet, or none that can be reached: then nothing is said.
fn note_administrators(config: &Config) -> Result<(), Failure> {
    if config.policy.second_factor.require == RequireFactor::Off {
        return Ok(());
    }
    let counted = async {
        let accounts = open::for_command(config, config.public_url(None)).await?;
        let number = accounts.admins_lacking_second_factor().await;
        accounts.close().await;
        Ok::<_, Failure>(number.ok())
    };
    let counted = open::block_on(async { Ok(tokio::time::timeout(DATABASE_MAX, counted).await) })?;
    if let Ok(Ok(Some(number @ 1..))) = counted {
        eprintln!("note: {}", lacking(number));
    }
    Ok(())
}

fn print(context: &Context, key: &Key, setting: &Setting) -> Result<(), Failure> {
    let value = setting.shown(key);
    if context.json {
        return output::object(json!({
            "key": key.path,
            "value": value,
            "source": setting.source.to_string(),
            "variable": key.variable(),
            "what": key.what,
        }));
    }
    let (source, variable) = (setting.source.to_string(), key.variable());
    // If the variable is the source, it is named once.
    let also = if source.contains(&variable) { String::new() } else { format!("{variable}; ") };
    output::line(&format!("{} = {value}  # {source}; {also}{}", key.path, key.what))
}
