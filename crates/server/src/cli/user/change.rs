//! `vestibule user update`, `reset-link` and `sessions`.

use clap::Args;
use serde_json::json;
use vestibule::{
    Accounts, Actor, DisplayName, DisplayNameError, Edit, Expected, Roles, UserChange, UserName, UserRef,
};

use crate::cli::account::{named, print};
use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::cli::terminal::reason::Because;
use crate::failure::Failure;
use crate::language::language;

/// What changes about a user; the rest stays.
#[derive(Clone, Debug, Args)]
pub(crate) struct Update {
    /// ID, email address or user name
    user: String,
    /// Add this role; can be repeated
    #[arg(long, value_name = "ROLE")]
    add_role: Vec<String>,
    /// Remove this role; can be repeated
    #[arg(long, value_name = "ROLE")]
    remove_role: Vec<String>,
    /// The new user name
    #[arg(long)]
    user_name: Option<UserName>,
    /// The new display name; an empty text removes it
    #[arg(long, value_name = "NAME", value_parser = display_name)]
    display_name: Option<Edit<DisplayName>>,
    /// The language of emails, a tag such as `en` or `pt-BR`
    #[arg(long, value_name = "TAG", value_parser = language)]
    locale: Option<String>,
    #[command(flatten)]
    pub(super) because: Because,
}

pub(crate) async fn update(context: &Context, accounts: &Accounts, wish: Update) -> Result<(), Failure> {
    let changes_roles = !(wish.add_role.is_empty() && wish.remove_role.is_empty());
    let Update { user_name, display_name, locale, .. } = &wish;
    if !changes_roles && user_name.is_none() && display_name.is_none() && locale.is_none() {
        let fix = "say what: --add-role, --remove-role, --user-name, --display-name, --locale";
        return Err(Failure::usage("nothing to change").fix(fix));
    }
    let account = accounts.find_user(Actor::Operator, &named(&wish.user)?).await?;
    let kept = account.roles.iter().filter(|role| !wish.remove_role.contains(role));
    let roles = Roles::new(kept.chain(&wish.add_role)).map_err(|error| {
        Failure::usage(error.to_string()).fix("name roles like `editor` or `billing-admin`")
    })?;
    let change = UserChange {
        roles: changes_roles.then_some(roles),
        user_name: wish.user_name,
        display_name: wish.display_name.unwrap_or_default(),
        locale: wish.locale,
    };
    // A concurrent change is not overwritten.
    let expected = Expected::OneOf(vec![account.revision()]);
    let user = UserRef::Id(account.id);
    print(context, &accounts.change_user(Actor::Operator, &user, &expected, change, None).await?)
}

pub(crate) async fn reset_link(
    context: &Context,
    accounts: &Accounts,
    user: &UserRef,
) -> Result<(), Failure> {
    let account = accounts.find_user(Actor::Operator, user).await?;
    accounts.mail_reset_link(Actor::Operator, &UserRef::Id(account.id), None).await?;
    if context.json {
        return output::object(json!({ "id": account.id, "queued": true }));
    }
    eprintln!("The server will email it to {}.", account.email.as_str());
    output::line(&format!("queued: {}", account.id))
}

pub(crate) async fn sessions(context: &Context, accounts: &Accounts, user: &UserRef) -> Result<(), Failure> {
    let sessions = accounts.sessions_of(Actor::Operator, user).await?;
    if context.json {
        return sessions.iter().try_for_each(|session| {
            output::object(json!({
                "id": session.id,
                "user_agent": session.user_agent,
                "ip": session.ip,
                "created_at": session.created_at,
                "last_seen_at": session.last_seen_at,
                "expires_at": session.expires_at,
            }))
        });
    }
    let rows: Vec<_> = sessions
        .iter()
        .map(|session| {
            let plain = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
            let text = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), plain);
            let [created, seen] = [session.created_at, session.last_seen_at].map(|at| at.to_string());
            [session.id.to_string(), created, seen, text(&session.ip), text(&session.user_agent)]
        })
        .collect();
    output::table(["id", "created", "last seen", "address", "device"], &rows)
}

fn display_name(text: &str) -> Result<Edit<DisplayName>, DisplayNameError> {
    if text.is_empty() { Ok(Edit::Remove) } else { text.parse().map(Edit::Set) }
}
