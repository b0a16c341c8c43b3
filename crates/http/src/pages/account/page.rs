//! The page of a person's own account.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use minijinja::{Value, context};
use vestibule::Session;

use crate::pages::frame::device::device_words;
use crate::pages::frame::error_view::with_headers;
use crate::pages::frame::i18n::Language;
use crate::pages::frame::look::face::is_handheld;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{GO_ON, Member, Visit, see_other};
use crate::problem::Problem;

impl Member {
    /// The whole page; `values` describe what has just happened in one of its parts.
    async fn page(&self, status: StatusCode, values: Value) -> Result<Response, Problem> {
        let Self { visit, who } = self;
        let pending = visit.accounts.pending_email(who).await?;
        let sessions = visit.accounts.list_sessions(who).await?;
        let sessions: Vec<Value> = sessions.into_iter().map(|session| self.shown(session)).collect();
        let locale = who.account.locale.as_deref();
        let values = context! {
            account => context! {
                email => who.account.email.as_str(),
                user_name => who.account.user_name.as_ref().map(vestibule::UserName::as_str),
                display_name => who.account.display_name.as_ref().map(vestibule::DisplayName::as_str),
            },
            initials => self.initials(),
            locale => locale.and_then(Language::of_tag).unwrap_or(visit.language()).tag(),
            speaks => Language::ALL.map(|one| context! { tag => one.tag(), name => one.name(), dir => one.direction() }),
            pending => pending.map(|(email, _)| context! { email => email.as_str() }),
            sessions,
            applications => self.applications().await?,
            member => true,
            admin => who.is_admin(),
            must_enrol => who.must_enrol,
            security => self.security().await?,
            ..values
        };
        Ok(visit.page(status, "account/account.html", values))
    }

    /// Where somebody who has set up a second factor was going, if an application has sent them.
    pub(super) fn way_on(&self) -> Option<String> {
        let id = self.visit.kept_request().filter(|_| !self.who.must_enrol)?;
        Some(format!("{GO_ON}{id}"))
    }

    fn shown(&self, session: Session) -> Value {
        context! {
            device => device_words(self.visit.language(), session.user_agent.as_deref()),
            phone => is_handheld(session.user_agent.as_deref()),
            id => session.id.to_string(), ip => session.ip, created_at => session.created_at.to_string(),
            last_seen_at => session.last_seen_at.to_string(), current => session.id == self.who.session_id,
        }
    }

    /// Redirects to the page, which confirms what was done; or shows the page again, with the errors in one of its
    /// parts.
    pub(crate) async fn answer(
        &self,
        part: &str,
        outcome: Result<&'static str, Problem>,
        typed: Value,
    ) -> Result<Response, Problem> {
        let problem = match outcome {
            Ok(said) => return Ok(see_other(&format!("/account?said={said}#{part}"))),
            Err(problem) => problem,
        };
        let Some(view) = self.visit.error_view(&problem) else { return Err(problem) };
        let page = self.page(view.status, context! { part, typed, ..view.values() }).await?;
        Ok(with_headers(page, &problem))
    }
}

/// The page where password managers send people to change a password (W3C, "A Well-Known URL for Changing Passwords").
pub(super) async fn to_password(visit: Visit) -> Result<Response, Problem> {
    let there = "/account#password";
    match visit.who().await? {
        Some(_) => Ok(see_other(there)),
        // A sign-in would lose the `#` part of an address, but not a parameter.
        None => Ok(see_other(&format!(
            "/login?{}",
            serde_urlencoded::to_string([("return_to", there)]).unwrap_or_default()
        ))),
    }
}

pub(super) async fn show(member: Member, uri: Uri) -> Result<Response, Problem> {
    let said = query(&uri).take("said");
    member.page(StatusCode::OK, context! { said, go_on => member.way_on() }).await
}
