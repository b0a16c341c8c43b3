//! Why a command failed: exit code, cause, fix.

use std::fmt;

use vestibule::{
    AdminError, ApplicationChangeError, DatabaseError, Fault, JoinError, KeyError, MigrateError, OpenError,
    OutboxError,
};

use crate::config::problem::Problem;

/// Exit codes that scripts may rely on; documented in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It failed.
    Failed = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// A check found problems, or migrations are pending.
    Found = 3,
    /// Not allowed.
    Permission = 4,
    /// No such object exists.
    NotFound = 5,
    /// A temporary failure: worth another try.
    TryAgain = 75,
    /// Somebody pressed Ctrl-C.
    Interrupted = 130,
}

/// The failure of a command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    cause: String,
    fix: Option<String>,
    looked_at: Option<String>,
}

impl Failure {
    fn new(exit: Exit, cause: impl Into<String>) -> Self {
        Self { exit, cause: cause.into(), fix: None, looked_at: None }
    }

    pub(crate) fn failed(cause: impl Into<String>) -> Self {
        Self::new(Exit::Failed, cause)
    }

    pub(crate) fn usage(cause: impl Into<String>) -> Self {
        Self::new(Exit::Usage, cause)
    }

    pub(crate) fn config(cause: impl Into<String>) -> Self {
        Self::new(Exit::Usage, cause)
    }

    pub(crate) fn found(cause: impl Into<String>) -> Self {
        Self::new(Exit::Found, cause)
    }

    pub(crate) fn permission(cause: impl Into<String>) -> Self {
        Self::new(Exit::Permission, cause)
    }

