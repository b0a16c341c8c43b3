//! The page that the mailed link opens. Opening it changes nothing; its button does (S8).

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use minijinja::{Value, context};
use utoipa::ToSchema;
use vestibule::{BrowserSession, LinkProof, LinkState, Password};

use super::visit::{Visit, query, see};
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::{PageForm, Pairs, fields};
use crate::openapi::{EVERY, HASH, PAGE_FORM, errors};
use crate::problem::Problem;
use crate::routes::{Routes, routes};

/// The one page of the contract: mails lead here, whoever makes the other pages.
pub(super) fn routes() -> Routes {
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
    let view = match &token {
        Some(token) => name(visit.accounts.link_state(token).await?),
        None => "form",
    };
    let values = context! { view, ..values(&visit, &token.unwrap_or_default()) };
    Ok(visit.page(StatusCode::OK, "confirm.html", values))
}

fn name(state: LinkState) -> &'static str {
    match state {
        LinkState::Open => "form",
        LinkState::Used => "used",
        LinkState::Expired => "expired",
        LinkState::Invalid => "invalid",
    }
}

fn values(visit: &Visit, token: &str) -> Value {
    let own = is_own(visit, token);
    let ask_password = visit.accounts.policy().confirm.require_password && !own;
    context! { token, own, ask_password }
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
async fn submit(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    let ask_user_name = form.value("user_name").is_some();
    let problem = match confirm(&visit, &token, form).await {
        Ok(Some(session)) => return Ok(visit.sign_in(&session, "/account?said=active")),
        Ok(None) => return Ok(see("/login?said=active")),
        Err(problem) => problem,
    };
    let view = match problem.code() {
        Code::LinkUsed => "used",
        Code::LinkExpired => "expired",
        _ => "form",
    };
    let ask_user_name = ask_user_name || problem.code() == Code::UserNameTaken;
    visit.refused(problem, "confirm.html", context! { view, ask_user_name, ..values(&visit, &token) })
}

async fn confirm(visit: &Visit, token: &str, mut form: Pairs) -> Result<Option<BrowserSession>, Problem> {
    let wrong = |_| Problem::new(Code::InvalidCredentials);
    let password = form.take("password").map(|text| Password::new(&text)).transpose().map_err(wrong)?;
    let user_name = form.filled("user_name").map(|text| fields::user_name(&text)).transpose()?;
    let proof = match (visit.cookie(Cookie::SignUp), &password) {
        (Some(proof), _) if is_own(visit, token) => LinkProof::Browser(proof),
        (_, Some(password)) => LinkProof::Password(password),
        (_, None) if !visit.accounts.policy().confirm.require_password => LinkProof::Nothing,
        (_, None) => return Err(Problem::new(Code::InvalidCredentials)),
    };
    let (held, client) = (visit.held(), &visit.client);
    Ok(visit.accounts.confirm_by_link_in_browser(token, proof, user_name, held, client).await?)
}
