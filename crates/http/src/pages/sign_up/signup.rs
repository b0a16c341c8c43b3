//! `/signup`: an address, a password, perhaps a name.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use vestibule::{Pending, Secret};

use super::{check_mail, profile, terms};
use crate::api::sign_up::signup::SignUpRequest;
use crate::app::App;
use crate::extract::input::tree::Tree;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Visit, see_other};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/signup", get(show).post(submit))
}

async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let visit = visit.returning(query(&uri).value("return_to"));
    if visit.who().await?.is_some() {
        return Ok(see_other(&visit.destination("/account")));
    }
    let hint = visit.kept().await?.and_then(|kept| kept.login_hint);
    let fields = visit.accounts.policy().sign_up_fields();
    let values = context! { email => hint, profile => profile::asked(fields, visit.language(), |_| None) };
    Ok(visit.kept_for_an_invitation(visit.page(StatusCode::OK, "sign_up/signup.html", values)))
}

async fn submit(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = visit.returning(form.typed("return_to"));
    let typed = context! {
        email => form.typed("email"), user_name => form.typed("user_name"), display_name => form.typed("display_name"),
        terms_accepted => form.typed(terms::FIELD),
        profile => profile::asked(visit.accounts.policy().sign_up_fields(), visit.language(), |name| form.typed(name)),
    };
    match sign_up(&visit, form).await {
        Ok((pending, proof)) => Ok(check_mail::waits(&visit, &proof, pending.expires_at, "/check-mail")),
        Err(problem) => visit.refused(problem, "sign_up/signup.html", typed),
    }
}

/// The mails are in the language of the page.
async fn sign_up(visit: &Visit, form: PageForm) -> Result<(Pending, Secret), Problem> {
    let mut form = form.accepted()?;
    drop(form.take("return_to"));
    form.put("locale", visit.language().tag());
    let policy = visit.accounts.policy();
    let profile = profile::take(&mut form, policy.sign_up_fields());
    let terms = Tree::Other(terms::take(&mut form).into());
    let wish: SignUpRequest = form.read_with([("profile", profile), (terms::FIELD, terms)], policy)?;
    Ok(visit.accounts.sign_up_in_browser(wish.into(), &visit.client).await?)
}
