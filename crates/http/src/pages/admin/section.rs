//! Shared by all pages of the administration: who may see them, and the lists they show.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};
use vestibule::{Actor, Policy};

use crate::app::App;
use crate::catalogue::Code;
use crate::extract::{Pairs, ReadFields};
use crate::pages::frame::error_view::with_headers;
use crate::pages::frame::visit::{Member, Visit};
use crate::problem::Problem;

/// A member with the role `admin`. Others are sent to sign in, or informed what they lack, whatever they requested.
pub(super) struct Admin(pub(super) Member);

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
    pub(super) fn visit(&self) -> &Visit {
        &self.0.visit
    }

    /// The actor of the operations.
    pub(super) fn actor(&self) -> Actor<'_> {
        Actor::User(&self.0.who, &self.0.visit.client)
    }

    /// A page of this section.
    pub(super) fn page(&self, section: &str, template: &str, values: Value) -> Response {
        self.visit().page(StatusCode::OK, template, self.framed(section, values))
    }

    /// The page again, with the error; problems that the person cannot fix are not for this page.
    pub(super) fn refused(
        &self,
        problem: Problem,
        section: &str,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let visit = self.visit();
        let Some(view) = visit.error_view(&problem) else { return Err(problem) };
        let values = self.framed(section, context! { ..view.values(), ..values });
        Ok(with_headers(visit.page(view.status, template, values), &problem))
    }

    /// What the frame around a page of this section needs.
    pub(super) fn framed(&self, section: &str, values: Value) -> Value {
        context! { member => true, admin => true, initials => self.0.initials(), section, ..values }
    }
}

/// The conditions of a list in its address. An empty condition does not count.
pub(super) struct Asked {
    /// `None` if the address is malformed.
    pairs: Option<Vec<(String, String)>>,
    /// The message of the previous form.
    pub(super) said: Option<String>,
}

impl Asked {
    pub(super) fn of(uri: &Uri) -> Self {
        let Ok(mut pairs) = Pairs::parse(uri.query().unwrap_or_default().as_bytes()) else {
            return Self { pairs: None, said: None };
        };
        drop((pairs.take("lang"), pairs.take("theme")));
        let said = pairs.take("said");
        let mut pairs = pairs.tidied();
        pairs.0.retain(|(_, value)| !value.is_empty());
        Self { pairs: Some(pairs.0), said }
    }

    /// The list from which a form was sent.
    pub(super) fn again(conditions: &[(&str, &str)]) -> Self {
        let owned = conditions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { pairs: Some(owned.filter(|(_, value)| !value.is_empty()).collect()), said: None }
    }

    /// Reads the same type as the API, as strictly.
    pub(super) fn read<T: ReadFields>(&self, policy: &Policy) -> Result<T, Problem> {
        let pairs = self.pairs.clone().ok_or(Problem::new(Code::InvalidRequest))?;
        Pairs(pairs).read(policy)
    }

    pub(super) fn value(&self, name: &str) -> &str {
        let found = self.pairs.iter().flatten().find(|(sent, _)| sent == name);
        found.map_or("", |(_, value)| value)
    }

    /// The address of the same list, from its first page on, with one condition changed.
    pub(super) fn with(&self, path: &str, name: &str, value: &str) -> String {
        let all = self.pairs.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        let others = all.filter(|(other, _)| ![name, "cursor"].contains(other));
        address(path, &others.chain([(name, value)]).collect::<Vec<_>>())
    }

    /// The address of the same list somewhere else, from its beginning on.
    pub(super) fn elsewhere(&self, path: &str) -> String {
        self.with(path, "limit", "")
    }

    /// The links below a list: its first page, unless this is it, and the next one.
    pub(super) fn links(&self, path: &str, next_cursor: Option<&str>) -> Value {
        let all = self.pairs.iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()));
        let conditions: Vec<(&str, &str)> = all.filter(|(name, _)| *name != "cursor").collect();
        context! {
            first => (!self.value("cursor").is_empty()).then(|| address(path, &conditions)),
            next => next_cursor.map(|next| address(path, &[&conditions[..], &[("cursor", next)]].concat())),
        }
    }
}

/// The address of a list with these conditions.
pub(super) fn address(path: &str, conditions: &[(&str, &str)]) -> String {
    let filled: Vec<_> = conditions.iter().filter(|(_, value)| !value.is_empty()).collect();
    if filled.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", serde_urlencoded::to_string(filled).unwrap_or_default())
}
