//! The pages that the mailed links of existing users open. Opening one changes nothing; its button does.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};

use super::visit::{Visit, query};
use crate::App;
use crate::api::password::ResetRequest;
use crate::catalogue::Code;
use crate::extract::PageForm;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    let show = |page: Page| get(async move |visit, uri| page.show(&visit, &uri));
    axum::Router::new()
        .route("/reset", show(Page::Reset).post(reset))
        .route("/email/confirm", show(Page::Confirm).post(confirm))
        .route("/email/undo", show(Page::Undo).post(undo))
}

/// Which of them.
#[derive(Clone, Copy)]
enum Page {
    Reset,
    Confirm,
    Undo,
}

impl Page {
    fn values(self, view: &str, token: &str) -> Value {
        let (page, action) = match self {
            Self::Reset => ("reset", "/reset"),
            Self::Confirm => ("email", "/email/confirm"),
            Self::Undo => ("undo", "/email/undo"),
        };
        context! { page, action, view, token }
    }

    /// The form, with its button.
    fn show(self, visit: &Visit, uri: &Uri) -> Response {
        let token = query(uri).filled("token").unwrap_or_default();
        let view = if token.is_empty() { "incomplete" } else { "form" };
        visit.page(StatusCode::OK, "link.html", self.values(view, &token))
    }

    /// What became of it.
    fn answer(self, visit: &Visit, token: &str, outcome: Result<(), Problem>) -> Result<Response, Problem> {
        let Err(problem) = outcome else {
            return Ok(visit.page(StatusCode::OK, "link.html", self.values("done", "")));
        };
        let gone = matches!(problem.code(), Code::LinkUsed | Code::LinkExpired);
        let view = if gone { "gone" } else { "form" };
        let used = problem.code() == Code::LinkUsed;
        visit.refused(problem, "link.html", context! { used, ..self.values(view, token) })
    }
}

/// Sets a new password.
async fn reset(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let token = form.value("token").unwrap_or_default().to_owned();
    if token.is_empty() {
        form.put("token", "-");
    }
    let outcome = match form.read::<ResetRequest>(visit.accounts.policy()) {
        Ok(asked) => {
            let ResetRequest { token, new_password } = asked;
            visit.accounts.reset_password(&token, &new_password, &visit.client).await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    Page::Reset.answer(&visit, &token, outcome)
}

/// Uses the new address from now on.
async fn confirm(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    let outcome = visit.accounts.confirm_email(&token, &visit.client).await.map(drop).map_err(Problem::from);
    Page::Confirm.answer(&visit, &token, outcome)
}

/// Goes back to the address before.
async fn undo(visit: Visit, PageForm(mut form): PageForm) -> Result<Response, Problem> {
    let token = form.take("token").unwrap_or_default();
    let outcome = visit.accounts.undo_email(&token, &visit.client).await.map(drop).map_err(Problem::from);
    Page::Undo.answer(&visit, &token, outcome)
}
