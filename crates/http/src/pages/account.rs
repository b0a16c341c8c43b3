//! `/account`: what a person can see and change about the own account.

use axum::Json;
use axum::http::header::CONTENT_DISPOSITION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{ProfileChange, Session, SessionId};

use super::i18n::Language;
use super::problems::{Told, with_headers};
use super::visit::{Member, query, see, with_cookie};
use crate::App;
use crate::api::device;
use crate::api::email::ChangeEmailRequest;
use crate::api::me::{DeleteRequest, Exported, UpdateRequest};
use crate::api::password::ChangePasswordRequest;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::{MemberForm, Pairs};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/account", get(show))
        .route("/account/profile", post(change_profile))
        .route("/account/email", post(change_email))
        .route("/account/email/cancel", post(cancel_email))
        .route("/account/password", post(change_password))
        .route("/account/sessions/end", post(end_sessions))
        .route("/account/export", get(export))
        .route("/account/delete", post(delete))
}

impl Member {
    /// The whole page; `values` say what has just happened to a part of it.
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
            },
            locale => locale.and_then(Language::of_tag).unwrap_or(visit.language).tag(),
            speaks => Language::ALL.map(|one| context! { tag => one.tag(), name => one.name(), dir => one.direction() }),
            pending => pending.map(|(email, _)| context! { email => email.as_str() }),
            sessions,
            member => true,
            admin => who.is_admin(),
            ..values
        };
        Ok(visit.page(status, "account.html", values))
    }

    fn shown(&self, session: Session) -> Value {
        context! {
            device => device_words(self.visit.language, session.user_agent.as_deref()),
            id => session.id.to_string(), ip => session.ip,
            last_seen_at => session.last_seen_at.to_string(), current => session.id == self.who.session_id,
        }
    }

    /// Back to the page, which says what was done; or the page again, with what is wrong in one of its parts.
    async fn answer(
        &self,
        part: &str,
        outcome: Result<&'static str, Problem>,
        typed: Value,
    ) -> Result<Response, Problem> {
        let problem = match outcome {
            Ok(said) => return Ok(see(&format!("/account?said={said}#{part}"))),
            Err(problem) => problem,
        };
        let Some(told) = Told::of(&problem, self.visit.language) else { return Err(problem) };
        let page = self.page(told.status, context! { part, typed, ..told.values() }).await?;
        Ok(with_headers(page, &problem))
    }

    async fn profile(&self, form: Pairs) -> Result<&'static str, Problem> {
        let UpdateRequest { user_name, locale } = form.read(self.visit.accounts.policy())?;
        self.visit
            .accounts
            .update_profile(&self.who, ProfileChange { user_name, locale }, &self.visit.client)
            .await?;
        Ok("profile")
    }

    async fn email(&self, form: Pairs) -> Result<&'static str, Problem> {
        let accounts = &self.visit.accounts;
        let ChangeEmailRequest { email, password } = form.read(accounts.policy())?;
        let (at, client) = ("/password", &self.visit.client);
        let asked = accounts.change_email(&self.who, &email, &password.possible_at(at)?, client).await;
        asked.map_err(|error| Problem::of_change(error, at))?;
        Ok("email")
    }

    async fn password(&self, form: Pairs) -> Result<&'static str, Problem> {
        let accounts = &self.visit.accounts;
        let ChangePasswordRequest { current_password, new_password } = form.read(accounts.policy())?;
        let (at, client) = ("/current_password", &self.visit.client);
        let current = current_password.possible_at(at)?;
        let changed = accounts.change_password(&self.who, &current, &new_password, client).await;
        changed.map_err(|error| Problem::of_change(error, at))?;
        Ok("password")
    }

    async fn delete(&self, form: Pairs) -> Result<(), Problem> {
        let accounts = &self.visit.accounts;
        let DeleteRequest { password } = form.read(accounts.policy())?;
        let (at, client) = ("/password", &self.visit.client);
        let deleted = accounts.delete_account(&self.who, &password.possible_at(at)?, client).await;
        deleted.map_err(|error| Problem::of_change(error, at))
    }
}

/// A device, as its owner would name it.
pub(super) fn device_words(language: Language, user_agent: Option<&str>) -> String {
    let device = device::in_words(user_agent.unwrap_or_default());
    if device == device::UNKNOWN {
        language.text("account.unknown_device").to_owned()
    } else {
        device.replace(" on ", " · ")
    }
}

async fn show(member: Member, uri: Uri) -> Result<Response, Problem> {
    member.page(StatusCode::OK, context! { said => query(&uri).take("said") }).await
}

async fn change_profile(member: Member, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    let typed = context! { user_name => form.value("user_name") };
    let outcome = member.profile(form).await;
    member.answer("profile", outcome, typed).await
}

async fn change_email(member: Member, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    let typed = context! { email => form.value("email") };
    let outcome = member.email(form).await;
    member.answer("email", outcome, typed).await
}

async fn cancel_email(member: Member, MemberForm(_): MemberForm) -> Result<Response, Problem> {
    member.visit.accounts.cancel_email_change(&member.who, &member.visit.client).await?;
    member.answer("email", Ok("email_cancelled"), context! {}).await
}

async fn change_password(member: Member, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    let outcome = member.password(form).await;
    member.answer("password", outcome, context! {}).await
}

/// One session, or all but this one.
async fn end_sessions(member: Member, MemberForm(mut form): MemberForm) -> Result<Response, Problem> {
    let Member { visit, who } = &member;
    match form.take("session").map(|id| id.parse::<SessionId>()) {
        // One that has ended meanwhile is gone, as was asked.
        Some(Ok(id)) => drop(visit.accounts.end_session(who, id, &visit.client).await?),
        Some(Err(_)) => return Err(Problem::new(Code::NotFound)),
        None => visit.accounts.end_other_sessions(who, &visit.client).await?,
    }
    member.answer("sessions", Ok("session"), context! {}).await
}

/// Everything held about the account, as a file. It changes nothing but the trail, and other sites cannot read it.
async fn export(Member { visit, who }: Member) -> Result<Response, Problem> {
    let held = Exported::of(visit.accounts.export_account(&who, &visit.client).await?, &who);
    let mut response = Json(held).into_response();
    let name = HeaderValue::from_static("attachment; filename=\"account.json\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(response)
}

async fn delete(member: Member, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    if let Err(problem) = member.delete(form).await {
        return member.answer("delete", Err(problem), context! {}).await;
    }
    let visit = &member.visit;
    let mut response = visit.page(StatusCode::OK, "goodbye.html", context! {});
    for cookie in [Cookie::Session, Cookie::Device, Cookie::SignUp] {
        response = with_cookie(response, visit.site.cookies.clear(cookie));
    }
    Ok(response)
}
