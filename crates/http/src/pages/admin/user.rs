//! `/admin/users/{id}`: one user and their history.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{
    Account, AccountLimits, AuditActor, AuditEvent, AuditQuery, DisplayName, Email, ExternalId, MailState,
    OperatorName, QueuedMail, Session, UserData, UserId, UserName, UserRef, WaysIn,
};

use super::section::Admin;
use super::words::{kind_words, mail_words, short};
use crate::app::App;
use crate::catalogue::Code;
use crate::pages::frame::device::device_words;
use crate::pages::frame::i18n::Language;
use crate::pages::frame::look::face::{initials, is_handheld};
use crate::pages::frame::query::query;
use crate::problem::Problem;

/// What went wrong, which the timeline marks.
const FAILURES: [&str; 7] = [
    "confirm_failed",
    "sign_in_failed",
    "second_factor_failed",
    "limit_reached",
    "refresh_reused",
    "code_reused",
    "passkey_counter_went_back",
];

/// What the page shows beside the actions, other than the overview.
const TABS: [&str; 2] = ["activity", "mails"];

/// Sessions on the page; the page says how many more there are.
const SESSIONS: usize = 20;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route("/admin/users/{id}", get(show))
}

/// The user that the path names, for an administrator.
pub(super) struct One {
    pub(super) admin: Admin,
    id: UserId,
}

impl FromRequestParts<App> for One {
    type Rejection = Response;

    /// The administrator is checked before the user is looked up: others learn nothing about ids.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let admin = Admin::from_request_parts(parts, app).await?;
        let id = parts.uri.path().split('/').nth(3).and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| Problem::new(Code::NotFound).into_response())?;
        Ok(Self { admin, id })
    }
}

async fn show(one: One, uri: Uri) -> Result<Response, Problem> {
    let mut asked = query(&uri);
    let tab = asked.take("tab").filter(|tab| TABS.contains(&tab.as_str()));
    one.page(StatusCode::OK, context! { said => asked.take("said"), tab }).await
}

impl One {
    pub(super) fn named(&self) -> UserRef {
        UserRef::Id(self.id)
    }

    pub(super) fn path(&self) -> String {
        format!("/admin/users/{}", self.id)
    }

    /// The whole page, in its current state; `values` describe what has just happened in one of its parts.
    pub(super) async fn page(&self, status: StatusCode, values: Value) -> Result<Response, Problem> {
        let visit = self.admin.visit();
        let (accounts, actor, user) = (&visit.accounts, self.admin.actor(), self.named());
        let account = accounts.find_user(actor, &user).await?;
        let limits = accounts.account_limits(actor, &user).await?;
        let sessions = accounts.sessions_of(actor, &user).await?;
        let trail = AuditQuery { user: Some(self.id), ..AuditQuery::default() };
        let events = accounts.list_audit(actor, &trail).await?.items;
        let mails = accounts.mails_to(actor, &user).await?;
        let language = visit.language();
        let ways = accounts.ways_in_of(actor, &user).await?;
        let page = context! {
            ways => of_ways(&ways),
            grants => self.grants().await?,
            proof => self.admin.proof(&self.path()).await?,
            user => shown(&account),
            speaks => languages(account.locale.as_deref()),
            own_email => self.admin.0.who.account.email.as_str(),
            is_self => self.admin.0.who.account.id == self.id,
            limits => of_limits(&limits),
            more_sessions => sessions.len().saturating_sub(SESSIONS),
            sessions => sessions.iter().take(SESSIONS).map(|one| of_session(language, one)).collect::<Vec<_>>(),
            events => events.iter().map(|event| self.of_event(event)).collect::<Vec<_>>(),
            mails => mails.iter().map(|mail| of_mail(language, &account, mail)).collect::<Vec<_>>(),
        };
        let tab =
            values.get_attr("tab").ok().filter(Value::is_true).unwrap_or_else(|| Value::from("overview"));
        Ok(visit.page(
            status,
            "admin/user.html",
            self.admin.framed("users", context! { tab, ..context! { ..values, ..page } }),
        ))
    }

