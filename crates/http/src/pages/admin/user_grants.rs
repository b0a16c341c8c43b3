//! The applications that a user has let in, on the page of the user.

use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use vestibule::{ApplicationId, Grant};

use super::user::One;
use super::user_actions::Part;
use crate::app::App;
use crate::catalogue::Code;
use crate::pages::frame::page_form::MemberForm;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/admin/users/{id}/disconnect", post(disconnect))
}

async fn disconnect(one: One, form: MemberForm) -> Result<Response, Problem> {
    let outcome = one.disconnected(form).await;
    one.answer(Part("disconnect", Value::UNDEFINED), outcome).await
}

impl One {
    /// The applications that the user has let in.
    pub(super) async fn grants(&self) -> Result<Vec<Value>, Problem> {
        let accounts = &self.admin.visit().accounts;
        let grants = accounts.grants_of(self.admin.actor(), &self.named()).await?;
        Ok(grants.iter().map(of_grant).collect())
    }

    async fn disconnected(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let mut form = form.accepted()?;
        let accounts = &self.admin.visit().accounts;
        let id = form.take("client_id").and_then(|id| id.parse::<ApplicationId>().ok());
        let id = id.ok_or(Problem::new(Code::NotFound))?;
        // A second time changes nothing.
        accounts.revoke_grant_of(self.admin.actor(), &self.named(), id.as_str()).await?;
        Ok("disconnect")
    }
}

fn of_grant(grant: &Grant) -> Value {
    context! {
        id => grant.application.as_str(), name => grant.name.as_str(), scopes => grant.scopes.to_string(),
        last_used_at => grant.last_used_at.to_string(),
    }
}
