//! The pages where somebody with a link becomes a user: an invitation, and the first administrator. Opening one changes
//! nothing; its button does, and signs in.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{Account, Login, Newcomer, Password};

use super::visit::{Visit, query, see};
use crate::App;
use crate::api::invitation::AcceptRequest;
use crate::api::setup::SetupRequest;
use crate::catalogue::Code;
use crate::extract::{PageForm, Pairs};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/invitation", get(show_invitation).post(accept))
        .route("/setup", get(show_setup).post(set_up))
}

async fn show_invitation(visit: Visit, uri: Uri) -> Response {
    let token = query(&uri).filled("token").unwrap_or_default();
    let view = if token.is_empty() { "incomplete" } else { "form" };
    visit.page(StatusCode::OK, "join.html", context! { page => "invitation", view, token })
}

/// The key follows the `#` of the link, where no server sees it; the page's script puts it into the form.
async fn show_setup(visit: Visit) -> Response {
    visit.page(StatusCode::OK, "join.html", context! { page => "setup", view => "form" })
}

/// Accepts an invitation.
async fn accept(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let token = form.value("token").unwrap_or_default().to_owned();
    if token.is_empty() {
        form.put("token", "-");
    }
    let typed = context! { page => "invitation", token, user_name => form.value("user_name") };
    match accepted(&visit, form).await {
        Ok((account, password)) => Ok(welcome(&visit, account, &password, "/account?said=active").await),
        Err(problem) => refused(&visit, problem, typed),
    }
}

async fn accepted(visit: &Visit, form: Pairs) -> Result<(Account, Password), Problem> {
    let AcceptRequest { token, password, user_name } = form.read(visit.accounts.policy())?;
    let account = visit.accounts.accept_invitation(&token, &password, user_name, &visit.client).await?;
    Ok((account, password))
}

/// Makes the first administrator.
async fn set_up(visit: Visit, PageForm(form): PageForm) -> Result<Response, Problem> {
    let typed = context! {
        page => "setup",
        token => form.value("token"), email => form.value("email"), user_name => form.value("user_name"),
    };
    match made(&visit, form).await {
        Ok((account, password)) => Ok(welcome(&visit, account, &password, "/admin").await),
        Err(problem) => refused(&visit, problem, typed),
    }
}

async fn made(visit: &Visit, form: Pairs) -> Result<(Account, Password), Problem> {
    let SetupRequest { token, email, password, user_name } = form.read(visit.accounts.policy())?;
    let who = Newcomer { email, password: password.clone(), user_name };
    Ok((visit.accounts.set_up(token.trim(), who, &visit.client).await?, password))
}

/// The account is made: if it cannot be signed in right now, its owner does so in a moment.
async fn welcome(visit: &Visit, account: Account, password: &Password, to: &str) -> Response {
    let login = Login::Email(account.email);
    match visit.accounts.sign_in_browser(&login, password, visit.held(), &visit.client).await {
        Ok(session) => visit.sign_in(&session, to),
        Err(error) => {
            tracing::warn!(%error, "a new account could not be signed in at once");
            see("/login?said=active")
        }
    }
}

/// The form again, or what can be done where the link does not work any more.
fn refused(visit: &Visit, problem: Problem, typed: Value) -> Result<Response, Problem> {
    let gone = matches!(problem.code(), Code::LinkUsed | Code::LinkExpired);
    let view = if gone { "gone" } else { "form" };
    visit.refused(problem, "join.html", context! { view, ..typed })
}
