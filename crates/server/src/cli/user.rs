//! `vestibule user`: operations on users, directly in the database.

mod change;
mod export;
mod import;
mod list;
mod ways_in;

use clap::{Args, Subcommand};
use serde_json::json;
use vestibule::{
    Accounts, Actor, DisplayName, Email, Expected, NewUser, Password, Reason, UserName, UserRef,
};

use super::account::{named, print};
use super::context::Context;
use super::terminal::output;
use crate::cli::terminal::ask::{confirmed, read_password};
use crate::cli::terminal::reason::Because;
use crate::failure::Failure;
use crate::open;

/// What to do with users. USER is an id (`usr_…`), an email address, or a user name.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a user with a confirmed address; asks for the password
    Create(Create),
    /// Import users of another system, with their password hashes
    Import(Box<import::Import>),
    /// Export all users, as an import takes them
    Export(export::Export),
    /// List users, newest first
    List(Box<list::List>),
    /// Show one user
    Show {
        /// ID, email address or user name
        user: String,
    },
    /// Change roles, names or language of a user
    Update(change::Update),
    /// Email a user a link to set a new password; nobody else sees it
    ResetLink {
        /// ID, email address or user name
        user: String,
        #[command(flatten)]
        because: Because,
    },
    /// Set a user's password when email is no help, and end all sessions
    SetPassword {
        /// ID, email address or user name
        user: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        because: Because,
    },
    /// Passkeys, authenticator app and recovery codes of a user
    #[command(subcommand)]
    WaysIn(ways_in::Command),
    /// List the sessions of a user, newest first
    Sessions {
        /// ID, email address or user name
        user: String,
    },
    /// End all sessions of a user
    SignOut {
        /// ID, email address or user name
        user: String,
        #[command(flatten)]
        because: Because,
    },
    /// Block a user from signing in, and end all sessions
    Disable {
        /// ID, email address or user name
        user: String,
        #[command(flatten)]
        because: Because,
    },
    /// Let a disabled user sign in again
    Enable {
        /// ID, email address or user name
        user: String,
        #[command(flatten)]
        because: Because,
    },
    /// Delete a user and everything stored about them
    Delete {
        /// ID, email address or user name
        user: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        because: Because,
    },
}

/// A new user.
#[derive(Clone, Debug, Args)]
pub(crate) struct Create {
    /// The email address
    #[arg(long)]
    email: Email,
    /// A public name to sign in with
    #[arg(long)]
    user_name: Option<UserName>,
    /// What people call the user, in any spelling
    #[arg(long)]
    display_name: Option<DisplayName>,
    /// Give the role `admin`
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    because: Because,
}

impl Command {
    /// Why somebody is changed.
    fn reason(&self) -> Option<&Reason> {
        let because = match self {
            Self::Create(Create { because, .. })
            | Self::Update(change::Update { because, .. })
            | Self::ResetLink { because, .. }
            | Self::SetPassword { because, .. }
            | Self::SignOut { because, .. }
            | Self::Disable { because, .. }
            | Self::Enable { because, .. }
            | Self::Delete { because, .. } => because,
            // The operation takes its reason; imports read their settings themselves; the others change nobody.
            Self::WaysIn(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::List(_)
            | Self::Show { .. }
            | Self::Sessions { .. } => return None,
        };
        because.reason.as_ref()
    }
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: Command) -> Result<(), Failure> {
    // Asked before the database is opened, so that nothing waits for a person.
    let password = match &command {
        Command::Create(create) => Some(read_password(create.password_stdin)?),
        Command::SetPassword { password_stdin, .. } => Some(read_password(*password_stdin)?),
        Command::Delete { yes, user, .. } => {
            eprintln!("This deletes the user {user} and everything stored about them.");
            confirmed(*yes)?;
            None
        }
        _ => None,
    };
    match &command {
        Command::Import(import) => return import::run(context, import),
        Command::Export(export) => return export::run(context, export),
        _ => {}
    }
    let config = context.config_because(command.reason())?;
    open::block_on(async {
        let accounts = open::for_command(&config, config.public_url(None)).await?;
        match command {
            Command::Create(create) => make(context, &accounts, create, password).await,
            Command::List(list) => list::run(context, &accounts, *list).await,
            Command::Show { user } => {
                print(context, &accounts.find_user(Actor::Operator, &named(&user)?).await?)
            }
            Command::Update(update) => change::update(context, &accounts, update).await,
            Command::ResetLink { user, .. } => change::reset_link(context, &accounts, &named(&user)?).await,
            Command::SetPassword { user, .. } => {
                let password = password.ok_or_else(|| Failure::usage("a password is needed"))?;
                print(context, &accounts.set_password(&named(&user)?, &password).await?)
            }
            Command::WaysIn(command) => ways_in::run(context, &accounts, command).await,
            Command::Sessions { user } => change::sessions(context, &accounts, &named(&user)?).await,
            Command::SignOut { user, .. } => {
                print(context, &accounts.end_sessions(Actor::Operator, &named(&user)?, None).await?)
            }
            Command::Disable { user, .. } => {
                print(context, &accounts.disable_user(Actor::Operator, &named(&user)?, None).await?)
            }
            Command::Enable { user, .. } => {
                print(context, &accounts.enable_user(Actor::Operator, &named(&user)?, None).await?)
            }
            Command::Delete { user, .. } => delete(context, &accounts, &user).await,
            // They have runtimes of their own.
            Command::Import(_) | Command::Export(_) => Ok(()),
        }
    })
}

async fn make(
    context: &Context,
    accounts: &Accounts,
    wish: Create,
    password: Option<Password>,
) -> Result<(), Failure> {
    let password = password.ok_or_else(|| Failure::usage("a password is needed"))?;
    let roles = if wish.admin { vec!["admin".to_owned()] } else { Vec::new() };
    let Create { email, user_name, display_name, .. } = wish;
    let user = NewUser { email, password, user_name, display_name, roles };
    print(context, &accounts.create_user(Actor::Operator, user).await?)
}

async fn delete(context: &Context, accounts: &Accounts, user: &str) -> Result<(), Failure> {
    let user = named(user)?;
    let account = accounts.find_user(Actor::Operator, &user).await?;
    accounts.delete_user(Actor::Operator, &UserRef::Id(account.id), &Expected::Any, None).await?;
    if context.json {
        return output::object(json!({ "id": account.id, "deleted": true }));
    }
    output::line(&format!("deleted: {}", account.id))
}
