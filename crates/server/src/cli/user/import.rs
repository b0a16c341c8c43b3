//! `vestibule user import`: users of another system, from a file.

mod report;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::pin::pin;

use clap::{Args, ValueEnum};
use vestibule::{Accounts, FirebaseScrypt, ImportOptions, Imported, ImportedUser};

use self::report::Report;
use crate::cli::context::Context;
use crate::cli::terminal::reason::Because;
use crate::failure::{Exit, Failure};
use crate::open;
use crate::transfer::fields::{FIELDS, RoleMap};
use crate::transfer::formats::Format;
use crate::transfer::record::{Record, Refusal};
use crate::transfer::refused::Refused;
use crate::transfer::rows::Rows;

/// Users in one transaction: others wait while it lasts.
const BATCH: usize = 250;

/// What to import, and how.
#[derive(Clone, Debug, Args)]
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

/// A row that was understood, and where it came from.
struct Row {
    number: u64,
    raw: Vec<u8>,
    user: ImportedUser,
}

/// Everything that a run needs.
struct Run<'a> {
    accounts: &'a Accounts,
    options: ImportOptions,
    stops: bool,
    refused: Option<Refused>,
    report: Report,
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
    let refused = import.errors(&rows, form)?;
    let config = context.config_because(import.because.reason.as_ref())?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        let options = ImportOptions {
            update: import.on_conflict == OnConflict::Update,
            allow_weak: import.allow_weak,
            dry_run: import.dry_run,
        };
        let stops = import.on_error == OnError::Stop;
        let report = Report::new(length, import.dry_run);
        let mut run = Run { accounts: &accounts, options, stops, refused, report };
        let roles: RoleMap = import.map_role.iter().cloned().collect();
        let read = |record: Record| -> Result<Option<(ImportedUser, Vec<String>)>, Refusal> {
            match format.fields(record.fields?, firebase.as_ref())? {
                Some(fields) => fields.user(&roles).map(Some),
                None => Ok(None),
            }
        };
        let ended = run.all(rows, read).await;
        run.finish(context, import, format, ended).await
    })
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::failed(format!("the file cannot be read: {error}"))
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Whole,
    Interrupted,
    /// At a row that is wrong.
    Stopped,
}

impl Run<'_> {
    async fn all(
        &mut self,
        mut rows: Rows<Box<dyn BufRead>>,
        read: impl Fn(Record) -> Result<Option<(ImportedUser, Vec<String>)>, Refusal>,
    ) -> Result<Ended, Failure> {
        let mut interrupted = pin!(tokio::signal::ctrl_c());
        loop {
            let (mut batch, mut is_last, mut is_stopped) = (Vec::with_capacity(BATCH), false, false);
            while batch.len() < BATCH && !is_last && !is_stopped {
                let Some(record) = rows.next().map_err(|error| unreadable(&error))? else {
                    is_last = true;
                    continue;
                };
                let (number, raw) = (record.number, record.raw.clone());
                self.report.read(raw.len());
                match read(record) {
                    Ok(Some((user, unmapped))) => {
                        self.report.understood(&user, unmapped);
                        batch.push(Row { number, raw, user });
                    }
                    Ok(None) => self.report.others += 1,
                    Err(refusal) => {
                        self.refuse(number, &raw, &refusal)?;
                        is_stopped = self.stops;
                    }
                }
            }
            let is_refused = self.write(batch).await?;
            if is_stopped || (is_refused && self.stops) {
                return Ok(Ended::Stopped);
            }
            if is_last {
                return Ok(Ended::Whole);
            }
            tokio::select! {
                biased;
                _ = &mut interrupted => return Ok(Ended::Interrupted),
                () = std::future::ready(()) => {}
            }
        }
    }

    /// Imports a batch; whether any of it was refused.
    async fn write(&mut self, batch: Vec<Row>) -> Result<bool, Failure> {
        let (places, users): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|row| ((row.number, row.raw), row.user)).unzip();
        let done = self.accounts.import_users(users, self.options).await?;
        let mut is_refused = false;
        for ((number, raw), outcome) in places.into_iter().zip(done) {
            match outcome {
                Imported::Created(_) => self.report.created += 1,
                Imported::Updated(_) => self.report.updated += 1,
                Imported::Skipped(_) => self.report.skipped += 1,
                Imported::Refused(refusal) => {
                    is_refused = true;
                    self.refuse(number, &raw, &report::told(refusal))?;
                }
            }
        }
        Ok(is_refused)
    }

    fn refuse(&mut self, number: u64, raw: &[u8], refusal: &Refusal) -> Result<(), Failure> {
        self.report.refuse(number, refusal);
        match &mut self.refused {
            Some(refused) => refused
                .keep(raw)
                .map_err(|error| Failure::failed(format!("cannot write the file of errors: {error}"))),
            None => Ok(()),
        }
    }

    async fn finish(
        self,
        context: &Context,
        import: &Import,
        format: Format,
        ended: Result<Ended, Failure>,
    ) -> Result<(), Failure> {
        let Self { accounts, options, refused, report, .. } = self;
        if let Some(refused) = refused {
            refused
                .finish()
                .map_err(|error| Failure::failed(format!("cannot write the file of errors: {error}")))?;
        }
        let summary = report.print(context)?;
        if !options.dry_run {
            let name =
                format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            accounts.note_import(&format!("from {name}: {summary}")).await?;
        }
        match ended? {
            Ended::Interrupted => Err(Failure::failed("interrupted")
                .exit(Exit::Interrupted)
                .fix("give the same command again: users who are there are skipped")),
            Ended::Stopped => Err(Failure::failed("stopped at a row that is wrong")
                .fix("mend it and give the same command again, or --on-error skip")),
            Ended::Whole if report.failed > 0 => {
                let fix = match &import.errors {
                    Some(path) => format!("mend the rows in {} and import that file", path.display()),
                    None => "--errors FILE keeps the rows that are wrong".to_owned(),
                };
                Err(Failure::failed(format!("{} rows were not imported", report.failed)).fix(fix))
            }
            Ended::Whole => Ok(()),
        }
    }
}
