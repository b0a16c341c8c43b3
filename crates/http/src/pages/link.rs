//! The pages that the mailed links of existing users open. Opening one changes nothing; its button does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use minijinja::context;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::Accounts;

use super::problems::{for_person, with_headers};
use super::render::page;
use crate::catalogue::Code;
use crate::extract::{Client, PageForm, Pairs, fields};
use crate::openapi::{EVERY, HASH, PAGE_FORM, errors};
use crate::problem::Problem;
use crate::{App, Site};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show_reset, reset))
        .routes(routes!(show_confirm, confirm))
        .routes(routes!(show_undo, undo))
}

/// What such a page says.
struct Texts {
    action: &'static str,
    title: &'static str,
    lead: &'static str,
    button: &'static str,
    done: &'static str,
    next: &'static str,
}

const RESET: Texts = Texts {
    action: "/reset",
    title: "Set a new password",
    lead: "Choose a password that you use nowhere else. Every device that is signed in now will be signed out.",
    button: "Set this password",
    done: "Your new password is set",
    next: "You can sign in with it now.",
};

const CONFIRM: Texts = Texts {
    action: "/email/confirm",
    title: "Use this e-mail address",
    lead: "You asked to use this address for your account. If it was not you, close this page: without your action \
           nothing changes.",
    button: "Use this address from now on",
    done: "Your address is changed",
    next: "Sign in with it from now on. Your other devices were signed out.",
};

const UNDO: Texts = Texts {
    action: "/email/undo",
    title: "Keep the old e-mail address",
    lead: "Your account was to move to another address. If you do not want that, undo it here. Every device that is \
           signed in now will be signed out.",
    button: "Undo the change",
    done: "Your account has its old address",
    next: "If it was not you who asked for the change, somebody knows your password: set a new one now.",
};

/// One of these pages, for one link.
struct LinkPage<'a> {
    texts: &'static Texts,
    accounts: &'a Accounts,
    site: &'a Site,
    token: String,
}

impl<'a> LinkPage<'a> {
    fn new(texts: &'static Texts, accounts: &'a Accounts, site: &'a Site, sent: &mut Pairs) -> Self {
        Self { texts, accounts, site, token: sent.take("token").unwrap_or_default() }
    }

    /// The form, with its button. Other parameters than the token come from mail programs.
    fn show(texts: &'static Texts, accounts: &'a Accounts, site: &'a Site, uri: &Uri) -> Response {
        let mut sent = Pairs::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let shown = Self::new(texts, accounts, site, &mut sent);
        let view = if shown.token.is_empty() { "incomplete" } else { "form" };
        shown.render(StatusCode::OK, view, None)
    }

    /// What became of it; other problems than the person's are not for this page.
    fn answer(&self, outcome: Result<(), Problem>) -> Result<Response, Problem> {
        let Err(problem) = outcome else { return Ok(self.render(StatusCode::OK, "done", None)) };
        let Some((status, code)) = for_person(&problem) else { return Err(problem) };
        let gone = matches!(code, Code::LinkUsed | Code::LinkExpired);
        let view = if gone { "gone" } else { "form" };
        Ok(with_headers(self.render(status, view, Some(code)), &problem))
    }

    fn render(&self, status: StatusCode, view: &str, problem: Option<Code>) -> Response {
        let Texts { action, title, lead, button, done, next } = *self.texts;
        let values = context! {
            service => self.site.service_name.as_str(),
            view, action, title, lead, button, done, next,
            token => self.token.as_str(),
            ask_password => action == RESET.action,
            min => self.accounts.policy().passwords.min_code_points,
            forgot => action != CONFIRM.action,
            problem => problem.map(|code| code.entry().title),
            fix => problem.map(|code| code.entry().fix),
        };
        page(status, "link.html", values)
    }
}

/// The form of a page with a button.
#[derive(ToSchema)]
#[schema(example = json!({"token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY"}))]
#[expect(dead_code, reason = "describes what `LinkPage` reads")]
struct LinkForm {
    /// Without it the link counts as incomplete.
    #[schema(required = false)]
    token: String,
}

/// The form of the page with a new password.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "new_password": "copper-lamp-river-77"
}))]
#[expect(dead_code, reason = "describes what `reset` reads")]
struct ResetForm {
    /// Without it the link counts as incomplete.
    #[schema(required = false)]
    token: String,
    #[schema(format = Password)]
    new_password: String,
}

errors!(ShowErrors: EVERY);
errors!(ResetErrors: EVERY, HASH, PAGE_FORM);
errors!(LinkErrors: EVERY, PAGE_FORM);

/// Shows where a mailed link sets a new password. It changes nothing.
#[utoipa::path(get, path = "/reset", tag = "Pages", operation_id = "reset_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show_reset(State(accounts): State<Accounts>, State(site): State<Arc<Site>>, uri: Uri) -> Response {
    LinkPage::show(&RESET, &accounts, &site, &uri)
}

/// Sets a new password: what the button of the page does.
#[utoipa::path(post, path = "/reset", tag = "Pages", operation_id = "reset_page_submit",
    request_body(content = ResetForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is set.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        (status = 422, description = "Another password is needed.", content_type = "text/html", body = String),
        ResetErrors))]
async fn reset(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(mut form): PageForm,
) -> Result<Response, Problem> {
    let page = LinkPage::new(&RESET, &accounts, &site, &mut form);
    page.answer(set_password(&accounts, &client, &page.token, form).await)
}

async fn set_password(
    accounts: &Accounts,
    client: &vestibule::Client,
    token: &str,
    mut form: Pairs,
) -> Result<(), Problem> {
    let text = form.take("new_password").unwrap_or_default();
    let password = fields::new_password("/new_password")(&text)?;
    Ok(accounts.reset_password(token, &password, client).await?)
}

/// Shows where a mailed link confirms another address. It changes nothing.
#[utoipa::path(get, path = "/email/confirm", tag = "Pages", operation_id = "confirm_email_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show_confirm(State(accounts): State<Accounts>, State(site): State<Arc<Site>>, uri: Uri) -> Response {
    LinkPage::show(&CONFIRM, &accounts, &site, &uri)
}

/// Uses the new address from now on: what the button of the page does.
#[utoipa::path(post, path = "/email/confirm", tag = "Pages", operation_id = "confirm_email_page_submit",
    request_body(content = LinkForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The address is changed.", content_type = "text/html", body = String),
        (status = 409, description = "The address is taken.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        LinkErrors))]
async fn confirm(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(mut form): PageForm,
) -> Result<Response, Problem> {
    let page = LinkPage::new(&CONFIRM, &accounts, &site, &mut form);
    page.answer(accounts.confirm_email(&page.token, &client).await.map(drop).map_err(Problem::from))
}

/// Shows where a mailed link undoes a change of address. It changes nothing.
#[utoipa::path(get, path = "/email/undo", tag = "Pages", operation_id = "undo_email_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show_undo(State(accounts): State<Accounts>, State(site): State<Arc<Site>>, uri: Uri) -> Response {
    LinkPage::show(&UNDO, &accounts, &site, &uri)
}

/// Goes back to the address before: what the button of the page does.
#[utoipa::path(post, path = "/email/undo", tag = "Pages", operation_id = "undo_email_page_submit",
    request_body(content = LinkForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The old address is back.", content_type = "text/html", body = String),
        (status = 409, description = "The address is taken.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        LinkErrors))]
async fn undo(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(mut form): PageForm,
) -> Result<Response, Problem> {
    let page = LinkPage::new(&UNDO, &accounts, &site, &mut form);
    page.answer(accounts.undo_email(&page.token, &client).await.map(drop).map_err(Problem::from))
}