    fn of_event(&self, event: &AuditEvent) -> Value {
        let language = self.admin.visit().language();
        let by = match event.actor {
            AuditActor::User(id) if id == self.id => language.text("user.by_self"),
            AuditActor::User(_) => language.text("user.by_admin"),
            AuditActor::Operator => language.text("user.by_operator"),
            AuditActor::Anonymous => language.text("user.by_nobody"),
            AuditActor::Application => language.text("user.by_application"),
            AuditActor::System => language.text("user.by_system"),
        };
        context! {
            at => event.at.to_string(), kind => kind_words(language, event.kind), by,
            operator => event.operator.as_ref().map(OperatorName::as_str),
            by_id => event.actor.user().filter(|id| *id != self.id).map(|id| id.to_string()),
            bad => FAILURES.contains(&event.kind.name()),
            ip => event.ip.as_deref(), detail => event.detail.as_deref().map(short),
        }
    }
}

fn shown(account: &Account) -> Value {
    let language = account.locale.as_deref().map(|tag| spoken(tag).map_or(tag, |one| one.name()).to_owned());
    context! {
        id => account.id.to_string(),
        email => account.email.as_str(),
        initials => initials(account.display_name.as_ref().map_or(account.email.as_str(), DisplayName::as_str)),
        user_name => account.user_name.as_ref().map(UserName::as_str),
        display_name => account.display_name.as_ref().map(DisplayName::as_str),
        roles => account.roles.join(" "),
        language,
        external_id => account.external_id.as_ref().map(ExternalId::as_str),
        created_at => account.created_at.to_string(),
        confirmed_at => account.email_confirmed_at.to_string(),
        terms_accepted_at => account.terms_accepted_at.map(|at| at.to_string()),
        disabled_at => account.disabled_at.map(|at| at.to_string()),
        data => as_text(&account.data),
        app_data => as_text(&account.app_data),
        revision => account.revision(),
    }
}

/// The object in lines, unless it is empty.
fn as_text(data: &UserData) -> Option<String> {
    (!data.is_empty()).then(|| serde_json::to_string_pretty(data).unwrap_or_default())
}

/// The language of the pages with exactly this tag.
fn spoken(tag: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|language| language.tag() == tag)
}

/// The languages to choose from; one that the pages do not speak is kept as it is.
pub(super) fn languages(chosen: Option<&str>) -> Vec<Value> {
    let chosen = chosen.unwrap_or_default();
    let own = Language::ALL.map(|one| {
        context! {
            tag => one.tag(), name => one.name(), dir => one.direction(), chosen => one.tag() == chosen,
        }
    });
    let other = spoken(chosen).is_none().then(|| {
        let name = if chosen.is_empty() { "–" } else { chosen };
        context! { tag => chosen, name, chosen => true }
    });
    other.into_iter().chain(own).collect()
}

fn of_limits(limits: &AccountLimits) -> Value {
    let AccountLimits { failures, link_failures, codes_failed, .. } = limits;
    context! {
        closed_for_good => limits.closed_for_good,
        closed_until => limits.closed_until.map(|at| at.to_string()),
        failures, codes_failed => codes_failed.month,
        any => failures + link_failures + codes_failed.month > 0,
    }
}

fn of_ways(ways: &WaysIn) -> Value {
    context! {
        password => ways.password, has_factor => ways.has_factor(), codes_left => ways.recovery_codes_left,
        passkeys => ways.passkeys.iter().map(|passkey| passkey.name.clone()).collect::<Vec<_>>(),
        authenticator => ways.authenticator_confirmed_at.map(|at| at.to_string()),
        required_by => ways.second_factor_required_by.map(|at| at.to_string()),
    }
}

fn of_session(language: Language, session: &Session) -> Value {
    context! {
        device => device_words(language, session.user_agent.as_deref()),
        phone => is_handheld(session.user_agent.as_deref()), ip => session.ip.as_deref(),
        last_seen_at => session.last_seen_at.to_string(),
    }
}

fn of_mail(language: Language, account: &Account, mail: &QueuedMail) -> Value {
    context! {
        kind => mail_words(language, &mail.kind), at => mail.created_at.to_string(), state => mail.state.name(),
        attempts => mail.attempts,
        // The address may be someone else's: masked, as everywhere.
        to => mail.to.as_ref().filter(|to| **to != account.email).map(Email::masked),
        error => mail.last_error.as_deref().filter(|_| mail.state != MailState::Sent).map(short),
    }
}
