//! Pages that ask for an address and send a mail there: whether there is an account is not told.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{AskError, Email};

use super::visit::Visit;
use crate::App;
use crate::extract::{PageForm, Pairs, fields};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/forgot", get(show_forgot).post(forgot)).route("/confirm/resend", post(resend))
}

/// A template of both pages, told apart by the action of its form.
const PAGE: &str = "address.html";

/// The address, or the page again.
fn read(visit: &Visit, form: &Pairs, values: &Value) -> Result<Email, Box<Result<Response, Problem>>> {
    let typed = form.value("email").unwrap_or_default();
    fields::email(typed).map_err(|error| {
        let values = context! { email => typed, ..values.clone() };
        Box::new(visit.refused(error.into(), PAGE, values))
    })
}

/// The same for every address; a client that asks too often is told (L6).
fn answer(visit: &Visit, asked: Result<(), AskError>, values: Value) -> Result<Response, Problem> {
    match asked {
        Ok(()) => Ok(visit.page(StatusCode::OK, PAGE, context! { sent => true, ..values })),
        Err(error) => visit.refused(error.into(), PAGE, values),
    }
}

async fn show_forgot(visit: Visit) -> Response {
    visit.page(StatusCode::OK, PAGE, context! { action => "/forgot" })
}

/// Mails a link that sets a new password.
async fn forgot(visit: Visit, PageForm(form): PageForm) -> Result<Response, Problem> {
    let values = context! { action => "/forgot" };
    let email = match read(&visit, &form, &values) {
        Ok(email) => email,
        Err(page) => return *page,
    };
    let values = context! { email => email.as_str(), ..values };
    answer(&visit, visit.accounts.forgot_password(&email, &visit.client).await, values)
}

/// Sends another confirmation mail: what the button on the page of an expired link does.
async fn resend(visit: Visit, PageForm(form): PageForm) -> Result<Response, Problem> {
    let values = context! { action => "/confirm/resend" };
    let email = match read(&visit, &form, &values) {
        Ok(email) => email,
        Err(page) => return *page,
    };
    let values = context! { email => email.as_str(), ..values };
    answer(&visit, visit.accounts.resend(&email, &visit.client).await, values)
}
