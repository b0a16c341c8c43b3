//! Pages that ask for an address and send a mail there: whether there is an account is not told.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::{Accounts, Email};

use super::problems::for_person;
use super::render::page;
use crate::catalogue::Code;
use crate::extract::{Client, PageForm, Pairs, fields};
use crate::openapi::{EVERY, PAGE_FORM, errors};
use crate::problem::Problem;
use crate::{App, Site};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_forgot, forgot)).routes(routes!(resend))
}

/// What such a page says.
struct Texts {
    action: &'static str,
    title: &'static str,
    lead: &'static str,
    button: &'static str,
    sent: &'static str,
}

const FORGOT: Texts = Texts {
    action: "/forgot",
    title: "Forgot your password?",
    lead: "Give the e-mail address of your account. A mail with a link to set a new password goes there.",
    button: "Send me the mail",
    sent: "If there is an account with this address, a mail with a link is on its way. The link works for a short \
           time and once. No mail? Look into the spam folder, or try again in a minute.",
};

const RESEND: Texts = Texts {
    action: "/confirm/resend",
    title: "Another confirmation mail",
    lead: "Give the e-mail address that you signed up with.",
    button: "Send me another mail",
    sent: "If a sign-up with this address waits for its confirmation, a mail is on its way. If the sign-up is too \
           old, no mail comes: then sign up again.",
};

/// The form of such a page.
#[derive(ToSchema)]
#[schema(example = json!({"email": "ada@example.org"}))]
#[expect(dead_code, reason = "describes what `read` reads")]
struct AddressForm {
    #[schema(format = "email")]
    email: String,
}

/// The address, or the page again.
fn read(mut form: Pairs, texts: &Texts, site: &Site) -> Result<Email, Box<Response>> {
    let typed = form.take("email").unwrap_or_default();
    fields::email(&typed).map_err(|error| {
        let problem = Problem::from(error);
        let (status, code) = for_person(&problem).unwrap_or((problem.code().status(), problem.code()));
        Box::new(answer(status, texts, site, Some((code, &typed))))
    })
}

fn answer(status: StatusCode, texts: &Texts, site: &Site, refused: Option<(Code, &str)>) -> Response {
    let Texts { action, title, lead, button, .. } = *texts;
    let values = context! {
        service => site.service_name.as_str(), action, title, lead, button,
        typed => refused.map(|(_, typed)| typed),
        problem => refused.map(|(code, _)| code.entry().title),
        fix => refused.map(|(code, _)| code.entry().fix),
    };
    page(status, "address.html", values)
}

fn sent(texts: &Texts, site: &Site) -> Response {
    let values = context! { service => site.service_name.as_str(), title => texts.title, sent => texts.sent };
    page(StatusCode::OK, "address.html", values)
}

errors!(ShowErrors: EVERY);

/// Asks whose password was forgotten.
#[utoipa::path(get, path = "/forgot", tag = "Pages", operation_id = "forgot_page",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show_forgot(State(site): State<Arc<Site>>) -> Response {
    answer(StatusCode::OK, &FORGOT, &site, None)
}

errors!(SubmitErrors: EVERY, PAGE_FORM);

/// Mails a link that sets a new password: what the button of the page does.
#[utoipa::path(post, path = "/forgot", tag = "Pages", operation_id = "forgot_page_submit",
    request_body(content = AddressForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The same for every address.", content_type = "text/html", body = String),
        (status = 422, description = "Not an address.", content_type = "text/html", body = String), SubmitErrors))]
async fn forgot(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(form): PageForm,
) -> Result<Response, Problem> {
    let email = match read(form, &FORGOT, &site) {
        Ok(email) => email,
        Err(page) => return Ok(*page),
    };
    accounts.forgot_password(&email, &client).await?;
    Ok(sent(&FORGOT, &site))
}

/// Sends another confirmation mail: what the button on the page of an expired link does.
#[utoipa::path(post, path = "/confirm/resend", tag = "Pages", operation_id = "resend_page_submit",
    request_body(content = AddressForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The same for every address.", content_type = "text/html", body = String),
        (status = 422, description = "Not an address.", content_type = "text/html", body = String), SubmitErrors))]
async fn resend(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(form): PageForm,
) -> Result<Response, Problem> {
    let email = match read(form, &RESEND, &site) {
        Ok(email) => email,
        Err(page) => return Ok(*page),
    };
    accounts.resend(&email, &client).await?;
    Ok(sent(&RESEND, &site))
}
