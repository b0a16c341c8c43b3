//! `/enrol`: the mailed link of somebody who must set up a second factor. With the password it opens a session that is good for
//! nothing else.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{BrowserSession, EnrolmentError, MailedLink};

use crate::app::App;
use crate::catalogue::Code;
use crate::extract::fields;
use crate::pages::frame::mailed_link::shown;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::Visit;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

const TEMPLATE: &str = "sign_in/enrol.html";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/enrol", get(show).post(enter))
}

/// The page in the current state of the link.
async fn values(visit: &Visit, token: &str) -> Result<Value, Problem> {
    let state = visit.accounts.link_state(MailedLink::Enrolment, token).await?;
    Ok(context! { token, ..shown(&state) })
}

async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let token = query(&uri).filled("token").unwrap_or_default();
    Ok(visit.page(StatusCode::OK, TEMPLATE, values(&visit, &token).await?))
}

async fn enter(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = visit.returning_to_application();
    let token = form.typed("token").unwrap_or_default().to_owned();
    match entered(&visit, &token, form).await {
        Ok(session) => Ok(visit.sign_in(&session, "/account?said=enrol#security")),
        Err(problem) => visit.refused(problem, TEMPLATE, values(&visit, &token).await?),
    }
}

async fn entered(visit: &Visit, token: &str, form: PageForm) -> Result<BrowserSession, Problem> {
    let at = "/password";
    let given = form.accepted()?.filled("password").ok_or(FieldError::new(at, Code::Required))?;
    let password = fields::given_password(&given)?.possible_at(at)?;
    let entered = visit.accounts.enrol_in_browser(token, &password, visit.held(), &visit.client).await;
    entered.map_err(|error| match error {
        EnrolmentError::Refused => FieldError::new(at, Code::PasswordWrong).into(),
        error @ (EnrolmentError::Link(_) | EnrolmentError::Limited { .. } | EnrolmentError::Fault(_)) => {
            error.into()
        }
    })
}
