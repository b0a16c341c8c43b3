//! `vestibule init`: a commented settings file and the files beside it, with fresh secrets.

mod file;
mod plan;
mod settings_file;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::config::values::PublicUrl;
use crate::failure::Failure;
use plan::{Plan, Way};

/// What to prepare.
#[derive(Clone, Debug, Args)]
pub(crate) struct Command {
    /// For PostgreSQL instead of an SQLite file
    #[arg(long)]
    postgres: bool,
    #[command(flatten)]
    ways: Ways,
    /// Where browsers will reach the server
    #[arg(long, value_name = "URL", default_value = "https://accounts.example.org", value_parser = public_url)]
    public_url: String,
    /// The folder to write into
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
}

/// How the server will run; by hand where none is chosen.
#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
struct Ways {
    /// With a compose file
    #[arg(long)]
    compose: bool,
    /// With the units of systemd
    #[arg(long)]
    systemd: bool,
    /// With manifests for Kubernetes
    #[arg(long)]
    kubernetes: bool,
}

fn public_url(text: &str) -> Result<String, &'static str> {
    text.parse().map(|url: PublicUrl| url.text)
}

/// Writes the files, all of them or none, and says what to do next. Nothing is overwritten.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    let way = match command.ways {
        Ways { compose: true, .. } => Way::Compose,
        Ways { systemd: true, .. } => Way::Systemd,
        Ways { kubernetes: true, .. } => Way::Kubernetes,
        _ => Way::Program,
    };
    let plan = Plan { way, postgres: command.postgres, public_url: &command.public_url };
    for path in file::write_all(&command.into, &plan.files())? {
        if context.json {
            output::object(json!({ "path": path.display().to_string() }))?;
        } else {
            output::line(&path.display().to_string())?;
        }
    }
    eprintln!("{}", plan.next());
    Ok(())
}
