//! `/admin/mail`: the outbox.

use axum::http::Uri;
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::{Value, context};
use vestibule::{Email, MailId, MailState, QueuedMail};

use super::section::{Admin, Asked, address};
use super::words::mail_words;
use crate::api::admin::outbox::ListQuery;
use crate::app::App;
use crate::extract::SegmentBeforeLast;
use crate::pages::frame::i18n::Language;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;

const PATH: &str = "/admin/mail";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route(PATH, get(list))
        .route("/admin/mail/retry", post(retry_failed))
        .route("/admin/mail/test", post(test))
        .route("/admin/mail/{id}/retry", post(retry))
        .route("/admin/mail/{id}/drop", post(remove))
}

async fn list(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    match admin.mails(&asked).await {
        Ok(values) => Ok(admin.page("mail", "admin/mail.html", values)),
        Err(problem) => {
            let values = context! { ..filter(&asked), ..asked.links(PATH, None) };
            admin.refused(problem, "mail", "admin/mail.html", values)
        }
    }
}

async fn retry(
    admin: Admin,
    SegmentBeforeLast(id): SegmentBeforeLast<MailId>,
    form: MemberForm,
) -> Result<Response, Problem> {
    admin.act(Act::Retry(id), form).await
}

async fn remove(
    admin: Admin,
    SegmentBeforeLast(id): SegmentBeforeLast<MailId>,
    form: MemberForm,
) -> Result<Response, Problem> {
    admin.act(Act::Drop(id), form).await
}

async fn retry_failed(admin: Admin, form: MemberForm) -> Result<Response, Problem> {
    admin.act(Act::RetryFailed, form).await
}

async fn test(admin: Admin, form: MemberForm) -> Result<Response, Problem> {
    admin.act(Act::Test, form).await
}

/// The actions on the outbox.
enum Act {
    Retry(MailId),
    Drop(MailId),
    RetryFailed,
    /// A message to the administrator.
    Test,
}

impl Admin {
    async fn mails(&self, asked: &Asked) -> Result<Value, Problem> {
        let (accounts, language) = (&self.visit().accounts, self.visit().language());
        let ListQuery(query) = asked.read(accounts.policy())?;
        let page = accounts.list_mail(self.actor(), &query).await?;
        let items: Vec<Value> = page.items.iter().map(|mail| shown(mail, language)).collect();
        let links = asked.links(PATH, page.next_cursor.as_deref());
        Ok(context! { ..context! { items }, ..links, ..filter(asked) })
    }

    async fn acted(&self, act: Act, form: MemberForm) -> Result<&'static str, Problem> {
        form.accepted()?;
        let (accounts, actor) = (&self.visit().accounts, self.actor());
        Ok(match act {
            Act::Retry(id) => accounts.retry_mail(actor, id).await.map(|_| "retried")?,
            Act::Drop(id) => accounts.drop_mail(actor, id).await.map(|()| "dropped")?,
            Act::RetryFailed => accounts.retry_failed_mail(actor).await.map(|_| "all_retried")?,
            Act::Test => accounts.send_test_mail(actor).await.map(|()| "tested")?,
        })
    }

    /// Redirects to the list, which confirms what was done; or shows the list again, with the error.
    async fn act(&self, act: Act, form: MemberForm) -> Result<Response, Problem> {
        let state = form.typed("state").and_then(MailState::from_name).map_or("", MailState::name);
        match self.acted(act, form).await {
            Ok(said) => Ok(see_other(&address(PATH, &[("state", state), ("said", said)]))),
            Err(problem) => {
                let values = self.mails(&Asked::again(&[("state", state)])).await?;
                self.refused(problem, "mail", "admin/mail.html", values)
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
        // When it was sent, given up, or will be tried: one of them.
        at => mail.sent_at.or(mail.failed_at).or(mail.due_at).map(|at| at.to_string()),
        attempts => mail.attempts,
        last_error => mail.last_error.as_deref(),
    }
}

/// The conditions as given.
fn filter(asked: &Asked) -> Value {
    context! {
        state => asked.value("state"),
        states => MailState::ALL.map(MailState::name),
        said => asked.said.as_deref(),
    }
}
