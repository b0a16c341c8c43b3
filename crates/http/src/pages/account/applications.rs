//! The applications that are connected to an account.

use axum::response::Response;
use minijinja::{Value, context};
use vestibule::Grant;

use crate::catalogue::Code;
use crate::pages::frame::look::face::initials;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::Member;
use crate::pages::oauth::scopes::{claims_in_words, in_words};
use crate::problem::Problem;

impl Member {
    /// What the page shows of them.
    pub(super) async fn applications(&self) -> Result<Vec<Value>, Problem> {
        let language = self.visit.language();
        let shown = |grant: Grant| {
            context! {
                id => grant.application.as_str(),
                name => grant.name.as_str(),
                initials => initials(&grant.name),
                scopes => in_words(language, &grant.scopes),
                claims => claims_in_words(&grant.claims),
                created_at => grant.created_at.to_string(),
                last_used_at => grant.last_used_at.to_string(),
            }
        };
        Ok(self.visit.accounts.list_grants(&self.who).await?.into_iter().map(shown).collect())
    }

    async fn without_application(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let id = form.accepted()?.filled("id").ok_or(Problem::new(Code::NotFound))?;
        // One that is disconnected already is gone, as was asked.
        self.visit.accounts.revoke_grant(&self.who, &id, &self.visit.client).await?;
        Ok("disconnected")
    }
}

pub(super) async fn disconnect(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let outcome = member.without_application(form).await;
    member.answer("applications", outcome, context! {}).await
}
