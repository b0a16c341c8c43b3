//! Pages that ask for an address and send a mail there, without revealing whether there is an account.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{Email, ResendError};

use crate::app::App;
use crate::extract::fields;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Visit, see_other, with_cookie};
use crate::pages::sign_up::check_mail;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/forgot", get(show_forgot).post(forgot)).route("/confirm/resend", post(resend))
}

/// The template of both pages, which differ by the action of the form.
const PAGE: &str = "sign_in/address.html";

/// The address, or the page again.
fn read(visit: &Visit, form: PageForm, values: &Value) -> Result<Email, Box<Result<Response, Problem>>> {
    let typed = form.typed("email").unwrap_or_default().to_owned();
    let read = form.accepted().and_then(|_| Ok(fields::email(&typed)?));
    read.map_err(|problem| {
        let values = context! { email => typed, ..values.clone() };
        Box::new(visit.refused(problem, PAGE, values))
    })
}

/// The same for every address; a client that asks too often is informed (L6).
fn answer(visit: &Visit, asked: Result<(), ResendError>, values: Value) -> Result<Response, Problem> {
    match asked {
        Ok(()) => Ok(visit.page(StatusCode::OK, PAGE, context! { sent => true, ..values })),
        Err(error) => visit.refused(error.into(), PAGE, values),
    }
}

async fn show_forgot(visit: Visit, uri: Uri) -> Response {
    let visit = visit.returning(query(&uri).value("return_to"));
    visit.page(StatusCode::OK, PAGE, context! { action => "/forgot" })
}

/// Mails a link that sets a new password.
async fn forgot(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = visit.returning(form.typed("return_to"));
    let values = context! { action => "/forgot" };
    let email = match read(&visit, form, &values) {
        Ok(email) => email,
        Err(page) => return *page,
    };
    let values = context! { email => email.as_str(), ..values };
    let page = answer(&visit, visit.accounts.forgot_password(&email, &visit.client).await, values)?;
    Ok(with_cookie(page, visit.keep_return(visit.accounts.policy().password_reset.lifetime)))
}

/// Sends another confirmation mail: the action of the button on the page of an expired link. It leads to where the code
/// is entered: directly in the browser that waits for it, elsewhere with the password.
async fn resend(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let values = context! { action => "/confirm/resend", code => visit.accounts.policy().confirm.code };
    let email = match read(&visit, form, &values) {
        Ok(email) => email,
        Err(page) => return *page,
    };
    let values = context! { email => email.as_str(), ..values };
    let waits = check_mail::of_mail_to(&visit, &email).await?;
    match (visit.accounts.resend(&email, &visit.client).await, waits) {
        (Ok(()), Some(page)) => Ok(see_other(page)),
        (asked, _) => answer(&visit, asked, values),
    }
}
