//! `/login` and `/logout`.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::context;
use vestibule::{AuthorizationRequest, BrowserSession, Login, Password, RedirectUri, SignInError};

use super::second_factor;
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::pages::frame::page_form::{MemberForm, PageForm};
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Member, REQUEST_WAITS, Visit, see_other, with_cookie};
use crate::pages::sign_up::check_mail;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/login", get(show).post(submit)).route("/logout", post(sign_out))
}

async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let mut query = query(&uri);
    let visit = visit.returning(query.value("return_to"));
    if visit.who().await?.is_some() {
        return Ok(see_other(&visit.destination("/account")));
    }
    let kept = visit.kept().await?;
    let values = context! {
        said => query.take("said"),
        login => kept.as_ref().and_then(|kept| kept.login_hint.as_deref()),
        destination => kept.as_ref().map(AuthorizationRequest::redirect_uri)
            .filter(|uri| !uri.is_native()).map(RedirectUri::destination),
    };
    let page = visit.page(StatusCode::OK, "sign_in/login.html", values);
    Ok(visit.kept_for_an_invitation(page))
}

async fn submit(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = visit.returning(form.typed("return_to"));
    let typed = context! { login => form.typed("login") };
    let problem = match sign_in(&visit, form).await {
        Ok(Ok(session)) => return Ok(visit.sign_in(&session, "/account")),
        Ok(Err(SignInError::Unconfirmed(sign_up))) => {
            let page = "/check-mail?said=unconfirmed";
            return Ok(check_mail::waits(&visit, &sign_up.proof, sign_up.expires_at, page));
        }
        Ok(Err(SignInError::SecondFactorRequired(asked))) => return Ok(second_factor::asks(&visit, &asked)),
        Ok(Err(error)) => error.into(),
        Err(problem) => problem,
    };
    // A mail leads on, and from there to the application.
    let is_kept = problem.code() == Code::SecondFactorEnrolmentRequired && visit.request().is_some();
    let page = visit.refused(problem, "sign_in/login.html", typed)?;
    Ok(if is_kept { with_cookie(page, visit.keep_return(REQUEST_WAITS)) } else { page })
}

/// A session, or why there is none.
async fn sign_in(visit: &Visit, form: PageForm) -> Result<Result<BrowserSession, SignInError>, Problem> {
    let mut form = form.accepted()?;
    // What cannot be a name or a password is simply a wrong one.
    let wrong = || Problem::new(Code::InvalidCredentials);
    let name = form.take("login").unwrap_or_default();
    let login = if name.contains('@') {
        name.parse().map(Login::Email).ok()
    } else {
        name.parse().map(Login::UserName).ok()
    };
    let password = Password::new(&form.take("password").unwrap_or_default()).ok();
    let (login, password) = login.zip(password).ok_or_else(wrong)?;
    Ok(visit.accounts.sign_in_browser(&login, &password, visit.held(), &visit.client).await)
}

async fn sign_out(member: Member, form: MemberForm) -> Result<Response, Problem> {
    if let Err(problem) = form.accepted() {
        return member.answer("", Err(problem), context! {}).await;
    }
    let Member { visit, who } = &member;
    visit.accounts.sign_out(who, false, &visit.client).await?;
    Ok(with_cookie(see_other("/login?said=signed_out"), visit.site.cookies.clear(Cookie::Session)))
}
