//! The pages opened by the mailed links of existing users. Opening one changes nothing; its button does.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{EmailChangeError, EmailProof, MailedLink, Password};

use crate::api::account::password::ResetRequest;
use crate::app::App;
use crate::catalogue::Code;
use crate::pages::frame::mailed_link::shown;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::Visit;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> axum::Router<App> {
    let show = |page: Page| get(async move |visit: Visit, uri: Uri| page.show(visit, &uri).await);
    axum::Router::new()
        .route("/reset", show(Page::Reset).post(reset))
        .route("/email/confirm", show(Page::Confirm).post(confirm))
        .route("/email/undo", show(Page::Undo).post(undo))
}

/// One of these pages.
#[derive(Clone, Copy)]
enum Page {
    Reset,
    Confirm,
    Undo,
}

impl Page {
    fn link(self) -> MailedLink {
        match self {
            Self::Reset => MailedLink::PasswordReset,
            Self::Confirm => MailedLink::EmailChange,
            Self::Undo => MailedLink::EmailUndo,
        }
    }

    /// The page in the current state of the link: its form, or why there is none.
    async fn values(self, visit: &Visit, token: &str) -> Result<Value, Problem> {
        let (page, action) = match self {
            Self::Reset => ("reset", "/reset"),
            Self::Confirm => ("email", "/email/confirm"),
            Self::Undo => ("undo", "/email/undo"),
        };
        let state = visit.accounts.link_state(self.link(), token).await?;
        Ok(context! { page, action, token, ..shown(&state) })
    }

    /// The form, with its button. A signed-in browser is not asked for the password first: it may have the session that
    /// requested the change.
    async fn show(self, visit: Visit, uri: &Uri) -> Result<Response, Problem> {
        let visit = visit.returning_as_kept();
        let token = query(uri).filled("token").unwrap_or_default();
        let ask_password = visit.who().await?.is_none();
        let values = context! { ask_password, ..self.values(&visit, &token).await? };
        Ok(visit.page(StatusCode::OK, "sign_in/link.html", values))
    }

    /// The outcome.
    async fn answer(
        self,
        visit: Visit,
        token: &str,
        outcome: Result<(), Problem>,
    ) -> Result<Response, Problem> {
        let visit = visit.returning_as_kept();
        let values = self.values(&visit, token).await?;
        let Err(problem) = outcome else {
            return Ok(visit.page(
                StatusCode::OK,
                "sign_in/link.html",
                context! { view => "done", ..values },
            ));
        };
        // Nothing was checked yet if the form is only shown again.
        let ask_password = problem.code() != Code::FormExpired || visit.who().await?.is_none();
        visit.refused(problem, "sign_in/link.html", context! { ask_password, ..values })
    }
}

/// Sets a new password.
async fn reset(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let token = form.typed("token").unwrap_or_default().to_owned();
    let outcome = set_password(&visit, form).await;
    Page::Reset.answer(visit, &token, outcome).await
}

async fn set_password(visit: &Visit, form: PageForm) -> Result<(), Problem> {
    let ResetRequest { token, new_password } = new_password(visit, form)?;
    Ok(visit.accounts.reset_password(&token, &new_password, &visit.client).await?)
}

/// A new password, with the token of the link; a missing token is not valid.
fn new_password(visit: &Visit, form: PageForm) -> Result<ResetRequest, Problem> {
    let mut form = form.accepted()?;
    if form.value("token").unwrap_or_default().is_empty() {
        form.put("token", "-");
    }
    form.read(visit.accounts.policy())
}

/// Switches to the new address.
async fn confirm(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let token = form.typed("token").unwrap_or_default().to_owned();
    let outcome = use_address(&visit, &token, form).await;
    Page::Confirm.answer(visit, &token, outcome).await
}

async fn use_address(visit: &Visit, token: &str, form: PageForm) -> Result<(), Problem> {
    match form.accepted()?.take("password") {
        Some(password) => with_password(visit, token, &password).await,
        None => in_session(visit, token).await,
    }
}

async fn with_password(visit: &Visit, token: &str, password: &str) -> Result<(), Problem> {
    let password = Password::new(password).map_err(|_| Problem::new(Code::InvalidCredentials))?;
    let proof = EmailProof::Password(&password);
    Ok(visit.accounts.confirm_email(token, proof, &visit.client).await.map(drop)?)
}

async fn in_session(visit: &Visit, token: &str) -> Result<(), Problem> {
    let asked = match visit.who().await? {
        Some(who) if !who.must_enrol => {
            visit.accounts.confirm_email(token, EmailProof::Session(&who), &visit.client).await
        }
        Some(_) | None => Err(EmailChangeError::Refused),
    };
    asked.map(drop).map_err(|error| match error {
        // The change was requested in another session.
        EmailChangeError::Refused => FieldError::new("/password", Code::Required).into(),
        error => error.into(),
    })
}

/// Restores the previous address, with a new password.
async fn undo(visit: Visit, form: PageForm) -> Result<Response, Problem> {
    let token = form.typed("token").unwrap_or_default().to_owned();
    let outcome = go_back(&visit, form).await;
    Page::Undo.answer(visit, &token, outcome).await
}

async fn go_back(visit: &Visit, form: PageForm) -> Result<(), Problem> {
    let ResetRequest { token, new_password } = new_password(visit, form)?;
    Ok(visit.accounts.undo_email(&token, &new_password, &visit.client).await.map(drop)?)
}
