//! `/admin/mail`: the outbox.

use axum::http::Uri;
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{Email, MailId, MailState, QueuedMail};

use super::words::mail_words;
use super::{Admin, Asked, address};
use crate::App;
use crate::api::outbox::ListQuery;
use crate::extract::{MemberForm, SegmentBeforeLast};
use crate::pages::Language;
use crate::pages::visit::see;
use crate::problem::Problem;

const PATH: &str = "/admin/mail";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route(PATH, get(list))
        .route("/admin/mail/retry", post(retry_failed))
        .route("/admin/mail/{id}/retry", post(retry))
        .route("/admin/mail/{id}/drop", post(remove))
}

async fn list(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    match admin.mails(&asked).await {
        Ok(values) => Ok(admin.page("mail", "admin_mail.html", values)),
        Err(problem) => {
            let values = context! { ..filter(&asked), ..asked.links(PATH, None) };
            admin.refused(problem, "mail", "admin_mail.html", values)
        }
    }
}

async fn retry(
    admin: Admin,
    SegmentBeforeLast(id): SegmentBeforeLast<MailId>,
    MemberForm(mut form): MemberForm,
) -> Result<Response, Problem> {
    let done = admin.visit().accounts.retry_mail(admin.actor(), id).await;
    admin.mail_answer(form.take("state"), done.map(|_| "retried").map_err(Problem::from)).await
}

async fn remove(
    admin: Admin,
    SegmentBeforeLast(id): SegmentBeforeLast<MailId>,
    MemberForm(mut form): MemberForm,
) -> Result<Response, Problem> {
    let done = admin.visit().accounts.drop_mail(admin.actor(), id).await;
    admin.mail_answer(form.take("state"), done.map(|()| "dropped").map_err(Problem::from)).await
}

async fn retry_failed(admin: Admin, MemberForm(mut form): MemberForm) -> Result<Response, Problem> {
    let done = admin.visit().accounts.retry_failed_mail(admin.actor()).await;
    admin.mail_answer(form.take("state"), done.map(|_| "all_retried").map_err(Problem::from)).await
}

impl Admin {
    async fn mails(&self, asked: &Asked) -> Result<Value, Problem> {
        let (accounts, language) = (&self.visit().accounts, self.visit().language);
        let ListQuery(query) = asked.read(accounts.policy())?;
        let page = accounts.list_mail(self.actor(), &query).await?;
        let items: Vec<Value> = page.items.iter().map(|mail| shown(mail, language)).collect();
        let links = asked.links(PATH, page.next_cursor.as_deref());
        Ok(context! { ..context! { items }, ..links, ..filter(asked) })
    }

    /// Back to the list, which says what was done; or the list again, with what is wrong.
    async fn mail_answer(
        &self,
        state: Option<String>,
        done: Result<&'static str, Problem>,
    ) -> Result<Response, Problem> {
        let state = state.and_then(|name| MailState::from_name(&name)).map_or("", MailState::name);
        match done {
            Ok(said) => Ok(see(&address(PATH, &[("state", state), ("said", said)]))),
            Err(problem) => {
                let values = self.mails(&Asked::again(&[("state", state)])).await?;
                self.refused(problem, "mail", "admin_mail.html", values)
            }
        }
    }
}

/// A message, without its text, as the API shows it.
fn shown(mail: &QueuedMail, language: Language) -> Value {
    context! {
        id => mail.id.to_string(),
        kind => mail_words(language, &mail.kind),
        to => mail.to.as_ref().map(Email::masked),
        state => mail.state.name(),
        created_at => mail.created_at.to_string(),
        // Handed over, given up, or to be tried: one of them.
        at => mail.sent_at.or(mail.failed_at).or(mail.due_at).map(|at| at.to_string()),
        attempts => mail.attempts,
        last_error => mail.last_error.as_deref(),
    }
}

/// The conditions as they were given.
fn filter(asked: &Asked) -> Value {
    context! {
        state => asked.value("state"),
        states => MailState::ALL.map(MailState::name),
        said => asked.said.as_deref(),
    }
}
