//! `/login/second-factor`: the second half of a sign-in. The challenge is kept in a cookie: an address is seen, and kept, by too
//! many.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::context;
use vestibule::{BrowserSession, SecondFactorChallenge};

use crate::app::App;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::pages::frame::factor_form::{Typed, ceremony, offered, second_factor};
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Visit, see_other, with_cookie};
use crate::problem::Problem;

const PATH: &str = "/login/second-factor";
const TEMPLATE: &str = "sign_in/second_factor.html";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, get(show).post(answer)).route("/login/second-factor/options", post(begin))
}

/// Leads on to this page, after the right password.
pub(super) fn asks(visit: &Visit, asked: &SecondFactorChallenge) -> Response {
    let lasts = asked.expires_at.since(visit.accounts.now());
    let cookie = visit.site.cookies.set(Cookie::SecondFactor, asked.challenge.expose(), Some(lasts));
    let to = visit.return_to.as_deref().map(|to| ("return_to", to));
    let query = serde_urlencoded::to_string(to.as_slice()).unwrap_or_default();
    let page = if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") };
    with_cookie(see_other(&page), cookie)
}

/// Back to the beginning: the challenge was answered, is too old, or something was changed since.
fn is_over(visit: &Visit) -> Response {
    with_cookie(visit.to_sign_in("over"), visit.site.cookies.clear(Cookie::SecondFactor))
}

/// The challenge of this browser.
async fn asked(visit: &Visit) -> Result<SecondFactorChallenge, Problem> {
    let challenge = visit.cookie(Cookie::SecondFactor).ok_or(Problem::new(Code::ChallengeExpired))?;
    Ok(visit.accounts.second_factor_challenge(challenge).await?)
}

async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let visit = visit.returning(query(&uri).value("return_to"));
    match asked(&visit).await {
        Ok(asked) => {
            let values = context! { methods => offered(&asked.methods) };
            Ok(visit.page(StatusCode::OK, TEMPLATE, values))
        }
        Err(problem) if problem.code() == Code::ChallengeExpired => Ok(is_over(&visit)),
        Err(problem) => Err(problem),
    }
}

async fn begin(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    drop(form.accepted()?);
    let challenge = visit.cookie(Cookie::SecondFactor).ok_or(Problem::new(Code::ChallengeExpired))?;
    Ok(ceremony(&visit.accounts.begin_passkey_sign_in(Some(challenge)).await?))
}

async fn answer(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = visit.returning(form.typed("return_to"));
    let typed = Typed::of(|name| form.typed(name).is_some());
    let asked = match asked(&visit).await {
        Ok(asked) => asked,
        Err(problem) if problem.code() == Code::ChallengeExpired => return Ok(is_over(&visit)),
        Err(problem) => return Err(problem),
    };
    match signed_in(&visit, &asked, form).await {
        Ok(session) => Ok(visit.sign_in(&session, "/account")),
        Err(problem) if problem.code() == Code::ChallengeExpired => Ok(is_over(&visit)),
        Err(problem) => {
            typed.refused(&visit, problem, TEMPLATE, context! { methods => offered(&asked.methods) })
        }
    }
}

async fn signed_in(
    visit: &Visit,
    asked: &SecondFactorChallenge,
    form: PageForm,
) -> Result<BrowserSession, Problem> {
    let given = second_factor(&mut form.accepted()?)?;
    let challenge = asked.challenge.expose();
    Ok(visit.accounts.second_factor_in_browser(challenge, &given, visit.held(), &visit.client).await?)
}
