//! `vestibule user export`: all users, as an import takes them.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use crate::failure::Failure;
use crate::open;
use crate::transfer::export::{cells, record};
use crate::transfer::fields::FIELDS;

/// What to export.
#[derive(Clone, Debug, Args)]
pub(crate) struct Export {
    /// The form
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    format: Form,
    /// With the password hashes: whoever gets them can try passwords
    #[arg(long)]
    with_hashes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A JSON object in each line
    Jsonl,
    /// With the names of the fields in the first line
    Csv,
}

/// Runs the command.
pub(crate) fn run(context: &Context, export: &Export) -> Result<(), Failure> {
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        let hashes = if export.with_hashes { "with password hashes" } else { "without password hashes" };
        accounts.note_export(hashes).await?;
        let mut output = io::stdout().lock();
        if export.format == Form::Csv {
            write_cells(&mut output, FIELDS).map_err(|error| unwritten(&error))?;
        }
        let mut progress = Progress::new(Some(accounts.users_to_export().await?));
        let (mut last, mut number) = (None, 0_u64);
        loop {
            let users = accounts.export_users(last).await?;
            let Some(end) = users.last() else { break };
            last = Some(end.account.id);
            for user in &users {
                let record = record(user, export.with_hashes);
                let written = match export.format {
                    Form::Jsonl => writeln!(output, "{}", Value::Object(record)),
                    Form::Csv => write_cells(&mut output, cells(&record)),
                };
                written.map_err(|error| unwritten(&error))?;
            }
            let rows = users.len() as u64;
            number += rows;
            progress.advance("", rows, rows);
        }
        output.flush().map_err(|error| unwritten(&error))?;
        progress.end();
        eprintln!("exported {}", output::number(number, "user"));
        Ok(())
    })
}

fn write_cells(
    output: &mut impl io::Write,
    cells: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> io::Result<()> {
    let mut row = csv::WriterBuilder::new().from_writer(Vec::new());
    row.write_record(cells)?;
    output.write_all(&row.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

/// Half an export is none: a reader that left is told, too.
fn unwritten(error: &io::Error) -> Failure {
    Failure::failed(format!("the export is not complete: {error}"))
}