    pub(crate) fn not_found(cause: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, cause)
    }

    /// Sets another exit code.
    pub(crate) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Adds how to fix it.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Says first what it is about.
    pub(crate) fn after(self, what: &str) -> Self {
        Self { cause: format!("{what}{}", self.cause), ..self }
    }

    /// Adds which database and key it is about, and where they were set.
    pub(crate) fn looked_at(mut self, what: impl Into<String>) -> Self {
        self.looked_at = Some(what.into());
        self
    }

    /// What failed, without fix and place.
    pub(crate) fn what(&self) -> &str {
        &self.cause
    }

    /// How to fix it.
    pub(crate) fn remedy(&self) -> Option<&str> {
        self.fix.as_deref()
    }

    /// Which database and key it is about.
    pub(crate) fn place(&self) -> Option<&str> {
        self.looked_at.as_deref()
    }

    /// All problems of the configuration, in one message.
    pub(crate) fn problems(problems: &[Problem]) -> Self {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self::config(lines.join("\nerror: "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        let more = [("fix", &self.fix), ("looked at", &self.looked_at)];
        let mut said = more.iter().filter_map(|(what, words)| words.as_ref().map(|words| (what, words)));
        said.try_for_each(|(what, words)| write!(f, "\n  {what}: {words}"))
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let failure = Self::new(Exit::TryAgain, fault.to_string());
        match fault {
            Fault::Overloaded { .. } => failure.fix("try again in a moment"),
            Fault::Unavailable(_) => {
                failure.fix("check that the database runs and that `database_url` names it, then try again")
            }
            Fault::ReadOnly => failure
                .fix("wait until `vestibule db move` has ended; `vestibule db move --abort` calls it off"),
        }
    }
}

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Fault(fault) => fault.into(),
            MigrateError::NoSuchVersion(_) => {
                Self::not_found(error.to_string()).fix("`vestibule migrate status` lists the versions")
            }
            MigrateError::Newer { .. } => Self::found(error.to_string()),
            MigrateError::NotRecorded(_) => Self::found(error.to_string()).fix(
                "when a script of `migrate sql` ran to its end, note that: `vestibule migrate record`; otherwise restore the \
                 backup of before, and run `vestibule migrate up`",
            ),
            MigrateError::NotThere(_) => Self::failed(error.to_string())
                .fix("apply it: `vestibule migrate up`, or the script that `vestibule migrate sql` prints"),
        }
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        let exit = match error {
            DatabaseError::Unreachable(_) => Exit::TryAgain,
            DatabaseError::Missing(_) | DatabaseError::Empty => Exit::NotFound,
            DatabaseError::NotWritable(_) | DatabaseError::NotOpened { .. } => Exit::Permission,
            DatabaseError::Damaged { .. } => Exit::Failed,
            DatabaseError::Emptied(_)
            | DatabaseError::Behind { .. }
            | DatabaseError::Moved(_)
            | DatabaseError::HalfMoved(_) => Exit::Found,
            // None of these goes away by itself.
            _ => Exit::Usage,
        };
        Self::new(exit, error.to_string()).fix(error.fix())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Fault(fault) => fault.into(),
            OpenError::Migrate(error) => error.into(),
            OpenError::Pending(_) => Self::found(error.to_string())
                .fix("back the database up, then run `vestibule migrate up` (or `vestibule serve --migrate`)"),
            OpenError::WrongSecretKey => Self::config(error.to_string())
                .fix("restore secret.key of the data folder, or VESTIBULE_SECRET_KEY, from the backup; while you change it, \
                     give the key before as VESTIBULE_SECRET_KEY_PREVIOUS_FILE"),
            OpenError::SameSecretKey => Self::config(format!("`secret_key_previous`: {error}"))
                .fix("give the key that was used before the present one, or take it out"),
            OpenError::Database(error) => error.into(),
            OpenError::Policy(error) => Self::config(error.to_string()),
        }
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let words = error.to_string();
        match error {
            KeyError::Fault(fault) => fault.into(),
            KeyError::NotFound => Self::not_found(words).fix("`vestibule keys list` lists them"),
            KeyError::Retired => Self::failed(words).fix("nothing is left to do"),
            KeyError::Pending { id, .. } => Self::failed(words)
                .fix(format!("wait for it, or take it out first: `vestibule keys retire {id}`")),
        }
    }
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        match error {
            OutboxError::Fault(fault) => fault.into(),
            OutboxError::NotFound => {
                Self::not_found(error.to_string()).fix("`vestibule mail outbox list` lists the messages")
            }
            OutboxError::Forbidden => Self::permission(error.to_string()),
            OutboxError::AlreadySent => {
                Self::failed(error.to_string()).fix("look for it at the relay, by its Message-ID")
            }
        }
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Fault(fault) => fault.into(),
            AdminError::NotFound => Self::not_found(error.to_string())
                .fix("`vestibule user list --q PREFIX` finds users by how they begin"),
            AdminError::Forbidden => Self::permission(error.to_string()),
            AdminError::EmailTaken => {
                Self::failed(error.to_string()).fix("`vestibule user show EMAIL` shows that user")
            }
            AdminError::UserNameTaken => Self::failed(error.to_string()).fix("choose another --user-name"),
            AdminError::Password(_) => {
                Self::failed(error.to_string()).fix("choose another password, e.g. four random words")
            }
            AdminError::LastAdmin => Self::failed(error.to_string())
                .fix("make another one first: `vestibule user create --admin --email …`"),
            AdminError::Changed => Self::failed(error.to_string()).fix("run the command again"),
            AdminError::Disabled => {
                Self::failed(error.to_string()).fix("enable the user first: `vestibule user enable USER`")
            }
            error => Self::failed(error.to_string()),
        }
    }
}

impl From<ApplicationChangeError> for Failure {
    fn from(error: ApplicationChangeError) -> Self {
        let words = error.to_string();
        match error {
            ApplicationChangeError::Admin(error) => error.into(),
            ApplicationChangeError::Invalid(invalid) => Self::usage(words).fix(invalid.fix()),
            ApplicationChangeError::Taken => {
                Self::failed(words).fix("choose another id, or change that one: `vestibule client update ID`")
            }
            ApplicationChangeError::NotFound => {
                Self::not_found(words).fix("`vestibule client list` lists them")
            }
            ApplicationChangeError::InSettings => {
                Self::failed(words).fix("change it under [[clients]] there, and restart the servers")
            }
            ApplicationChangeError::TooMany => {
                Self::failed(words).fix("remove those that are not used: `vestibule client remove ID`")
            }
            ApplicationChangeError::Kind => Self::failed(words)
                .fix("remove it and add it again as the other kind: `vestibule client add`, with or without --public"),
        }
    }
}

impl From<JoinError> for Failure {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Fault(fault) => fault.into(),
            JoinError::Password(_) => Self::config(error.to_string())
                .fix("choose another bootstrap.admin_password, e.g. four random words"),
            JoinError::EmailTaken => Self::failed(error.to_string())
                .fix("make that user an administrator: `vestibule user update EMAIL --add-role admin`"),
            error => Self::failed(error.to_string()),
        }
    }
}
