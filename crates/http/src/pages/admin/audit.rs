//! `/admin/audit`: who did what, when and from where.

use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{AuditEvent, AuditKind, OperatorName};

use super::section::{Admin, Asked};
use super::words::kind_words;
use crate::api::admin::audit::ListQuery;
use crate::app::App;
use crate::pages::frame::device::device_words;
use crate::pages::frame::i18n::Language;
use crate::problem::Problem;

const PATH: &str = "/admin/audit";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, get(list))
}

async fn list(admin: Admin, uri: Uri) -> Result<Response, Problem> {
    let asked = Asked::of(&uri);
    match admin.trail(&asked).await {
        Ok(values) => Ok(admin.page("audit", "admin/audit.html", values)),
        Err(problem) => {
            let values = context! { ..filter(&asked, admin.visit().language()), ..asked.links(PATH, None) };
            admin.refused(problem, "audit", "admin/audit.html", values)
        }
    }
}

impl Admin {
    async fn trail(&self, asked: &Asked) -> Result<Value, Problem> {
        let (accounts, language) = (&self.visit().accounts, self.visit().language());
        let ListQuery(query) = asked.read(accounts.policy())?;
        let page = accounts.list_audit(self.actor(), &query).await?;
        let items: Vec<Value> = page.items.iter().map(|event| shown(event, language)).collect();
        let links = asked.links(PATH, page.next_cursor.as_deref());
        Ok(context! { ..context! { items }, ..links, ..filter(asked, language) })
    }
}

fn shown(event: &AuditEvent, language: Language) -> Value {
    let by = event.actor.user();
    context! {
        at => event.at.to_string(),
        kind => kind_words(language, event.kind),
        actor => event.actor.name(),
        operator => event.operator.as_ref().map(OperatorName::as_str),
        actor_id => by.filter(|id| Some(*id) != event.user_id).map(|id| id.to_string()),
        user_id => event.user_id.map(|id| id.to_string()),
        email => event.email.as_deref(),
        ip => event.ip.as_deref(),
        device => event.user_agent.as_deref().map(|sent| device_words(language, Some(sent))),
        detail => event.detail.as_deref(),
    }
}

/// The conditions as given.
fn filter(asked: &Asked, language: Language) -> Value {
    let named = |kind: &AuditKind| context! { name => kind.name(), words => kind_words(language, *kind) };
    let kinds: Vec<Value> = AuditKind::ALL.iter().map(named).collect();
    let [kind, email, user_id] = ["kind", "email", "user_id"].map(|name| asked.value(name));
    context! { kind, email, user_id, kinds }
}
