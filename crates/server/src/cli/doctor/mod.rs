//! `vestibule doctor`: everything that a server depends on, looked at from the machine it runs on. It changes no account and no setting.

mod backups;
mod certificate;
mod database;
mod dns;
mod files;
mod machine;
mod mail;
mod openers;
mod proxies;
mod report;
mod sender;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use vestibule::Email;

use super::context::Context;
use crate::config::guards::refusals;
use crate::config::layers::Source;
use crate::config::settings::Config;
use crate::failure::Failure;
use crate::open;
use report::{Finding, Report};

/// What to look at.
#[derive(Clone, Debug, Args)]
pub(crate) struct Command {
    /// Also send a test message to this address
    #[arg(long, value_name = "ADDRESS")]
    send_to: Option<Email>,
    /// Also look at the age of the newest backup in this folder
    #[arg(long, value_name = "FOLDER")]
    backups: Option<PathBuf>,
    /// Ask this name server for the sender's records, e.g. 9.9.9.9, instead of those of this machine
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    dns_server: Option<SocketAddr>,
}

/// An address, with or without a port.
fn name_server(text: &str) -> Result<SocketAddr, String> {
    let with_port = || text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    text.parse()
        .or_else(|_| with_port())
        .map_err(|_| "not an IP address, e.g. 9.9.9.9 or [2620:fe::9]:53".to_owned())
}

/// Runs the command. Exit code 3 means that a check failed.
pub(crate) fn run(context: &Context, command: Command) -> Result<(), Failure> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut report = Report::new(context.json);
    let mut config = match Config::load(&context.flags, &context.environment) {
        Ok(config) => config,
        Err(problems) => {
            let findings: Vec<_> =
                problems.iter().map(|it| Finding::of_problem("configuration", it)).collect();
            report.add_all(&findings)?;
            eprintln!("note: nothing else was looked at, because it depends on the settings");
            return report.end();
        }
    };
    // A person waits: a database that is down is one of the findings.
    config.policy.database.wait = std::time::Duration::ZERO;
    report.add_all(&configuration(&config))?;
    report.add_all(&files::check(&config))?;
    open::block_on(async {
        let accounts = database::check(&config, &mut report).await?;
        report.add(&mail::check(&config, command.send_to).await)?;
        report.add_all(&sender::check(&config, command.dns_server).await)?;
        web::check(&config, accounts.as_ref(), &mut report).await?;
        if let Some(accounts) = accounts {
            accounts.close().await;
        }
        Ok(())
    })?;
    report.add(&machine::check(&config.policy.hash))?;
    match &command.backups {
        Some(folder) => report.add(&backups::check(folder))?,
        None => eprintln!("note: `--backups FOLDER` looks at the age of the newest backup, too"),
    }
    report.end()
}

/// What `serve` would refuse.
fn configuration(config: &Config) -> Vec<Finding> {
    let refused = refusals(config, false);
    if refused.is_empty() {
        let set = config.settings().filter(|(_, setting)| setting.source != Source::Default).count();
        return vec![Finding::ok("configuration", format!("{set} settings, all of them good"))];
    }
    refused.iter().map(|problem| Finding::of_problem("configuration", problem)).collect()
}
