//! The page that the mailed link opens. Opening it changes nothing; its button does (S8).

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use minijinja::context;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::{Accounts, LinkState, Password};

use super::problems::{for_person, with_headers};
use super::render::page;
use crate::catalogue::Code;
use crate::extract::{Client, PageForm, Pairs};
use crate::openapi::{EVERY, HASH, PAGE_FORM, errors};
use crate::problem::Problem;
use crate::{App, Site};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, submit))
}

/// What the page shows.
#[derive(Clone, Copy)]
enum View {
    /// The form, with the problem of the last attempt.
    Form(Option<Code>),
    Confirmed,
    Used,
    Expired,
    Invalid,
}

impl View {
    fn name(self) -> &'static str {
        match self {
            Self::Form(_) => "form",
            Self::Confirmed => "confirmed",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Invalid => "invalid",
        }
    }
}

impl From<LinkState> for View {
    fn from(state: LinkState) -> Self {
        match state {
            LinkState::Open => Self::Form(None),
            LinkState::Used => Self::Used,
            LinkState::Expired => Self::Expired,
            LinkState::Invalid => Self::Invalid,
        }
    }
}

errors!(ShowErrors: EVERY);

/// Shows what a mailed link can do. It changes nothing, however often it is opened and by whom.
#[utoipa::path(get, path = "/confirm", tag = "Pages", operation_id = "confirm_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    uri: Uri,
) -> Result<Response, Problem> {
    // Without a token the page's script looks for one after the `#`. Other parameters come from mail programs.
    let token = Pairs::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default().take("token");
    let view = match &token {
        Some(token) => accounts.link_state(token).await?.into(),
        None => View::Form(None),
    };
    Ok(answer(StatusCode::OK, view, &accounts, &site, &token.unwrap_or_default()))
}

/// The form of the page.
#[derive(ToSchema)]
#[schema(example = json!({"token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "password": "violet-otter-maps-42"}))]
#[expect(dead_code, reason = "describes what `submit` reads")]
struct ConfirmForm {
    /// Without it the link counts as incomplete.
    #[schema(required = false)]
    token: String,
    #[schema(required = false, nullable = false, format = Password)]
    password: Option<String>,
    /// Another name than the one of the sign-up, where that was taken meanwhile.
    #[schema(required = false, nullable = false)]
    user_name: Option<String>,
}

errors!(SubmitErrors: EVERY, HASH, PAGE_FORM);

/// Activates the account: what the button of the page does.
#[utoipa::path(post, path = "/confirm", tag = "Pages", operation_id = "confirm_page_submit",
    request_body(content = ConfirmForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The account is active.", content_type = "text/html", body = String),
        (status = 409, description = "The user name is taken.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        (status = 422, description = "The password is wrong.", content_type = "text/html", body = String),
        (status = 429, description = "Too many attempts.", content_type = "text/html", body = String),
        SubmitErrors))]
async fn submit(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(mut form): PageForm,
) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    match confirm(&accounts, &client, &token, form).await {
        Ok(()) => Ok(answer(StatusCode::OK, View::Confirmed, &accounts, &site, "")),
        Err(problem) => refused(problem, &accounts, &site, &token),
    }
}

/// The page again, saying what is wrong; other problems than the person's are not for this page.
fn refused(problem: Problem, accounts: &Accounts, site: &Site, token: &str) -> Result<Response, Problem> {
    let Some((status, code)) = for_person(&problem) else { return Err(problem) };
    let view = match code {
        Code::LinkUsed => View::Used,
        Code::LinkExpired => View::Expired,
        _ => View::Form(Some(code)),
    };
    Ok(with_headers(answer(status, view, accounts, site, token), &problem))
}

async fn confirm(
    accounts: &Accounts,
    client: &vestibule::Client,
    token: &str,
    mut form: Pairs,
) -> Result<(), Problem> {
    let wrong = |_| Problem::new(Code::InvalidCredentials);
    let password = form.take("password").map(|text| Password::new(&text)).transpose().map_err(wrong)?;
    if password.is_none() && accounts.policy().confirm.require_password {
        return Err(Problem::new(Code::InvalidCredentials));
    }
    let user_name = form.take("user_name").filter(|text| !text.is_empty());
    let user_name = user_name.map(|text| crate::extract::fields::user_name(&text)).transpose()?;
    accounts.confirm_by_link(token, password.as_ref(), user_name, client).await?;
    Ok(())
}

fn answer(status: StatusCode, view: View, accounts: &Accounts, site: &Site, token: &str) -> Response {
    let problem = if let View::Form(problem) = view { problem } else { None };
    let values = context! {
        service => site.service_name.as_str(),
        view => view.name(),
        token,
        ask_password => accounts.policy().confirm.require_password,
        ask_user_name => problem.is_some_and(|code| code.as_str().starts_with("user_name")),
        problem => problem.map(|code| code.entry().title),
        fix => problem.map(|code| code.entry().fix),
    };
    page(status, "confirm.html", values)
}
