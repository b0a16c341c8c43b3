//! `/admin`: what administrators see and do. Every handler takes an [`Admin`], and every operation asks for the role again.

mod chart;
mod overview;
mod user;
mod user_acts;
mod users;
mod words;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};
use vestibule::Actor;

use super::problems::{Told, with_headers};
use super::visit::{Member, Visit};
use crate::App;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .merge(overview::routes())
        .merge(users::routes())
        .merge(user::routes())
        .merge(user_acts::routes())
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

/// Where the next page of a list is: the same conditions, and the cursor.
fn next(path: &str, conditions: &[(&str, &str)], cursor: Option<&str>) -> Option<String> {
    let filled = conditions.iter().copied().filter(|(_, value)| !value.is_empty());
    let all: Vec<(&str, &str)> = filled.chain([("cursor", cursor?)]).collect();
    Some(format!("{path}?{}", serde_urlencoded::to_string(all).unwrap_or_default()))
}
