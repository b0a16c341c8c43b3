//! `/admin/users`: the list of users, and inviting a new one.

use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{Account, Actor, NewInvitation, UserName};

use super::section::{Admin, Asked};
use super::user::languages;
use crate::api::admin::users::ListQuery;
use crate::api::sign_up::invitation::InviteRequest;
use crate::app::App;
use crate::pages::account::step_up::{is_missing, prove_first};
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;

const PATH: &str = "/admin/users";
const TEMPLATE: &str = "admin/users.html";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, get(show).post(invite))
}

async fn show(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    let filter = context! {
        said => asked.said.as_deref(), q => asked.value("q"), status => asked.value("status"),
        second_factor => asked.value("second_factor"),
        invite => admin.invitee(), proof => admin.proof(PATH).await?,
    };
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
            let list = admin.users(&Asked::again(&[])).await?;
            let values =
                context! { part => "invite", invite => typed, proof => admin.proof(PATH).await?, ..list };
            admin.refused(problem, "users", TEMPLATE, values)
        }
    }
}

impl Admin {
    /// A page of the list.
    async fn users(&self, asked: &Asked) -> Result<Value, Problem> {
        let accounts = &self.visit().accounts;
        let ListQuery(query) = asked.read(accounts.policy())?;
        let page = accounts.list_users(self.actor(), &query).await?;
        let list = context! {
            own_email => self.0.who.account.email.as_str(),
            users => page.items.iter().map(row).collect::<Vec<_>>(),
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

fn row(account: &Account) -> Value {
    context! {
        id => account.id.to_string(),
        email => account.email.as_str(),
        user_name => account.user_name.as_ref().map(UserName::as_str),
        roles => account.roles.join(" "),
        disabled => account.disabled_at.is_some(),
        created_at => account.created_at.to_string(),
    }
}
