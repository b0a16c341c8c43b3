//! Signing in with a passkey. The script of the sign-in page fills and sends the form.

use axum::response::Response;
use axum::routing::post;
use minijinja::context;
use vestibule::BrowserSession;

use crate::app::App;
use crate::catalogue::Code;
use crate::pages::frame::factor_form::{assertion, ceremony, credential_id};
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::visit::Visit;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/login/passkey", post(sign_in)).route("/login/passkey/options", post(begin))
}

/// The same for everybody: it names nobody.
async fn begin(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    drop(form.accepted()?);
    Ok(ceremony(&visit.accounts.begin_passkey_sign_in(None).await?))
}

async fn sign_in(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let visit = visit.returning(form.typed("return_to"));
    let given = form.typed("credential").and_then(credential_id);
    // The browser offers passkeys by itself once more, and not a third time.
    let offers = form.typed("again").is_none();
    match signed_in(&visit, form).await {
        Ok(session) => Ok(visit.sign_in(&session, "/account")),
        Err(problem) => {
            let unknown = given.filter(|_| problem.code() == Code::PasskeyUnknown);
            let rp_id = visit.accounts.relying_party().map(|party| party.id.as_str());
            let values = context! { unknown, rp_id, offers, again => true };
            visit.refused(problem, "sign_in/login.html", values)
        }
    }
}

async fn signed_in(visit: &Visit, form: PageForm) -> Result<BrowserSession, Problem> {
    let given = assertion(&mut form.accepted()?).ok_or(Problem::new(Code::PasskeyInvalid))?;
    Ok(visit.accounts.sign_in_browser_with_passkey(&given, visit.held(), &visit.client).await?)
}
