//! The pages where a link makes someone a user: an invitation, and the first administrator. Opening one changes
//! nothing; its button does, and signs in.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{Account, FirstAdmin, Login, MailedLink, Password};

use super::terms;
use crate::api::sign_up::invitation::AcceptRequest;
use crate::api::sign_up::setup::SetupRequest;
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::input::tree::Tree;
use crate::pages::frame::mailed_link::shown;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::Visit;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/invitation", get(show_invitation).post(accept))
        .route("/setup", get(show_setup).post(set_up))
}

async fn show_invitation(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let mut query = query(&uri);
    let token = query.filled("token").unwrap_or_default();
    let visit = invited(visit, query.value("return_to"));
    let values = invitation(&visit, &token).await?;
    Ok(visit.page(StatusCode::OK, "sign_up/join.html", values))
}

/// The page in the current state of the link.
async fn invitation(visit: &Visit, token: &str) -> Result<Value, Problem> {
    let state = visit.accounts.link_state(MailedLink::Invitation, token).await?;
    Ok(context! { page => "invitation", token, ..shown(&state) })
}

/// The key follows the `#` of the link, where no server sees it; the page's script puts it into the form.
async fn show_setup(visit: Visit) -> Response {
    visit.page(StatusCode::OK, "sign_up/join.html", context! { page => "setup", view => "form" })
}

/// A visit to where the link or the form leads, or to what the browser kept when the person was asked to look for an
/// invitation.
fn invited(visit: Visit, wanted: Option<&str>) -> Visit {
    if wanted.is_some() { visit.returning(wanted) } else { visit.returning_as_kept() }
}

/// Accepts an invitation.
async fn accept(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = invited(visit, form.typed("return_to"));
    let token = form.typed("token").unwrap_or_default().to_owned();
    let user_name = form.typed("user_name").map(str::to_owned);
    let ticked = form.typed(terms::FIELD).is_some();
    match accepted(&visit, form).await {
        Ok((account, password)) => Ok(welcome(&visit, account, &password, "/account?said=active").await),
        Err(problem) => {
            let values =
                context! { user_name, terms_accepted => ticked, ..invitation(&visit, &token).await? };
            visit.refused(problem, "sign_up/join.html", values)
        }
    }
}

async fn accepted(visit: &Visit, form: PageForm) -> Result<(Account, Password), Problem> {
    let mut form = form.accepted()?;
    drop(form.take("return_to"));
    if form.value("token").unwrap_or_default().is_empty() {
        form.put("token", "-");
    }
    let terms = Tree::Other(terms::take(&mut form).into());
    let AcceptRequest { token, password, user_name, terms_accepted } =
        form.read_with([(terms::FIELD, terms)], visit.accounts.policy())?;
    let accepted =
        visit.accounts.accept_invitation(&token, &password, user_name, terms_accepted, &visit.client);
    let account = accepted.await?;
    Ok((account, password))
}

/// Creates the first administrator.
async fn set_up(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let typed = context! {
        page => "setup",
        token => form.typed("token"), email => form.typed("email"), user_name => form.typed("user_name"),
    };
    match made(&visit, form).await {
        Ok((account, password)) => Ok(welcome(&visit, account, &password, "/admin").await),
        Err(problem) => {
            let gone = matches!(problem.code(), Code::LinkUsed | Code::LinkExpired);
            let view = if gone { "gone" } else { "form" };
            visit.refused(problem, "sign_up/join.html", context! { view, ..typed })
        }
    }
}

async fn made(visit: &Visit, form: PageForm) -> Result<(Account, Password), Problem> {
    let SetupRequest { token, email, password, user_name } =
        form.accepted()?.read(visit.accounts.policy())?;
    let who = FirstAdmin { email, password: password.clone(), user_name };
    Ok((visit.accounts.set_up(&token, who, &visit.client).await?, password))
}

/// The account exists: if it cannot be signed in right now, its owner can do so shortly.
async fn welcome(visit: &Visit, account: Account, password: &Password, to: &str) -> Response {
    let login = Login::Email(account.email);
    match visit.accounts.sign_in_browser(&login, password, visit.held(), &visit.client).await {
        Ok(session) => visit.sign_in(&session, to),
        Err(error) => {
            tracing::warn!(%error, "a new account could not be signed in at once");
            visit.to_sign_in("active")
        }
    }
}
