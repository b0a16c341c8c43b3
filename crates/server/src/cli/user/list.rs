//! `vestibule user list`.

use clap::{Args, ValueEnum};
use serde_json::json;
use vestibule::{
    Accounts, Actor, FactorStatus, LastSignIn, ListedUser, RoleName, TimeRange, Timestamp, UserCount,
    UserName, UserOrder, UserQuery, UserStatus,
};

use crate::cli::account::{as_json, state};
use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::failure::Failure;

/// The largest page of the library.
const PAGE_MAX: usize = 200;

/// Which users to list. Times are RFC 3339, or dates, which stand for midnight UTC.
#[derive(Clone, Debug, Args)]
pub(crate) struct List {
    /// Any part of an email address or name (one or two characters: its beginning), or a whole ID or external ID
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Only users in this state
    #[arg(long)]
    status: Option<Status>,
    /// Only users with this role
    #[arg(long)]
    role: Option<RoleName>,
    /// Only users with this second factor
    #[arg(long, value_name = "FACTOR")]
    second_factor: Option<Factor>,
    /// Only users without a second factor; the same as `--second-factor none`
    #[arg(long, conflicts_with = "second_factor")]
    without_second_factor: bool,
    /// Only users created at this time or later
    #[arg(long, value_name = "TIME")]
    created_from: Option<Timestamp>,
    /// Only users created before this time
    #[arg(long, value_name = "TIME")]
    created_before: Option<Timestamp>,
    /// Only users who signed in at this time or later
    #[arg(long, value_name = "TIME")]
    last_sign_in_from: Option<Timestamp>,
    /// Only users who have not signed in since this time, or never
    #[arg(long, value_name = "TIME")]
    last_sign_in_before: Option<Timestamp>,
    /// Only users who never signed in
    #[arg(long, conflicts_with_all = ["last_sign_in_from", "last_sign_in_before"])]
    never_signed_in: bool,
    /// What to sort by
    #[arg(long, value_enum, default_value_t = Sort::Newest)]
    sort: Sort,
    /// The maximum number of users
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Only say how many users there are
    #[arg(long, conflicts_with_all = ["limit", "sort"])]
    count: bool,
}

/// The state of a user.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    /// Can sign in
    Active,
    /// Cannot sign in
    Disabled,
}

/// What users have beside a password.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Factor {
    /// Nothing
    None,
    /// A passkey or an authenticator app
    Any,
    /// A passkey
    Passkey,
    /// An authenticator app
    Authenticator,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    /// The newest first
    Newest,
    /// The oldest first
    Oldest,
    /// By email address
    Email,
    /// Whoever signed in last comes first
    LastSignIn,
    /// Those who never signed in come first, then whoever signed in longest ago
    Inactive,
}

impl List {
    fn query(&self) -> UserQuery {
        let status = self.status.map(|status| match status {
            Status::Active => UserStatus::Active,
            Status::Disabled => UserStatus::Disabled,
        });
        let factor = if self.without_second_factor { Some(Factor::None) } else { self.second_factor };
        let second_factor = factor.map(|factor| match factor {
            Factor::None => FactorStatus::None,
            Factor::Any => FactorStatus::Any,
            Factor::Passkey => FactorStatus::Passkey,
            Factor::Authenticator => FactorStatus::Authenticator,
        });
        let order = match self.sort {
            Sort::Newest => UserOrder::Newest,
            Sort::Oldest => UserOrder::Oldest,
            Sort::Email => UserOrder::Email,
            Sort::LastSignIn => UserOrder::LatestSignIn,
            Sort::Inactive => UserOrder::EarliestSignIn,
        };
        let within = TimeRange { from: self.last_sign_in_from, before: self.last_sign_in_before };
        let last_sign_in = if self.never_signed_in {
            Some(LastSignIn::Never)
        } else {
            (within != TimeRange::default()).then_some(LastSignIn::Within(within))
        };
        UserQuery {
            search: self.q.clone(),
            status,
            role: self.role.clone(),
            second_factor,
            created: TimeRange { from: self.created_from, before: self.created_before },
            last_sign_in,
            order,
            counted: self.count,
            limit: None,
            cursor: None,
        }
    }
}

pub(super) async fn run(context: &Context, accounts: &Accounts, list: List) -> Result<(), Failure> {
    let mut query = list.query();
    if list.count {
        let page = accounts.list_users(Actor::Operator, &query).await?;
        return page.count.map_or(Ok(()), |count| print_count(context, count));
    }
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

fn print_count(context: &Context, count: UserCount) -> Result<(), Failure> {
    let UserCount { counted, is_lower_bound } = count;
    if context.json {
        return output::object(json!({ "count": counted, "count_is_lower_bound": is_lower_bound }));
    }
    let at_least = if is_lower_bound { "at least " } else { "" };
    output::line(&format!("{at_least}{counted}"))
}

fn print_page(context: &Context, users: &[ListedUser]) -> Result<(), Failure> {
    if context.json {
        return users.iter().try_for_each(|user| output::object(listed(user)));
    }
    let rows: Vec<_> = users
        .iter()
        .map(|user| {
            let account = &user.account;
            let name = account.user_name.as_ref().map_or("-", UserName::as_str);
            let roles = if account.roles.is_empty() { "-".to_owned() } else { account.roles.join(",") };
            let cells = [account.email.as_str(), name, state(account), &roles].map(str::to_owned);
            let [email, name, state, roles] = cells;
            let last = user.last_sign_in_at.map_or_else(|| "-".to_owned(), |at| at.to_string());
            [account.id.to_string(), email, name, state, roles, account.created_at.to_string(), last]
        })
        .collect();
    output::table(["id", "email", "user name", "status", "roles", "created", "last sign-in"], &rows)
}

fn listed(user: &ListedUser) -> serde_json::Value {
    let mut shown = as_json(&user.account);
    let factors = [("passkey", user.has_passkey), ("authenticator", user.has_authenticator)];
    let factors: Vec<&str> = factors.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
    shown["last_sign_in_at"] = json!(user.last_sign_in_at);
    shown["second_factors"] = json!(factors);
    shown
}
