//! `/admin/users`: the list of users, and inviting a new one.

use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{Actor, DisplayName, ListedUser, NewInvitation, UserCount, UserName, UserQuery};

use super::section::{Admin, Asked};
use super::user::languages;
use crate::api::admin::user_query::ListQuery;
use crate::api::sign_up::invitation::InviteRequest;
use crate::app::App;
use crate::pages::account::step_up::{is_missing, prove_first};
use crate::pages::frame::i18n::Language;
use crate::pages::frame::look::face::initials;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;

const PATH: &str = "/admin/users";
const TEMPLATE: &str = "admin/users.html";

/// The conditions beside the search and the state, by their names in the address.
const CONDITIONS: [&str; 7] = [
    "second_factor",
    "role",
    "created_from",
    "created_before",
    "last_sign_in",
    "last_sign_in_from",
    "last_sign_in_before",
];
/// Columns to sort by: the order that a click gives first, and the other one.
const COLUMNS: [(&str, [&str; 2]); 3] = [
    ("email", ["email", "-email"]),
    ("last_sign_in", ["-last_sign_in", "last_sign_in"]),
    ("created", ["-created", "created"]),
];

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, get(show).post(invite))
}

async fn show(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    let filter = context! { said => asked.said.as_deref(), ..admin.around(&asked).await? };
    match admin.users(&asked).await {
        Ok(list) => Ok(admin.page("users", TEMPLATE, context! { ..filter, ..list })),
        Err(problem) => admin.refused(problem, "users", TEMPLATE, filter),
    }
}

/// Mails an invitation.
async fn invite(admin: Admin, form: MemberForm) -> Result<Response, Problem> {
    let typed = context! {
        email => form.typed("email"), user_name => form.typed("user_name"), roles => form.typed("roles"),
        speaks => languages(form.typed("locale")),
    };
    match admin.invited(form).await {
        Ok(()) => Ok(see_other(&format!("{PATH}?said=invited"))),
        Err(problem) if is_missing(&problem) => Ok(prove_first(&admin.0, PATH)),
        Err(problem) => {
            let asked = Asked::again(&[]);
            let (around, list) = (admin.around(&asked).await?, admin.users(&asked).await?);
            admin.refused(
                problem,
                "users",
                TEMPLATE,
                context! { part => "invite", invite => typed, ..context! { ..list, ..around } },
            )
        }
    }
}

impl Admin {
    /// What stands around the list, whatever was asked for.
    async fn around(&self, asked: &Asked) -> Result<Value, Problem> {
        let language = self.visit().language();
        let counts = self.visit().accounts.count_users(self.actor()).await?;
        let tab = |status: &'static str, count: UserCount| {
            let href = asked.with(PATH, "status", status);
            context! { status, href, count => number(language, count), current => asked.value("status") == status }
        };
        let heading = |(name, orders): (&'static str, [&str; 2])| (name, heading(asked, orders));
        let conditions = CONDITIONS.map(|name| (name, asked.value(name)));
        Ok(context! {
            all => number(language, counts.all),
            tabs => [tab("", counts.all), tab("active", counts.active), tab("disabled", counts.disabled)],
            columns => Value::from_pairs(COLUMNS.map(heading)),
            q => asked.value("q"), status => asked.value("status"), sort => asked.value("sort"),
            file => asked.elsewhere("/admin/users.csv"),
            has_conditions => conditions.iter().skip(2).any(|(_, value)| !value.is_empty()),
            invite => self.invitee(),
            proof => self.proof(PATH).await?,
            ..Value::from_pairs(conditions)
        })
    }

    /// A page of the list.
    async fn users(&self, asked: &Asked) -> Result<Value, Problem> {
        let accounts = &self.visit().accounts;
        let ListQuery(query) = asked.read(accounts.policy())?;
        let page = accounts.list_users(self.actor(), &UserQuery { counted: true, ..query }).await?;
        let language = self.visit().language();
        let list = context! {
            own_email => self.0.who.account.email.as_str(),
            users => page.items.iter().map(row).collect::<Vec<_>>(),
            found => page.count.map(|count| number(language, count)),
            goes_on => page.items.is_empty() && page.next_cursor.is_some(),
        };
        Ok(context! { ..list, ..asked.links(PATH, page.next_cursor.as_deref()) })
    }

    /// The empty form of an invitation.
    fn invitee(&self) -> Value {
        context! { speaks => languages(Some(self.visit().language().tag())) }
    }

    /// Assigning roles needs the administrator's own password, as for those of a user (O4).
    async fn invited(&self, form: MemberForm) -> Result<(), Problem> {
        let mut form = form.accepted()?;
        let (visit, mut who) = (self.visit(), self.0.who.clone());
        let own_password = form.take("own_password");
        let InviteRequest { email, user_name, roles, locale } =
            form.read_with_list("roles", visit.accounts.policy())?;
        let roles = roles.unwrap_or_default();
        if !roles.names().is_empty() {
            who = self.prove(own_password).await?;
        }
        let actor = Actor::User(&who, &visit.client);
        visit.accounts.invite(actor, NewInvitation { email, user_name, roles, locale }).await?;
        Ok(())
    }
}

/// A heading to sort by: where it leads, and how the list is sorted by it now.
fn heading(asked: &Asked, [first, other]: [&str; 2]) -> Value {
    let now = if asked.value("sort").is_empty() { COLUMNS[2].1[0] } else { asked.value("sort") };
    let next = if now == first { other } else { first };
    let sorted =
        [first, other].contains(&now).then(|| if now.starts_with('-') { "descending" } else { "ascending" });
    context! { href => asked.with(PATH, "sort", next), sorted }
}

/// A count, with a plus where there are more.
fn number(language: Language, count: UserCount) -> String {
    language.counted(count.counted, if count.is_lower_bound { count.counted } else { i64::MAX })
}

fn row(user: &ListedUser) -> Value {
    let account = &user.account;
    let (email, display_name) =
        (account.email.as_str(), account.display_name.as_ref().map(DisplayName::as_str));
    context! {
        id => account.id.to_string(),
        email,
        initials => initials(display_name.unwrap_or(email)),
        user_name => account.user_name.as_ref().map(UserName::as_str),
        display_name,
        roles => &account.roles,
        disabled => account.disabled_at.is_some(),
        has_passkey => user.has_passkey,
        has_authenticator => user.has_authenticator,
        last_sign_in_at => user.last_sign_in_at.map(|at| at.to_string()),
        created_at => account.created_at.to_string(),
    }
}
