//! `/admin/registrations`: open sign-ups.

use axum::http::Uri;
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{OpenRegistration, RegistrationId, Resent, UserName};

use super::section::{Admin, Asked, address};
use crate::api::admin::registrations::ListQuery;
use crate::app::App;
use crate::extract::SegmentBeforeLast;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;

const PATH: &str = "/admin/registrations";
const TEMPLATE: &str = "admin/registrations.html";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route(PATH, get(list))
        .route("/admin/registrations/{id}/resend", post(resend))
        .route("/admin/registrations/{id}/confirm", post(confirm))
}

async fn list(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    match admin.sign_ups(&asked).await {
        Ok(values) => Ok(admin.page("registrations", TEMPLATE, values)),
        Err(problem) => admin.refused(problem, "registrations", TEMPLATE, asked.links(PATH, None)),
    }
}

async fn resend(
    admin: Admin,
    SegmentBeforeLast(id): SegmentBeforeLast<RegistrationId>,
    form: MemberForm,
) -> Result<Response, Problem> {
    let said = match form.accepted() {
        Ok(_) => admin.sent_again(id).await,
        Err(problem) => Err(problem),
    };
    admin.sign_up_answer(said).await
}

/// The sender of this form vouches for the address.
async fn confirm(
    admin: Admin,
    SegmentBeforeLast(id): SegmentBeforeLast<RegistrationId>,
    form: MemberForm,
) -> Result<Response, Problem> {
    let said = match form.accepted() {
        Ok(_) => admin.vouched(id).await,
        Err(problem) => Err(problem),
    };
    admin.sign_up_answer(said).await
}

impl Admin {
    async fn sign_ups(&self, asked: &Asked) -> Result<Value, Problem> {
        let accounts = &self.visit().accounts;
        let ListQuery(query) = asked.read(accounts.policy())?;
        let page = accounts.list_registrations(self.actor(), &query).await?;
        let items: Vec<Value> = page.items.iter().map(shown).collect();
        let links = asked.links(PATH, page.next_cursor.as_deref());
        Ok(context! { ..context! { items, said => asked.said.as_deref() }, ..links })
    }

    async fn sent_again(&self, id: RegistrationId) -> Result<&'static str, Problem> {
        let resent = self.visit().accounts.resend_registration(self.actor(), id).await?;
        Ok(match resent {
            Resent::Queued => "queued",
            Resent::OneWaits => "one_waits",
            Resent::TooSoon => "too_soon",
            Resent::TooMany => "too_many",
        })
    }

    async fn vouched(&self, id: RegistrationId) -> Result<&'static str, Problem> {
        self.visit().accounts.confirm_registration(self.actor(), id).await?;
        Ok("confirmed")
    }

    /// Redirects to the list, which confirms what was done; or shows the list again, with the error.
    async fn sign_up_answer(&self, done: Result<&'static str, Problem>) -> Result<Response, Problem> {
        match done {
            Ok(said) => Ok(see_other(&address(PATH, &[("said", said)]))),
            Err(problem) => {
                let values = self.sign_ups(&Asked::again(&[])).await?;
                self.refused(problem, "registrations", TEMPLATE, values)
            }
        }
    }
}

fn shown(open: &OpenRegistration) -> Value {
    context! {
        id => open.id.to_string(),
        email => open.email.as_str(),
        user_name => open.user_name.as_ref().map(UserName::as_str),
        created_at => open.created_at.to_string(),
        mailed_at => open.mailed_at.map(|at| at.to_string()),
        expires_at => open.expires_at.to_string(),
        decoy => open.decoy,
    }
}
