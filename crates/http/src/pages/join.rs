//! The pages where somebody with a link becomes a user: an invitation, and the first administrator. Opening one changes
//! nothing; its button does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use minijinja::context;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::{Accounts, Newcomer, UserName};

use super::problems::{for_person, with_headers};
use super::render::page;
use crate::catalogue::Code;
use crate::extract::{Client, PageForm, Pairs, fields};
use crate::openapi::{EVERY, HASH, PAGE_FORM, errors};
use crate::problem::Problem;
use crate::{App, FieldError, Site};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show_invitation, accept)).routes(routes!(show_setup, set_up))
}

/// What such a page says.
struct Texts {
    action: &'static str,
    title: &'static str,
    lead: &'static str,
    button: &'static str,
    done: &'static str,
    /// Where the link does not work any more.
    help: &'static str,
    /// How the link names its token.
    token: &'static str,
}

const INVITATION: Texts = Texts {
    action: "/invitation",
    title: "Accept the invitation",
    lead: "You are invited. Choose a password that you use nowhere else, and your account is made.",
    button: "Make my account",
    done: "Your account is active",
    help: "If you have an account already, sign in. Otherwise ask whoever invited you for a new invitation.",
    token: "token",
};

const SETUP: Texts = Texts {
    action: "/setup",
    title: "Make the first administrator",
    lead: "This works once, with the key that whoever runs the server was shown.",
    button: "Make the administrator",
    done: "The administrator is made",
    help: "If there is no administrator yet, `vestibule setup-link` prints a link that works.",
    token: "k",
};

/// One of these pages, with what was sent to it.
struct JoinPage<'a> {
    texts: &'static Texts,
    accounts: &'a Accounts,
    site: &'a Site,
    token: String,
    email: String,
    user_name: String,
}

impl<'a> JoinPage<'a> {
    fn show(texts: &'static Texts, accounts: &'a Accounts, site: &'a Site, uri: &Uri) -> Response {
        // Other parameters than the token come from mail programs.
        let mut sent = Pairs::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
        let token = sent.take(texts.token).unwrap_or_default();
        // The key of the set-up link may follow the `#`, which never arrives here.
        let view = if token.is_empty() && texts.action != SETUP.action { "incomplete" } else { "form" };
        let shown = Self { texts, accounts, site, token, email: String::new(), user_name: String::new() };
        shown.render(StatusCode::OK, view, None)
    }

    fn sent(texts: &'static Texts, accounts: &'a Accounts, site: &'a Site, form: &mut Pairs) -> Self {
        let mut take = |name| form.take(name).unwrap_or_default();
        let token = take("token").trim().to_owned();
        Self { texts, accounts, site, token, email: take("email"), user_name: take("user_name") }
    }

    /// An empty field is none.
    fn user_name(&self) -> Result<Option<UserName>, FieldError> {
        if self.user_name.is_empty() { Ok(None) } else { fields::user_name(&self.user_name).map(Some) }
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
        let Texts { action, title, lead, button, done, help, .. } = *self.texts;
        let values = context! {
            service => self.site.service_name.as_str(),
            view, action, title, lead, button, done, help,
            setup => action == SETUP.action,
            token => self.token.as_str(),
            email => self.email.as_str(),
            user_name => self.user_name.as_str(),
            min => self.accounts.policy().passwords.min_code_points,
            problem => problem.map(|code| code.entry().title),
            fix => problem.map(|code| code.entry().fix),
        };
        page(status, "join.html", values)
    }
}

/// The form of an invitation.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "password": "violet-otter-maps-42"
}))]
#[expect(dead_code, reason = "describes what `accept` reads")]
struct InvitationForm {
    token: String,
    #[schema(format = Password)]
    password: String,
    /// Another public name than the invitation proposes.
    #[schema(required = false)]
    user_name: String,
}

/// The form of the first administrator.
#[derive(ToSchema)]
#[schema(example = json!({
    "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY", "email": "root@example.org",
    "password": "violet-otter-maps-42"
}))]
#[expect(dead_code, reason = "describes what `set_up` reads")]
struct SetupForm {
    /// The key of the link.
    token: String,
    email: String,
    #[schema(format = Password)]
    password: String,
    #[schema(required = false)]
    user_name: String,
}

errors!(ShowErrors: EVERY);
errors!(JoinErrors: EVERY, HASH, PAGE_FORM);

/// Shows where an invitation is accepted. It changes nothing.
#[utoipa::path(get, path = "/invitation", tag = "Pages", operation_id = "invitation_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show_invitation(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    uri: Uri,
) -> Response {
    JoinPage::show(&INVITATION, &accounts, &site, &uri)
}

/// Accepts an invitation: what the button of the page does.
#[utoipa::path(post, path = "/invitation", tag = "Pages", operation_id = "invitation_page_submit",
    request_body(content = InvitationForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The account is made.", content_type = "text/html", body = String),
        (status = 409, description = "The name or the address is taken.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        (status = 422, description = "Something else is needed.", content_type = "text/html", body = String),
        JoinErrors))]
async fn accept(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(mut form): PageForm,
) -> Result<Response, Problem> {
    let page = JoinPage::sent(&INVITATION, &accounts, &site, &mut form);
    let accepted = async {
        let password = fields::new_password("/password")(&form.take("password").unwrap_or_default())?;
        accounts.accept_invitation(&page.token, &password, page.user_name()?, &client).await?;
        Ok(())
    };
    page.answer(accepted.await)
}

/// Shows where the first administrator is made. It changes nothing.
#[utoipa::path(get, path = "/setup", tag = "Pages", operation_id = "setup_page",
    params(("k" = Option<String>, Query, description = "The key of the link; better after a `#`.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show_setup(State(accounts): State<Accounts>, State(site): State<Arc<Site>>, uri: Uri) -> Response {
    JoinPage::show(&SETUP, &accounts, &site, &uri)
}

/// Makes the first administrator: what the button of the page does.
#[utoipa::path(post, path = "/setup", tag = "Pages", operation_id = "setup_page_submit",
    request_body(content = SetupForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The administrator is made.", content_type = "text/html", body = String),
        (status = 409, description = "The name or the address is taken.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        (status = 422, description = "Something else is needed.", content_type = "text/html", body = String),
        JoinErrors))]
async fn set_up(
    State(accounts): State<Accounts>,
    State(site): State<Arc<Site>>,
    Client(client): Client,
    PageForm(mut form): PageForm,
) -> Result<Response, Problem> {
    let page = JoinPage::sent(&SETUP, &accounts, &site, &mut form);
    let made = async {
        let email = fields::email(page.email.trim())?;
        let password = fields::new_password("/password")(&form.take("password").unwrap_or_default())?;
        let who = Newcomer { email, password, user_name: page.user_name()? };
        accounts.set_up(&page.token, who, &client).await?;
        Ok(())
    };
    page.answer(made.await)
}
