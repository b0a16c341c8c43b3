//! `vestibule user import`: users of another system, from a file.

mod report;
mod run;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use vestibule::{FirebaseScrypt, ImportOptions, ImportRefusal, ImportedUser};

use self::report::Report;
use self::run::{Ended, Run, unreadable};
use crate::cli::context::Context;
use crate::cli::terminal::output::number;
use crate::cli::terminal::reason::Because;
use crate::config::settings::Database;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::transfer::bookmark::{Bookmark, Mark};
use crate::transfer::fields::{FIELDS, RoleMap};
use crate::transfer::formats::Format;
use crate::transfer::record::{Record, Refusal};
use crate::transfer::refused::Refused;
use crate::transfer::rows::Rows;

/// What to import, and how.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Import {
    /// The file, or `-` for standard input
    file: PathBuf,
    /// Who wrote it [default: by the ending of its name, jsonl or csv]
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,
    /// Say what would be imported, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// What to do about a row that is wrong: `skip` it, or `stop` with its batch
    #[arg(long, value_enum, default_value_t = OnError::Skip)]
    on_error: OnError,
    /// Mail users whose address is not confirmed a link to choose a password; otherwise they are refused
    #[arg(long)]
    invite: bool,
    /// Go on where an earlier import of the file was interrupted
    #[arg(long, conflicts_with = "dry_run")]
    resume: bool,
    /// Keep the rows that are wrong in a new file of the same form
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// What to do about a user who is there already; `update` ends their sessions
    #[arg(long, value_enum, default_value_t = OnConflict::Skip)]
    on_conflict: OnConflict,
    /// Give the role NEW to those who have OLD in the file; other roles are left out
    #[arg(long, value_name = "OLD=NEW", value_parser = pair)]
    map_role: Vec<(String, String)>,
    /// Take salted SHA, too, wrapped in Argon2id
    #[arg(long)]
    allow_weak: bool,
    /// A file with `base64_signer_key` of the Firebase project, which is a secret
    #[arg(long, value_name = "FILE", requires = "firebase_salt_separator")]
    firebase_key_file: Option<PathBuf>,
    /// `base64_salt_separator` of the Firebase project
    #[arg(long, value_name = "BASE64", requires = "firebase_key_file")]
    firebase_salt_separator: Option<String>,
    /// `rounds` of the Firebase project
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    firebase_rounds: u32,
    /// `mem_cost` of the Firebase project
    #[arg(long, value_name = "NUMBER", default_value_t = 14)]
    firebase_mem_cost: u32,
    #[command(flatten)]
    because: Because,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnError {
    Skip,
    Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnConflict {
    Skip,
    Update,
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((old, new)) if !old.is_empty() && !new.is_empty() => Ok((old.to_owned(), new.to_owned())),
        _ => Err("write OLD=NEW"),
    }
}

impl Import {
    fn format(&self) -> Result<Format, Failure> {
        if let Some(format) = self.from {
            return Ok(format);
        }
        match self.file.extension().and_then(|ending| ending.to_str()) {
            Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
            Some("csv") => Ok(Format::Csv),
            _ => Err(Failure::usage("it is not clear who wrote the file")
                .fix("say it with --from, e.g. --from django")),
        }
    }

    fn firebase(&self) -> Result<Option<FirebaseScrypt>, Failure> {
        let Some((file, separator)) =
            self.firebase_key_file.as_ref().zip(self.firebase_salt_separator.as_ref())
        else {
            return Ok(None);
        };
        let key = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
        Ok(Some(FirebaseScrypt {
            signer_key: key.trim().to_owned(),
            salt_separator: separator.clone(),
            rounds: self.firebase_rounds,
            mem_cost: self.firebase_mem_cost,
        }))
    }

    /// The input, and its length where it has one.
    fn input(&self) -> Result<(Box<dyn BufRead>, Option<u64>), Failure> {
        if self.file.as_os_str() == "-" {
            return Ok((Box::new(BufReader::new(io::stdin())), None));
        }
        let file = File::open(&self.file)
            .map_err(|error| Failure::usage(format!("cannot read {}: {error}", self.file.display())))?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
        Ok((Box::new(BufReader::new(file)), length))
    }

    /// Where the run is kept while it lasts, and where it begins.
    fn bookmark(&self, database: &str) -> Result<(Option<Bookmark>, Option<Mark>), Failure> {
        if self.file.as_os_str() == "-" || self.dry_run {
            if self.resume {
                return Err(Failure::usage("standard input has no place to go on from")
                    .fix("leave --resume out: users who are there are skipped"));
            }
            return Ok((None, None));
        }
        let bookmark = Bookmark::beside(&self.file);
        let shown = bookmark.path().display();
        let mark = bookmark.read().map_err(|error| {
            Failure::usage(format!("cannot read {shown}: {error}")).fix("delete it, and leave --resume out")
        })?;
        match &mark {
            None if self.resume => {
                return Err(Failure::not_found(format!(
                    "no import of {} was interrupted",
                    self.file.display()
                ))
                .fix("leave --resume out"));
            }
            Some(mark) if self.resume && mark.database != database => {
                return Err(Failure::usage(format!(
                    "the interrupted import went into another database, {}",
                    mark.database
                ))
                .fix("name that one, or leave --resume out"));
            }
            Some(mark) if !self.resume => eprintln!(
                "An earlier import of this file ended after {}; --resume would go on there.",
                number(mark.records, "record")
            ),
            _ => {}
        }
        Ok((Some(bookmark), mark.filter(|_| self.resume)))
    }

