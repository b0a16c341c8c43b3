//! `/oauth/authorize`: applications send people here to sign in (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2).

use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use vestibule::{AuthorizationError, AuthorizationRequest, AuthorizationStep, KeepError, SignedIn, Unproven};

use super::go_on::go_on;
use super::parameters::{QUERY_MAX, Sent};
use super::stopped::{Stopped, stopped};
use crate::app::App;
use crate::extract::FormText;
use crate::pages::frame::visit::{GO_ON, Visit, see_other, with_cookie};
use crate::problem::Problem;

const PATH: &str = "/oauth/authorize";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, get(show).post(receive))
}

/// Answers a request, or keeps it while somebody signs in or is asked. A request that was kept goes on.
async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let Ok(sent) = Sent::read(uri.query().unwrap_or_default().as_bytes()) else {
        return Ok(stopped(&visit, Stopped::Malformed));
    };
    if let Some(id) = sent.going_on() {
        return go_on(visit, &id, sent.one("said").as_deref()).await;
    }
    let request = match checked(&visit, &sent).await? {
        Ok(request) => request,
        Err(answer) => return Ok(answer),
    };
    let who = visit.who().await?;
    match visit.accounts.decide_authorization(&request, who.as_ref()).await? {
        AuthorizationStep::Done(to) => Ok(see_other(&to)),
        AuthorizationStep::SignIn
        | AuthorizationStep::ProveAgain
        | AuthorizationStep::ProveFactor
        | AuthorizationStep::Ask(_) => keep(&visit, &request, who.as_ref()).await,
    }
}

/// Brings a request that came as a form into the address. Browsers send our cookies with that, and not with a form of
/// another site (`SameSite=Lax`).
async fn receive(visit: Visit, FormText(body): FormText) -> Result<Response, Problem> {
    let Ok(sent) = Sent::read(&body) else { return Ok(stopped(&visit, Stopped::Malformed)) };
    let request = match checked(&visit, &sent).await? {
        Ok(request) => request,
        Err(answer) => return Ok(answer),
    };
    let query = sent.query();
    if query.len() <= QUERY_MAX {
        return Ok(see_other(&format!("{PATH}?{query}")));
    }
    keep(&visit, &request, None).await
}

/// The request, or the answer to one that is refused. Only the address of a proven application is gone to.
async fn checked(visit: &Visit, sent: &Sent) -> Result<Result<AuthorizationRequest, Response>, Problem> {
    match visit.accounts.check_authorization(sent.authorization()).await {
        Ok(request) => Ok(Ok(request)),
        Err(AuthorizationError::Refused { redirect, .. }) => Ok(Err(see_other(&redirect))),
        Err(AuthorizationError::Unproven(unproven)) => Ok(Err(stopped(
            visit,
            match unproven {
                Unproven::Application => Stopped::Application,
                Unproven::RedirectUri => Stopped::RedirectUri,
            },
        ))),
        Err(AuthorizationError::Fault(fault)) => Err(fault.into()),
    }
}

/// Keeps the request for this browser. From here on only its name is in addresses and forms.
async fn keep(
    visit: &Visit,
    request: &AuthorizationRequest,
    who: Option<&SignedIn>,
) -> Result<Response, Problem> {
    let id = match visit.accounts.keep_authorization(request, visit.browser(), &visit.client).await {
        Ok(id) => id,
        Err(KeepError::TooLong) => return Ok(stopped(visit, Stopped::TooLong)),
        Err(error) => return Err(error.into()),
    };
    let answer = visit.knowing_browser(see_other(&format!("{GO_ON}{id}")));
    let own = who.and_then(|who| who.account.locale.as_ref());
    let tags = request.ui_locales.as_deref().filter(|_| own.is_none());
    let language = tags.and_then(|tags| visit.suggested_language(tags));
    Ok(language.into_iter().fold(answer, with_cookie))
}
