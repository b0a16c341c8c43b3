//! The page that the mailed link opens. Opening it changes nothing; its button does (S8).

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vestibule::{BrowserSession, LinkProof, LinkState, Password};

use super::visit::{Visit, query, see};
use crate::App;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::{PageForm, Pairs, fields};
use crate::openapi::{EVERY, errors};
use crate::problem::Problem;

pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/confirm", post(submit))
}

errors!(ShowErrors: EVERY);

/// Shows what a mailed link can do. It changes nothing, however often it is opened and by whom.
#[utoipa::path(get, path = "/confirm", tag = "Pages", operation_id = "confirm_page",
    params(("token" = Option<String>, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), ShowErrors))]
async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    // Without a token the page's script looks for one after the `#`.
    let token = query(&uri).filled("token");
    let view = match &token {
        Some(token) => name(visit.accounts.link_state(token).await?),
        None => "form",
    };
    let values = context! { view, ..values(&visit, &token.unwrap_or_default()) };
    Ok(visit.page(StatusCode::OK, "confirm.html", values))
}

fn name(state: LinkState) -> &'static str {
    match state {
        LinkState::Open => "form",
        LinkState::Used => "used",
        LinkState::Expired => "expired",
        LinkState::Invalid => "invalid",
    }
}

fn values(visit: &Visit, token: &str) -> Value {
    let own = is_own(visit, token);
    let ask_password = visit.accounts.policy().confirm.require_password && !own;
    context! { token, own, ask_password }
}

/// Whether this browser sent the password of that sign-up.
fn is_own(visit: &Visit, token: &str) -> bool {
    visit.cookie(Cookie::SignUp).is_some_and(|proof| visit.accounts.is_own_link(token, proof))
}

/// Activates the account: what the button of the page does.
async fn submit(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    let ask_user_name = form.value("user_name").is_some();
    let problem = match confirm(&visit, &token, form).await {
        Ok(Some(session)) => return Ok(visit.sign_in(&session, "/account?said=active")),
        Ok(None) => return Ok(see("/login?said=active")),
        Err(problem) => problem,
    };
    let view = match problem.code() {
        Code::LinkUsed => "used",
        Code::LinkExpired => "expired",
        _ => "form",
    };
    let ask_user_name = ask_user_name || problem.code() == Code::UserNameTaken;
    visit.refused(problem, "confirm.html", context! { view, ask_user_name, ..values(&visit, &token) })
}

async fn confirm(visit: &Visit, token: &str, mut form: Pairs) -> Result<Option<BrowserSession>, Problem> {
    let wrong = |_| Problem::new(Code::InvalidCredentials);
    let password = form.take("password").map(|text| Password::new(&text)).transpose().map_err(wrong)?;
    let user_name = form.filled("user_name").map(|text| fields::user_name(&text)).transpose()?;
    let proof = match (visit.cookie(Cookie::SignUp), &password) {
        (Some(proof), _) if is_own(visit, token) => LinkProof::Browser(proof),
        (_, Some(password)) => LinkProof::Password(password),
        (_, None) if !visit.accounts.policy().confirm.require_password => LinkProof::Nothing,
        (_, None) => return Err(Problem::new(Code::InvalidCredentials)),
    };
    let (held, client) = (visit.held(), &visit.client);
    Ok(visit.accounts.confirm_by_link_in_browser(token, proof, user_name, held, client).await?)
}
