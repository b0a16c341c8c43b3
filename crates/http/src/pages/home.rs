//! `/`: the addresses of this server.

use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use minijinja::context;
use vestibule::{Accounts, SignUpMode};

use crate::app::Site;
use crate::describe::errors::{EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::pages::frame::visit::{Visit, see_other};
use crate::problem::Problem;

pub(super) fn routes() -> Routes {
    routes!(home)
}

errors!(HomeErrors: EVERY);

/// The addresses of this server: a page for browsers, plain text for everybody else.
#[utoipa::path(get, path = "/", tag = "Pages", operation_id = "home",
    responses((status = 200, description = "The addresses.", content(
        (String = "text/plain", example = "Vestibule\n\nSign up  POST https://accounts.example.org/v1/signup\n"),
        (String = "text/html"))), HomeErrors))]
async fn home(visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    let browser =
        headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|a| a.contains("text/html"));
    let mut response = if browser {
        let who = visit.who().await?;
        if who.as_ref().is_some_and(|who| who.must_enrol) {
            return Ok(see_other("/account"));
        }
        let known = who.map(|who| who.account.email.as_str().to_owned());
        visit.page(StatusCode::OK, "home.html", context! { known })
    } else {
        let text = text(&visit.site, &visit.accounts);
        ([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept, accept-language, cookie"));
    Ok(response)
}

fn text(site: &Site, accounts: &Accounts) -> String {
    let url = accounts.public_url();
    let open = accounts.policy().sign_up.mode == SignUpMode::Open;
    let sign_up =
        if open { format!("Sign up   {url}/signup   or POST {url}/v1/signup\n") } else { String::new() };
    let mailbox = if site.dev.is_some() { format!("Mailbox   {url}/dev/mail\n") } else { String::new() };
    let name = &site.service_name;
    format!(
        "{name}\n\n{sign_up}Sign in   {url}/login    or POST {url}/v1/login\n\
         API docs  {url}/docs\nErrors    {url}/docs/errors\n{mailbox}"
    )
}
