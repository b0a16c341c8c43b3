//! Everything stored about an account: its export, and its deletion.

use axum::Json;
use axum::http::header::CONTENT_DISPOSITION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use minijinja::context;

use super::step_up::Waiting;
use crate::api::account::me::{DeleteRequest, Exported};
use crate::extract::cookies::Cookie;
use crate::extract::fields::possible_at;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{Member, with_cookie};
use crate::problem::Problem;

impl Member {
    async fn delete(&self, form: MemberForm) -> Result<(), Problem> {
        let accounts = &self.visit.accounts;
        let DeleteRequest { password } = form.accepted()?.read(accounts.policy())?;
        let (at, client) = ("/password", &self.visit.client);
        let deleted = accounts.delete_account(&self.who, possible_at(password, at)?.as_ref(), client).await;
        deleted.map_err(|error| Problem::of_change(error, at))
    }
}

/// Everything stored about the account, as a file. It changes nothing but the trail, and other sites cannot read it.
pub(super) async fn export(Member { visit, who }: Member) -> Result<Response, Problem> {
    let held = Exported::of(visit.accounts.export_account(&who, &visit.client).await?, &who);
    let mut response = Json(held).into_response();
    let name = HeaderValue::from_static("attachment; filename=\"account.json\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(response)
}

pub(super) async fn delete(member: Member, form: MemberForm) -> Result<Response, Problem> {
    if let Err(problem) = member.delete(form).await {
        return member.answer_or_ask("delete", Waiting::default(), Err(problem), context! {}).await;
    }
    let visit = &member.visit;
    let mut response = visit.page(StatusCode::OK, "account/goodbye.html", context! {});
    for cookie in [Cookie::Session, Cookie::Device, Cookie::SignUp] {
        response = with_cookie(response, visit.site.cookies.clear(cookie));
    }
    Ok(response)
}
