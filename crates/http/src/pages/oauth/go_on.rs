//! A request of an application that was kept for this browser goes on: to a sign-in, a proof, a question, or its end.

use axum::response::Response;
use vestibule::AuthorizationStep;

use super::consent;
use super::stopped::{Stopped, stopped};
use crate::extract::cookies::Cookie;
use crate::pages::account::step_up::prove_first;
use crate::pages::frame::visit::{GO_ON, REQUEST_WAITS, Visit, see_other, with_cookie};
use crate::problem::Problem;

/// Leads to what the request needs next, or back to its application.
pub(super) async fn go_on(visit: Visit, id: &str, said: Option<&str>) -> Result<Response, Problem> {
    let who = visit.who().await?;
    let step = visit.accounts.continue_authorization(who.as_ref(), visit.browser(), id).await?;
    let Some(step) = step else { return Ok(stopped(&visit, Stopped::Gone)) };
    let here = format!("{GO_ON}{id}");
    let is_kept = visit.kept_request().as_deref() == Some(id);
    let arrived = is_kept.then(|| visit.site.cookies.clear(Cookie::Return));
    let answer = match (step, who) {
        (AuthorizationStep::Done(to), _) => see_other(&to),
        (AuthorizationStep::SignIn, None) => return Ok(sign_in_first(&visit, &here)),
        // They may do nothing but set up a second factor; the page with that leads on.
        (AuthorizationStep::SignIn, Some(_)) => return Ok(enrol_first(visit, &here)),
        (AuthorizationStep::Ask(question), Some(who)) => consent::ask(&visit.of(who), &question, id, said),
        (AuthorizationStep::ProveAgain | AuthorizationStep::ProveFactor, Some(who)) => {
            return Ok(prove_first(&visit.of(who), &here));
        }
        // Who is not signed in is neither asked nor proves anything.
        (
            AuthorizationStep::Ask(_) | AuthorizationStep::ProveAgain | AuthorizationStep::ProveFactor,
            None,
        ) => {
            return Ok(sign_in_first(&visit, &here));
        }
    };
    Ok(arrived.into_iter().fold(answer, with_cookie))
}

fn sign_in_first(visit: &Visit, here: &str) -> Response {
    let to = [("return_to", visit.site.base.on_host(here))];
    see_other(&format!("/login?{}", serde_urlencoded::to_string(to).unwrap_or_default()))
}

fn enrol_first(visit: Visit, here: &str) -> Response {
    let place = visit.site.base.on_host(here);
    let visit = visit.returning(Some(&place));
    with_cookie(see_other("/account?said=enrol#security"), visit.keep_return(REQUEST_WAITS))
}
