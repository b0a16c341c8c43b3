//! `vestibule user`: what operators do with users, straight on the database.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use vestibule::{
    Account, Accounts, Actor, Email, Expected, NewUser, Password, UserName, UserQuery, UserRef, UserStatus,
};

use super::{output, user_change};
use crate::cli::Context;
use crate::failure::Failure;
use crate::open::{self, Pending};

/// The largest page that the library gives.
const PAGE_MAX: usize = 200;

/// What to do with users. USER is an id (`usr_…`), an e-mail address, or a user name.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a user whose address counts as confirmed; asks for the password
    Create(Create),
    /// List users, oldest first
    List(List),
    /// Show one user
    Show {
        /// Id, e-mail address or user name
        user: String,
    },
    /// Change roles, name or language of a user
    Update(user_change::Update),
    /// Mail a user a link that sets a new password; nobody else sees it
    ResetLink {
        /// Id, e-mail address or user name
        user: String,
    },
    /// Set a user's password where no mail helps, and end all sessions
    SetPassword {
        /// Id, e-mail address or user name
        user: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the sessions of a user, newest first
    Sessions {
        /// Id, e-mail address or user name
        user: String,
    },
    /// End all sessions of a user
    SignOut {
        /// Id, e-mail address or user name
        user: String,
    },
    /// Keep a user from signing in, and end all sessions
    Disable {
        /// Id, e-mail address or user name
        user: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// Id, e-mail address or user name
        user: String,
    },
    /// Delete a user and everything held about it
    Delete {
        /// Id, e-mail address or user name
        user: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// A new user.
#[derive(Clone, Debug, Args)]
pub(crate) struct Create {
    /// The e-mail address
    #[arg(long)]
    email: Email,
    /// A public name to sign in with
    #[arg(long)]
    user_name: Option<UserName>,
    /// Give the role `admin`
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Which users to list.
#[derive(Clone, Debug, Args)]
pub(crate) struct List {
    /// How the e-mail address or the user name begins
    #[arg(long, value_name = "PREFIX")]
    q: Option<String>,
    /// Only users of this state
    #[arg(long)]
    status: Option<Status>,
    /// Users at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

/// The state of a user.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// May sign in
    Active,
    /// May not
    Disabled,
}

/// Runs the command.
pub(crate) fn run(context: &Context, command: Command) -> Result<(), Failure> {
    // Asked before the database is opened, so that nothing waits for a person.
    let password = match &command {
        Command::Create(create) => Some(read_password(create.password_stdin)?),
        Command::SetPassword { password_stdin, .. } => Some(read_password(*password_stdin)?),
        Command::Delete { yes, user } => {
            eprintln!("This deletes the user {user} and everything held about it.");
            confirmed(*yes)?;
            None
        }
        _ => None,
    };
    let config = context.config()?;
    open::block_on(async {
        let key = open::secret_key(&config, false)?;
        let accounts = open::accounts(&config, config.public_url(None), key, Pending::Refuse).await?;
        match command {
            Command::Create(create) => make(context, &accounts, create, password).await,
            Command::List(list) => print_list(context, &accounts, list).await,
            Command::Show { user } => {
                print(context, &accounts.find_user(Actor::Operator, &named(&user)?).await?)
            }
            Command::Update(update) => user_change::update(context, &accounts, update).await,
            Command::ResetLink { user } => user_change::reset_link(context, &accounts, &named(&user)?).await,
            Command::SetPassword { user, .. } => {
                let password = password.ok_or_else(|| Failure::usage("a password is needed"))?;
                print(context, &accounts.set_password(&named(&user)?, &password).await?)
            }
            Command::Sessions { user } => user_change::sessions(context, &accounts, &named(&user)?).await,
            Command::SignOut { user } => {
                print(context, &accounts.end_sessions(Actor::Operator, &named(&user)?, None).await?)
            }
            Command::Disable { user } => {
                print(context, &accounts.disable_user(Actor::Operator, &named(&user)?, None).await?)
            }
            Command::Enable { user } => {
                print(context, &accounts.enable_user(Actor::Operator, &named(&user)?, None).await?)
            }
            Command::Delete { user, .. } => delete(context, &accounts, &user).await,
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
    let user = NewUser { email: wish.email, password, user_name: wish.user_name, roles };
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

async fn print_list(context: &Context, accounts: &Accounts, list: List) -> Result<(), Failure> {
    let status = list.status.map(|status| match status {
        Status::Active => UserStatus::Active,
        Status::Disabled => UserStatus::Disabled,
    });
    let mut query = UserQuery { prefix: list.q, status, limit: None, cursor: None };
    let mut left = list.limit;
    while left > 0 {
        query.limit = u32::try_from(left.min(PAGE_MAX)).ok();
        let page = accounts.list_users(Actor::Operator, &query).await?;
        left = left.saturating_sub(page.items.len());
        print_page(context, &page.items)?;
        match page.next_cursor {
            None => return Ok(()),
            cursor => query.cursor = cursor,
        }
    }
    eprintln!("There are more: raise --limit, or narrow with --q.");
    Ok(())
}

fn print_page(context: &Context, users: &[Account]) -> Result<(), Failure> {
    if context.json {
        return users.iter().try_for_each(|user| output::object(as_json(user)));
    }
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            let name = user.user_name.as_ref().map_or("-", UserName::as_str);
            let roles = if user.roles.is_empty() { "-".to_owned() } else { user.roles.join(",") };
            let cells = [user.email.as_str(), name, state(user), &roles].map(str::to_owned);
            let [email, name, state, roles] = cells;
            [user.id.to_string(), email, name, state, roles, user.created_at.to_string()]
        })
        .collect();
    output::table(["id", "e-mail", "user name", "status", "roles", "created"], &rows)
}

pub(super) fn print(context: &Context, user: &Account) -> Result<(), Failure> {
    if context.json {
        return output::object(as_json(user));
    }
    let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let lines = [
        ("id", user.id.to_string()),
        ("e-mail", user.email.as_str().to_owned()),
        ("user name", text(user.user_name.as_ref().map(|name| name.as_str().to_owned()))),
        ("status", state(user).to_owned()),
        ("roles", text((!user.roles.is_empty()).then(|| user.roles.join(",")))),
        ("confirmed", user.email_confirmed_at.to_string()),
        ("created", user.created_at.to_string()),
        ("disabled", text(user.disabled_at.map(|at| at.to_string()))),
        ("locale", text(user.locale.clone())),
    ];
    lines.iter().try_for_each(|(name, value)| output::line(&format!("{name:<9}  {value}")))
}

fn state(user: &Account) -> &'static str {
    if user.disabled_at.is_some() { "disabled" } else { "active" }
}

fn as_json(user: &Account) -> serde_json::Value {
    json!({
        "id": user.id,
        "email": user.email.as_str(),
        "user_name": user.user_name.as_ref().map(UserName::as_str),
        "status": state(user),
        "roles": user.roles,
        "email_confirmed_at": user.email_confirmed_at,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        "locale": user.locale,
    })
}

/// An id begins with `usr_`, which no user name may; an address has an `@`, which neither has.
pub(super) fn named(text: &str) -> Result<UserRef, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(UserRef::Id(id));
    }
    let parsed = if text.contains('@') {
        text.parse().map(UserRef::Email).map_err(|error: vestibule::EmailError| error.to_string())
    } else {
        text.parse().map(UserRef::UserName).map_err(|error: vestibule::UserNameError| error.to_string())
    };
    parsed.map_err(|cause| {
        Failure::usage(format!("{text:?}: {cause}"))
            .fix("name an id (usr_…), an e-mail address or a user name")
    })
}

fn read_password(from_stdin: bool) -> Result<Password, Failure> {
    let text = if from_stdin {
        first_line()?
    } else if io::stdin().is_terminal() {
        let asked = rpassword::prompt_password("Password: ");
        asked.map_err(|error| Failure::failed(format!("cannot read the password: {error}")))?
    } else {
        return Err(Failure::usage("standard input is not a terminal to ask for the password")
            .fix("give it there, with --password-stdin"));
    };
    Password::new(&text).map_err(|error| Failure::failed(error.to_string()).fix("choose another password"))
}

fn first_line() -> Result<String, Failure> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Failure::failed(format!("cannot read the password from standard input: {error}")))?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Asks on a terminal; elsewhere only `--yes` counts.
pub(super) fn confirmed(yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("standard input is not a terminal to ask whether to go on")
            .fix("say so with --yes"));
    }
    eprint!("Go on? [y/N] ");
    let _ = io::stderr().flush();
    let answer = first_line()?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(Failure::failed("nothing was changed"))
    }
}
