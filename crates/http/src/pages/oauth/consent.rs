//! The question whether an application may see and do what it asks for, and its answer. The form belongs to the session, the
//! kept request and the page; it counts once.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use vestibule::{AuthorizationStep, ConsentAnswer, ConsentError, ConsentQuestion, DisplayName};

use super::scopes::{claims_in_words, in_words};
use super::stopped::{Stopped, stopped};
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::pages::frame::content_policy::leading_to;
use crate::pages::frame::look::face::initials;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{Member, Visit, see_other, with_cookie};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/oauth/consent", post(answer)).route("/oauth/switch", post(switch))
}

/// Where the request of this name goes on.
fn place_of(id: &str) -> String {
    let query = serde_urlencoded::to_string([("request", id)]).unwrap_or_default();
    format!("/oauth/authorize?{query}")
}

/// The page with the question.
pub(super) fn ask(member: &Member, question: &ConsentQuestion, id: &str, said: Option<&str>) -> Response {
    let Member { visit, who } = member;
    let ConsentQuestion { application, redirect_uri, scopes, allowed } = question;
    let language = visit.language();
    let before = match (allowed.is_empty(), scopes.is_within(allowed)) {
        (true, _) => None,
        (false, true) => Some("same"),
        (false, false) => Some("more"),
    };
    let idle = visit.accounts.policy().tokens.session_idle;
    let values = context! {
        request => id, said,
        application => context! { name => application.name.as_str(), initials => initials(&application.name) },
        destination => destination(question),
        scopes => in_words(language, scopes),
        claims => claims_in_words(&application.claims),
        before,
        unused_for => language.days(idle.as_secs().div_ceil(24 * 60 * 60)),
        person => who.account.display_name.as_ref().map(DisplayName::as_str),
        email => who.account.email.as_str(),
    };
    let policy = leading_to(Some(redirect_uri.as_str()));
    visit.page_under(policy, StatusCode::OK, "oauth/consent.html", values)
}

/// Where the answer goes: a site, a program on this device, or an app that has claimed a scheme.
fn destination(question: &ConsentQuestion) -> Value {
    let uri = &question.redirect_uri;
    let kind = match (uri.is_native(), uri.is_loopback()) {
        (false, _) => "site",
        (true, true) => "device",
        (true, false) => "app",
    };
    context! { kind, name => uri.destination() }
}

/// Answers the question. A form that does not count leads to the question again, for whoever is signed in now.
async fn answer(visit: Visit, form: MemberForm) -> Result<Response, Problem> {
    let id = form.typed("request").unwrap_or_default().to_owned();
    let Some(who) = visit.who().await? else { return Ok(see_other(&place_of(&id))) };
    let Ok(mut form) = form.accepted() else {
        return Ok(see_other(&format!("{}&said=again", place_of(&id))));
    };
    let answer = match form.take("answer").as_deref() {
        Some("allow") => ConsentAnswer::Allow,
        Some("deny") => ConsentAnswer::Deny,
        _ => return Err(Problem::new(Code::InvalidRequest).detail("The answer is `allow` or `deny`.")),
    };
    let browser = visit.browser();
    match visit.accounts.answer_authorization(Some(&who), browser, &id, answer, &visit.client).await {
        Ok(AuthorizationStep::Done(to)) => Ok(see_other(&to)),
        // Something has changed since the question: what is missing now comes first.
        Ok(
            AuthorizationStep::SignIn
            | AuthorizationStep::ProveAgain
            | AuthorizationStep::ProveFactor
            | AuthorizationStep::Ask(_),
        ) => Ok(see_other(&place_of(&id))),
        Err(ConsentError::Gone) => Ok(stopped(&visit, Stopped::Gone)),
        Err(ConsentError::Fault(fault)) => Err(fault.into()),
    }
}

/// Signs out of this browser, so that somebody else can sign in to the application.
async fn switch(visit: Visit, form: MemberForm) -> Result<Response, Problem> {
    let here = place_of(form.typed("request").unwrap_or_default());
    let Some(who) = visit.who().await? else { return Ok(see_other(&here)) };
    if form.accepted().is_err() {
        return Ok(see_other(&format!("{here}&said=again")));
    }
    visit.accounts.sign_out(&who, false, &visit.client).await?;
    Ok(with_cookie(see_other(&here), visit.site.cookies.clear(Cookie::Session)))
}
