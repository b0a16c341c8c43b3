//! `/signup`: an address, a password, perhaps a name.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use vestibule::{Pending, Secret};

use super::visit::{Visit, see, with_cookie};
use crate::App;
use crate::api::signup::SignUpRequest;
use crate::extract::cookies::Cookie;
use crate::extract::{PageForm, Pairs};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/signup", get(show).post(submit))
}

async fn show(visit: Visit) -> Result<Response, Problem> {
    if visit.who().await?.is_some() {
        return Ok(see("/account"));
    }
    Ok(visit.page(StatusCode::OK, "signup.html", context! {}))
}

async fn submit(visit: Visit, PageForm(form): PageForm) -> Result<Response, Problem> {
    let typed = context! { email => form.value("email"), user_name => form.value("user_name") };
    match sign_up(&visit, form).await {
        Ok((pending, proof)) => {
            let lasts = pending.expires_at.since(visit.accounts.now());
            let cookie = visit.site.cookies.set(Cookie::SignUp, proof.expose(), Some(lasts));
            Ok(with_cookie(see("/check-mail"), cookie))
        }
        Err(problem) => visit.refused(problem, "signup.html", typed),
    }
}

/// The mails come in the language of the page.
async fn sign_up(visit: &Visit, mut form: Pairs) -> Result<(Pending, Secret), Problem> {
    form.put("locale", visit.language.tag());
    let wish: SignUpRequest = form.read(visit.accounts.policy())?;
    Ok(visit.accounts.sign_up_in_browser(wish.into(), &visit.client).await?)
}