    /// Opened before anything is written, and never over a file that is there: it may be the input.
    fn errors(
        &self,
        rows: &Rows<Box<dyn BufRead>>,
        form: crate::transfer::rows::Form,
    ) -> Result<Option<Refused>, Failure> {
        let Some(path) = &self.errors else { return Ok(None) };
        let told = |error| Failure::usage(format!("cannot write {}: {error}", path.display()));
        let mut new = OpenOptions::new();
        new.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
        let file = new.open(path).map_err(|error| told(error).fix("name a file that does not exist yet"))?;
        Refused::new(file, form, rows.header().map(|(_, raw)| raw)).map(Some).map_err(told)
    }
}

/// Runs the command.
pub(crate) fn run(context: &Context, import: &Import) -> Result<(), Failure> {
    let (format, firebase) = (import.format()?, import.firebase()?);
    if format == Format::Firebase && firebase.is_none() {
        eprintln!(
            "Without --firebase-key-file and --firebase-salt-separator, users with a password are refused."
        );
    }
    let (input, length) = import.input()?;
    let (form, rows) = Rows::open(input, format.is_object()).map_err(|error| unreadable(&error))?;
    if let (Format::Jsonl | Format::Csv, Some((header, _))) = (format, rows.header())
        && let Some(unknown) = header.iter().find(|name| !FIELDS.contains(&name.as_str()))
    {
        return Err(Failure::usage(format!("the column {unknown:?} is unknown"))
            .fix(format!("there are {}; other systems' files need --from", FIELDS.join(", "))));
    }
    let config = context.config_because(import.because.reason.as_ref())?;
    let database = place(&config.database);
    let (bookmark, mark) = import.bookmark(&database)?;
    let refused = import.errors(&rows, form)?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        let options = ImportOptions {
            update: import.on_conflict == OnConflict::Update,
            allow_weak: import.allow_weak,
            invite: import.invite,
            dry_run: import.dry_run,
        };
        let report = Report::new(length, options);
        let stops = import.on_error == OnError::Stop;
        let mut run = Run::new(&accounts, options, stops, refused, report, bookmark, database);
        let roles: RoleMap = import.map_role.iter().cloned().collect();
        let read = |record: Record| -> Result<Option<(ImportedUser, Vec<String>)>, Refusal> {
            match format.fields(record.fields?, firebase.as_ref())? {
                Some(fields) => {
                    let (user, unmapped) = fields.user(&roles)?;
                    let is_refused = !user.is_confirmed && !import.invite;
                    if is_refused {
                        Err(report::told(ImportRefusal::Unconfirmed))
                    } else {
                        Ok(Some((user, unmapped)))
                    }
                }
                None => Ok(None),
            }
        };
        let ended = run.all(rows, read, mark.as_ref()).await;
        let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let (failed, ended) = run.finish(context, &name, ended).await?;
        told(import, failed, ended)
    })
}

/// What is left to do.
fn told(import: &Import, failed: u64, ended: Ended) -> Result<(), Failure> {
    let is_kept = import.file.as_os_str() != "-" && !import.dry_run;
    match ended {
        Ended::Interrupted if is_kept => Err(Failure::failed("interrupted")
            .exit(Exit::Interrupted)
            .fix("go on with the same command and --resume (and another file for --errors)")),
        Ended::Interrupted => Err(Failure::failed("interrupted")
            .exit(Exit::Interrupted)
            .fix("give the same command again: users who are there are skipped")),
        Ended::Stopped => Err(Failure::failed("stopped at a row that is wrong")
            .fix("mend it and give the same command again, or --on-error skip")),
        Ended::Whole if failed > 0 => {
            let fix = match &import.errors {
                Some(path) => format!("mend the rows in {} and import that file", path.display()),
                None => "--errors FILE keeps the rows that are wrong".to_owned(),
            };
            Err(Failure::failed(format!("not imported: {}", number(failed, "row"))).fix(fix))
        }
        Ended::Whole => Ok(()),
    }
}

/// Which database it is, without anything secret.
fn place(database: &Database) -> String {
    match database {
        Database::Sqlite(path) => {
            format!("sqlite:{}", std::path::absolute(path).unwrap_or_else(|_| path.clone()).display())
        }
        // One that cannot be understood is refused when it is opened.
        Database::Postgres(url) => vestibule::database_shown(url).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The place is kept in a file beside the import, and named in a message.
    #[test]
    fn a_place_tells_no_password() {
        for url in [
            "postgres://ada:hidden@db.example/accounts",
            "postgres://db.example/accounts?user=ada&password=hidden",
        ] {
            let place = place(&Database::Postgres(url.into()));
            assert!(
                place.contains("db.example") && place.contains("accounts") && !place.contains("hidden"),
                "{place}"
            );
        }
    }
}
