//! The recovery codes of an account, which are shown once.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use minijinja::context;
use vestibule::RecoveryCode;

use super::step_up::Waiting;
use crate::app::App;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{GO_ON, Member, see_other};
use crate::problem::Problem;

const PATH: &str = "/account/recovery-codes";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, post(renew).get(async || see_other("/account#recovery-codes")))
}

async fn renew(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let waiting = Waiting::sent_to(PATH, &form);
    let made = match form.accepted() {
        Ok(_) => {
            let made = member.visit.accounts.make_recovery_codes(&member.who, &member.visit.client).await;
            made.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok(codes) => Ok(shown_once(&member, &codes, false)),
        Err(problem) => member.answer_or_ask("recovery-codes", waiting, Err(problem), context! {}).await,
    }
}

/// The page with the codes. It is the answer to a form, so that no address shows them again.
pub(super) fn shown_once(member: &Member, codes: &[RecoveryCode], with_authenticator: bool) -> Response {
    let codes: Vec<String> = codes.iter().map(|code| code.expose().to_owned()).collect();
    let values = context! {
        codes, with_authenticator, email => member.who.account.email.as_str(), member => true,
        admin => member.who.is_admin(), initials => member.initials(),
        go_on => member.visit.kept_request().filter(|_| with_authenticator).map(|id| format!("{GO_ON}{id}")),
    };
    member.visit.page(StatusCode::OK, "account/recovery_codes.html", values)
}
