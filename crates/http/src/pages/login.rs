//! `/login` and `/logout`.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{BrowserSession, Login, Password};

use super::problems::{Told, with_headers};
use super::return_to;
use super::visit::{Member, Visit, query, see, with_cookie};
use crate::App;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::{MemberForm, PageForm, Pairs};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/login", get(show).post(submit)).route("/logout", post(sign_out))
}

async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let mut query = query(&uri);
    let to = wanted(&visit, &mut query);
    if visit.who().await?.is_some() {
        return Ok(see(to.as_deref().unwrap_or("/account")));
    }
    Ok(page(&visit, StatusCode::OK, to.as_deref(), context! { said => query.take("said") }))
}

/// Where the sign-in leads; what may not be gone to is forgotten (B3).
fn wanted(visit: &Visit, sent: &mut Pairs) -> Option<String> {
    let wanted = sent.take("return_to")?;
    return_to::checked(&wanted, &visit.site.return_urls).map(str::to_owned)
}

fn page(visit: &Visit, status: StatusCode, to: Option<&str>, values: Value) -> Response {
    visit.page_under(return_to::policy(to), status, "login.html", context! { return_to => to, ..values })
}

async fn submit(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let to = wanted(&visit, &mut form);
    let typed = form.value("login").map(str::to_owned);
    match sign_in(&visit, form).await {
        Ok(session) => Ok(visit.sign_in(&session, to.as_deref().unwrap_or("/account"))),
        Err(problem) => {
            let Some(told) = Told::of(&problem, visit.language) else { return Err(problem) };
            let unconfirmed = told.code == Code::EmailNotConfirmed;
            let values = context! { login => typed, unconfirmed, ..told.values() };
            Ok(with_headers(page(&visit, told.status, to.as_deref(), values), &problem))
        }
    }
}

async fn sign_in(visit: &Visit, mut form: Pairs) -> Result<BrowserSession, Problem> {
    // What cannot be a name or a password is simply a wrong one.
    let wrong = || Problem::new(Code::InvalidCredentials);
    let name = form.take("login").unwrap_or_default();
    let name = name.trim();
    let login = if name.contains('@') {
        name.parse().map(Login::Email).ok()
    } else {
        name.parse().map(Login::UserName).ok()
    };
    let password = Password::new(&form.take("password").unwrap_or_default()).ok();
    let (login, password) = login.zip(password).ok_or_else(wrong)?;
    Ok(visit.accounts.sign_in_browser(&login, &password, visit.held(), &visit.client).await?)
}

async fn sign_out(Member { visit, who }: Member, MemberForm(_): MemberForm) -> Result<Response, Problem> {
    visit.accounts.sign_out(&who, false, &visit.client).await?;
    Ok(with_cookie(see("/login?said=signed_out"), visit.site.cookies.clear(Cookie::Session)))
}
