//! The changes made by the forms of `/account`.

use axum::response::Response;
use minijinja::context;
use vestibule::{FactorError, SessionId};

use super::step_up::Waiting;
use crate::api::account::email::ChangeEmailRequest;
use crate::api::account::me::UpdateRequest;
use crate::api::account::password::ChangePasswordRequest;
use crate::catalogue::Code;
use crate::extract::fields::possible_at;
use crate::pages::frame::i18n::Language;
use crate::pages::frame::i18n::choice::remembered;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{Member, Visit, with_cookie};
use crate::problem::Problem;

impl Member {
    async fn profile(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let Visit { accounts, client, .. } = &self.visit;
        let wish = UpdateRequest::of_form(form.accepted()?, accounts.policy())?;
        accounts.update_profile(&self.who, wish.into(), client).await?;
        Ok("profile")
    }

    async fn email(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let accounts = &self.visit.accounts;
        let ChangeEmailRequest { email, password } = form.accepted()?.read(accounts.policy())?;
        let (at, client) = ("/password", &self.visit.client);
        let asked =
            accounts.change_email(&self.who, &email, possible_at(password, at)?.as_ref(), client).await;
        asked.map_err(|error| Problem::of_change(error, at))?;
        Ok("email")
    }

    async fn password(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let accounts = &self.visit.accounts;
        let ChangePasswordRequest { current_password, new_password } =
            form.accepted()?.read(accounts.policy())?;
        let (at, client) = ("/current_password", &self.visit.client);
        let current = possible_at(current_password, at)?;
        let changed = accounts.change_password(&self.who, current.as_ref(), &new_password, client).await;
        changed.map_err(|error| Problem::of_change(error, at))?;
        Ok("password")
    }
}

pub(super) async fn change_profile(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let typed = context! {
        display_name => form.typed("display_name"), user_name => form.typed("user_name"), locale => form.typed("locale"),
    };
    let locale = form.typed("locale").map(str::to_owned);
    let outcome = member.profile(form).await;
    let saved = outcome.is_ok();
    let answer = member.answer("profile", outcome, typed).await?;
    // Someone who chooses another language for the account wants to read it, whatever this browser had chosen before.
    let changed = locale.filter(|tag| saved && member.who.account.locale.as_ref() != Some(tag));
    let cookie = changed.and_then(|tag| Language::of_tag(&tag));
    let cookie = cookie.map(|language| remembered(member.visit.site.cookies, language));
    Ok(cookie.into_iter().fold(answer, with_cookie))
}

pub(super) async fn remove_password(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let waiting = Waiting::sent_to("/account/password/remove", &form);
    let outcome = match form.accepted() {
        Ok(_) => match member.visit.accounts.remove_password(&member.who, &member.visit.client).await {
            // What is gone already is gone, as was asked.
            Ok(()) | Err(FactorError::NotFound) => Ok("password_removed"),
            Err(error) => Err(error.into()),
        },
        Err(problem) => Err(problem),
    };
    member.answer_or_ask("password", waiting, outcome, context! {}).await
}

pub(super) async fn change_email(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let typed = context! { email => form.typed("email") };
    let outcome = member.email(form).await;
    member.answer_or_ask("email", Waiting::default(), outcome, typed).await
}

pub(super) async fn cancel_email(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let outcome = match form.accepted() {
        Ok(_) => {
            member.visit.accounts.cancel_email_change(&member.who, &member.visit.client).await?;
            Ok("email_cancelled")
        }
        Err(problem) => Err(problem),
    };
    member.answer("email", outcome, context! {}).await
}

pub(super) async fn change_password(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let outcome = member.password(form).await;
    member.answer_or_ask("password", Waiting::default(), outcome, context! {}).await
}

/// Ends one session, or all but this one.
pub(super) async fn end_sessions(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let Member { visit, who } = &member;
    let mut form = match form.accepted() {
        Ok(form) => form,
        Err(problem) => return member.answer("sessions", Err(problem), context! {}).await,
    };
    match form.take("session").map(|id| id.parse::<SessionId>()) {
        // A session that has ended meanwhile is gone, as was asked.
        Some(Ok(id)) => drop(visit.accounts.end_session(who, id, &visit.client).await?),
        Some(Err(_)) => return Err(Problem::new(Code::NotFound)),
        None => visit.accounts.end_other_sessions(who, &visit.client).await?,
    }
    member.answer("sessions", Ok("session"), context! {}).await
}
