//! `/admin`: what administrators see and do. Every handler takes an [`Admin`], and every operation asks for the role again.

mod audit;
mod chart;
mod outbox;
mod overview;
mod user;
mod user_acts;
mod users;
mod waiting;
mod words;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};
use vestibule::{Actor, Policy};

use super::problems::{Told, with_headers};
use super::visit::{Member, Visit};
use crate::App;
use crate::catalogue::Code;
use crate::extract::{Pairs, ReadFields};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .merge(overview::routes())
        .merge(users::routes())
        .merge(user::routes())
        .merge(user_acts::routes())
        .merge(waiting::routes())
        .merge(outbox::routes())
        .merge(audit::routes())
}

/// A member with the role `admin`. Others are sent to sign in, or told what they lack, whatever they asked for.
pub(super) struct Admin(Member);

impl FromRequestParts<App> for Admin {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let member = Member::from_request_parts(parts, app).await?;
        if member.who.is_admin() {
            Ok(Self(member))
        } else {
            Err(Problem::lacking_role("admin").into_response())
        }
    }
}

impl Admin {
    fn visit(&self) -> &Visit {
        &self.0.visit
    }

    /// On whose behalf operations run.
    fn actor(&self) -> Actor<'_> {
        Actor::User(&self.0.who, &self.0.visit.client)
    }

    /// A page of this section.
    fn page(&self, section: &str, template: &str, values: Value) -> Response {
        self.visit().page(StatusCode::OK, template, framed(section, values))
    }

    /// The page again, saying what is wrong; other problems than the person's are not for this page.
    fn refused(
        &self,
        problem: Problem,
        section: &str,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let visit = self.visit();
        let Some(told) = Told::of(&problem, visit.language) else { return Err(problem) };
        let values = framed(section, context! { ..told.values(), ..values });
        Ok(with_headers(visit.page(told.status, template, values), &problem))
    }
}

fn framed(section: &str, values: Value) -> Value {
    context! { member => true, admin => true, section, ..values }
}

/// What a list is asked for in its address. An empty condition is none.
struct Asked {
    /// `None` where the address is broken.
    pairs: Option<Vec<(String, String)>>,
    /// What the form before has done.
    said: Option<String>,
}

impl Asked {
    fn of(uri: &Uri) -> Self {
        let Ok(mut pairs) = Pairs::parse(uri.query().unwrap_or_default().as_bytes()) else {
            return Self { pairs: None, said: None };
        };
        drop(pairs.take("lang"));
        let said = pairs.take("said");
        pairs.0.retain(|(_, value)| !value.is_empty());
        Self { pairs: Some(pairs.0), said }
    }

    /// The list as a form was sent from it.
    fn again(conditions: &[(&str, &str)]) -> Self {
        let owned = conditions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { pairs: Some(owned.filter(|(_, value)| !value.is_empty()).collect()), said: None }
    }

    /// The same type as the API reads, as strictly.
    fn read<T: ReadFields>(&self, policy: &Policy) -> Result<T, Problem> {
        let pairs = self.pairs.clone().ok_or(Problem::new(Code::InvalidRequest))?;
        Pairs(pairs).read(policy)
    }

    fn value(&self, name: &str) -> &str {
        let found = self.pairs.iter().flatten().find(|(sent, _)| sent == name);
        found.map_or("", |(_, value)| value)
    }

    /// For the links below a list: its first page, unless this is it, and the next one.
    fn links(&self, path: &str, next_cursor: Option<&str>) -> Value {
        let all = self.pairs.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        let conditions: Vec<(&str, &str)> = all.filter(|(name, _)| *name != "cursor").collect();
        context! {
            first => (!self.value("cursor").is_empty()).then(|| address(path, &conditions)),
            next => next_cursor.map(|next| address(path, &[&conditions[..], &[("cursor", next)]].concat())),
        }
    }
}

/// The address of a list with these conditions.
fn address(path: &str, conditions: &[(&str, &str)]) -> String {
    let filled: Vec<_> = conditions.iter().filter(|(_, value)| !value.is_empty()).collect();
    if filled.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", serde_urlencoded::to_string(filled).unwrap_or_default())
}
