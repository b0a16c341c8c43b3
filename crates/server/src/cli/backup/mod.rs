//! `vestibule backup`: make one, check it, restore it.

mod folder;
mod restore;

use std::fs::File;
use std::io;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use vestibule::{Accounts, BackupError, BackupManifest, BackupOptions, verify_backup};

use super::context::Context;
use super::terminal::output;
use super::terminal::progress::Progress;
use crate::failure::Failure;
use crate::open;
pub(crate) use folder::before_migration;

/// What to do with backups.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a backup of everything into a new file, while servers run
    Create {
        /// A new file; a folder, which gets a file named by the time; or `-` for standard output
        path: PathBuf,
        /// Delete all but the newest N backups of this folder afterwards
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
        keep: Option<u16>,
        /// Put the secret key into it: whoever gets the file then has everything
        #[arg(long)]
        with_key: bool,
    },
    /// Check a backup: every page, every index, every row
    Verify {
        /// Its file
        path: PathBuf,
    },
    /// Restore a backup into the database of the settings, SQLite or `PostgreSQL`; no server may run
    Restore(restore::Command),
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Create { path, keep, with_key } => create(context, path, *keep, *with_key),
        Command::Verify { path } => {
            let manifest = open::block_on(async { Ok(verify_backup(path).await?) })?;
            report(context, path, &manifest, "whole")
        }
        Command::Restore(command) => restore::run(context, command),
    }
}

fn create(context: &Context, path: &Path, keep: Option<u16>, with_key: bool) -> Result<(), Failure> {
    let is_folder = path.is_dir();
    if keep.is_some() && !is_folder {
        return Err(
            Failure::usage("--keep is about the backups of a folder").fix("name a folder that exists")
        );
    }
    let config = context.config()?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        if path == Path::new("-") {
            return print(&accounts, with_key).await;
        }
        let file =
            if is_folder { path.join(folder::name(&accounts.now().to_string())) } else { path.to_owned() };
        let manifest = accounts.back_up_with(&file, &how(with_key)).await?;
        if let Some(keep) = keep {
            folder::prune(path, usize::from(keep))?;
        }
        accounts.close().await;
        report(context, &file, &manifest, "made")
    })
}

fn how(with_key: bool) -> BackupOptions {
    BackupOptions { with_key, watch: Progress::watch() }
}

/// Writes the backup to standard output, once it is whole.
async fn print(accounts: &Accounts, with_key: bool) -> Result<(), Failure> {
    if io::stdout().is_terminal() {
        return Err(
            Failure::usage("a backup is not written to a terminal").fix("redirect it, or name a file")
        );
    }
    let cannot =
        |error: io::Error| Failure::failed(format!("cannot write the backup to standard output: {error}"));
    let folder = tempfile::tempdir().map_err(cannot)?;
    let file = folder.path().join("backup.db");
    accounts.back_up_with(&file, &how(with_key)).await?;
    let mut made = File::open(&file).map_err(cannot)?;
    io::copy(&mut made, &mut io::stdout().lock()).map_err(cannot)?;
    Ok(())
}

fn report(context: &Context, path: &Path, manifest: &BackupManifest, done: &str) -> Result<(), Failure> {
    if context.json {
        return output::object(json!({ "path": path, "manifest": manifest }));
    }
    let rows: u64 = manifest.tables.iter().map(|table| table.rows).sum();
    let of =
        |name: &str| manifest.tables.iter().find(|table| table.name == name).map_or(0, |table| table.rows);
    let key = if manifest.with_key { ", with the secret key" } else { "" };
    let held = if manifest.tables.is_empty() {
        "checksums are known to the program that made it only".to_owned()
    } else {
        format!("{}, {}", output::number(of("users"), "user"), output::number(rows, "row"))
    };
    output::line(&format!(
        "{done}: {} (of {}, version {}, schema {}, {held}{key})",
        path.display(),
        manifest.created_at,
        manifest.program,
        manifest.schema
    ))
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let words = error.to_string();
        match error {
            BackupError::Exists(_) => Self::failed(words).fix("name a new file, or a folder"),
            BackupError::NotABackup(_) => {
                Self::failed(words).fix("give a file that `vestibule backup create` has made")
            }
            BackupError::Damaged { .. } => Self::failed(words).fix("take another backup"),
            BackupError::Newer { .. } => Self::found(words),
            BackupError::Open(error) => error.into(),
            BackupError::File { .. } => Self::failed(words)
                .fix("see that the path is right, that this user may use it, and that the disk has room"),
            BackupError::Fault(fault) => fault.into(),
        }
    }
}
