//! The page opened by the mailed link. Opening it changes nothing; its button does (S8).

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use minijinja::{Value, context};
use utoipa::ToSchema;
use vestibule::{BrowserSession, LinkProof, MailedLink, Password};

use super::terms;
use crate::catalogue::Code;
use crate::describe::errors::{EVERY, HASH, PAGE_FORM, errors};
use crate::describe::routes::{Routes, routes};
use crate::extract::cookies::Cookie;
use crate::extract::fields;
use crate::pages::frame::mailed_link::shown;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::Visit;
use crate::problem::Problem;

/// The only page that is part of the contract: mails link to it, whoever provides the other pages.
pub(crate) fn routes() -> Routes {
    routes!(show, submit)
}

errors!(ShowErrors: EVERY);

/// Shows what a mailed link can do. It changes nothing, however often it is opened and by whom.
#[utoipa::path(get, path = "/confirm", tag = "Pages", operation_id = "confirm_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    // Without a token the page's script looks for one after the `#`.
    let token = query(&uri).filled("token");
    let visit = on_its_way(visit, token.as_deref().unwrap_or_default());
    let values = if let Some(token) = token {
        values(&visit, &token).await?
    } else {
        context! { view => "form", ..asked(&visit, "") }
    };
    Ok(visit.page(StatusCode::OK, "sign_up/confirm.html", values))
}

/// The page in the current state of the link.
async fn values(visit: &Visit, token: &str) -> Result<Value, Problem> {
    let state = visit.accounts.link_state(MailedLink::Confirmation, token).await?;
    Ok(context! { ..shown(&state), ..asked(visit, token) })
}

fn asked(visit: &Visit, token: &str) -> Value {
    let own = is_own(visit, token);
    let ask_password = visit.accounts.policy().confirm.require_password && !own;
    context! { token, own, ask_password }
}

/// The browser that signed up knows where it wanted to go; another browser may keep a place for something else.
fn on_its_way(visit: Visit, token: &str) -> Visit {
    if is_own(&visit, token) { visit.returning_as_kept() } else { visit }
}

/// Whether this browser sent the password of that sign-up.
fn is_own(visit: &Visit, token: &str) -> bool {
    visit.cookie(Cookie::SignUp).is_some_and(|proof| visit.accounts.is_own_link(token, proof))
}

/// The form of the page.
#[derive(ToSchema)]
#[schema(example = json!({
    "form_token": "b3FqvRk0m2yT8wXcZ5nLhA", "token": "AZXb2m0qd4yVJ0x3m1q7SPCk1rJmV3t0oZ4v3s9q2bY",
    "password": "violet-otter-maps-42"
}))]
#[expect(dead_code, reason = "describes what `submit` reads")]
struct ConfirmForm {
    /// In the page, and tied to its cookie.
    form_token: String,
    /// Of the link.
    token: String,
    /// Of the sign-up, unless this browser sent it before.
    #[schema(required = false, nullable = false, format = Password)]
    password: Option<String>,
    /// Another name than the one of the sign-up, where that was taken meanwhile.
    #[schema(required = false, nullable = false)]
    user_name: Option<String>,
    /// Where the password is chosen here: the checkbox, if the page has one.
    #[schema(required = false, nullable = false)]
    terms_accepted: Option<String>,
}

errors!(SubmitErrors: EVERY, HASH, PAGE_FORM);

/// Activates the account: what the button of the page does. Programs use `POST /v1/confirm`.
#[utoipa::path(post, path = "/confirm", tag = "Pages", operation_id = "confirm_page_submit",
    request_body(content = ConfirmForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 303, description = "The account is active.",
            headers(("Location" = String, description = "The account, or the sign-in."))),
        (status = 409, description = "The user name is taken.", content_type = "text/html", body = String),
        (status = 410, description = "The link does not work any more.", content_type = "text/html", body = String),
        (status = 422, description = "The password is wrong.", content_type = "text/html", body = String),
        (status = 429, description = "Too many attempts.", content_type = "text/html", body = String),
        SubmitErrors))]
async fn submit(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let token = form.typed("token").unwrap_or_default().to_owned();
    let user_name = form.typed("user_name").map(str::to_owned);
    let ticked = form.typed(terms::FIELD).is_some();
    let visit = on_its_way(visit, &token);
    let problem = match confirm(&visit, &token, form).await {
        Ok(Some(session)) => return Ok(visit.sign_in(&session, "/account?said=active")),
        Ok(None) => return Ok(visit.to_sign_in("active")),
        Err(problem) => problem,
    };
    let ask_user_name = user_name.is_some() || problem.code() == Code::UserNameTaken;
    // A page that found no token waits for one, also in another language.
    let values = match problem.code() {
        Code::FormExpired if token.is_empty() => context! { view => "form", ..asked(&visit, "") },
        _ => values(&visit, &token).await?,
    };
    visit.refused(
        problem,
        "sign_up/confirm.html",
        context! { ask_user_name, user_name, terms_accepted => ticked, ..values },
    )
}

async fn confirm(visit: &Visit, token: &str, form: PageForm) -> Result<Option<BrowserSession>, Problem> {
    let mut form = form.accepted()?;
    let wrong = |_| Problem::new(Code::InvalidCredentials);
    let password = form.take("password").map(|text| Password::new(&text)).transpose().map_err(wrong)?;
    let user_name = form.filled("user_name").map(|text| fields::user_name(&text)).transpose()?;
    let terms = terms::take(&mut form).into();
    let proof = match (visit.cookie(Cookie::SignUp), &password) {
        (Some(proof), _) if is_own(visit, token) => LinkProof::Browser(proof),
        (_, Some(password)) => LinkProof::Password(password),
        (_, None) if !visit.accounts.policy().confirm.require_password => LinkProof::Nothing,
        (_, None) => return Err(Problem::new(Code::InvalidCredentials)),
    };
    let (held, client) = (visit.held(), &visit.client);
    Ok(visit.accounts.confirm_by_link_in_browser(token, proof, user_name, terms, held, client).await?)
}
