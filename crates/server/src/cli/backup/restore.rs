//! `vestibule backup restore`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vestibule::{RestoreError, RestoreOptions, Restored, restore_backup_watched, secret_key_of_backup};

use crate::cli::context::Context;
use crate::cli::terminal::ask::confirmed;
use crate::cli::terminal::output;
use crate::cli::terminal::progress::Progress;
use crate::config::settings::Database;
use crate::data_dir;
use crate::failure::Failure;
use crate::open;

#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Command {
    /// The backup
    path: PathBuf,
    /// Delete what the database has now
    #[arg(long)]
    replace: bool,
    /// Let sessions, links and codes of the backup go on, and keep its signing keys
    #[arg(long)]
    keep_sessions: bool,
    /// Send the messages that waited when the backup was made
    #[arg(long)]
    resend: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Runs the command.
pub(super) fn run(context: &Context, command: &Command) -> Result<(), Failure> {
    let config = context.config()?;
    let kept_key = open::block_on(async { Ok(secret_key_of_backup(&command.path).await?) })?;
    let settings = open::settings_for_restore(&config, kept_key.as_ref())?;
    // Held until the end: a server that starts meanwhile is told.
    let _claim = match &config.database {
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                data_dir::create(folder)?;
            }
            let claim = data_dir::claim(path).ok_or_else(|| {
                Failure::failed(format!("a server uses the database {}", path.display())).fix("stop it first")
            })?;
            Some(claim)
        }
        Database::Postgres(_) => None,
    };
    if command.replace {
        eprintln!(
            "This deletes everything that the database has now, and puts {} in its place.",
            command.path.display()
        );
        confirmed(command.yes)?;
    }
    let how = RestoreOptions {
        replace: command.replace,
        keep_sessions: command.keep_sessions,
        resend: command.resend,
    };
    let restored = open::block_on(async {
        let restored = restore_backup_watched(settings, &command.path, how, &Progress::watch()).await;
        restored.map_err(|error| Failure::from(error).looked_at(config.whereabouts()))
    })?;
    if let Some(key) = &kept_key
        && config.secret_key.is_none()
    {
        data_dir::create(&config.data_dir)?;
        if data_dir::keep_key(&config.data_dir, key)? {
            eprintln!(
                "The secret key of the backup is in {} now.",
                data_dir::key_file(&config.data_dir).display()
            );
        }
    }
    report(context, &restored)?;
    eprintln!("{}", returns(&restored, how));
    Ok(())
}

fn report(context: &Context, restored: &Restored) -> Result<(), Failure> {
    let Restored { manifest, sessions_ended, recovery_codes_voided, mails_given_up } = restored;
    if context.json {
        return output::object(json!({
            "created_at": manifest.created_at,
            "sessions_ended": sessions_ended,
            "recovery_codes_voided": recovery_codes_voided,
            "mails_given_up": mails_given_up,
        }));
    }
    output::line(&format!(
        "restored: the backup of {} ({sessions_ended} sessions ended, {recovery_codes_voided} recovery codes voided, \
         {mails_given_up} waiting messages given up)",
        manifest.created_at
    ))
}

fn returns(restored: &Restored, how: RestoreOptions) -> String {
    let at = restored.manifest.created_at;
    let sessions = if how.keep_sessions {
        "Sessions that were ended since go on, refresh tokens that were used since work again, and signing keys that were \
         retired since sign again."
    } else {
        "Everybody has to sign in again; links and codes that were mailed no longer work; there is a new signing key."
    };
    format!(
        "Everything is as it was at {at}. With it return: users who were deleted or disabled since, passwords, addresses, \
         roles and second factors that were changed since, secrets of applications that were replaced since. Sign-ups \
         and changes since are lost. Users need new recovery codes.\n{sessions}"
    )
}

impl From<RestoreError> for Failure {
    fn from(error: RestoreError) -> Self {
        let words = error.to_string();
        match error {
            RestoreError::Backup(error) => error.into(),
            RestoreError::NotEmpty(_) => Self::failed(words)
                .fix("name an empty database, or delete what is there: `vestibule backup restore --replace`"),
            RestoreError::InUse(_) => Self::failed(words).fix("stop the servers and whatever else is connected"),
            RestoreError::WrongKey(_) => Self::config(words).fix(
                "give the secret key of the time of the backup: VESTIBULE_SECRET_KEY_FILE, or secret.key in the data folder",
            ),
            RestoreError::Differs(_) => Self::failed(words).fix("try again; if it happens twice, report it"),
            RestoreError::Open(error) => error.into(),
            RestoreError::Fault(fault) => fault.into(),
        }
    }
}
