//! The member `fix` of problems in development mode: the command or request that would have worked.
//!
//! It is put together from descriptions alone. Nothing that the request brought is repeated, so no secret of it is.

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;

use crate::api::oauth::refusal::Refused;
use crate::catalogue::Code;
use crate::describe::curl::{asks_for, curl};
use crate::describe::routes::RouteTable;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;
use crate::problem::remedy::{Remedy, remedy};
use crate::rate_limit::Limit;

/// Of a longer path nobody can say which route it was meant for.
const PATH_MAX: usize = 100;
/// So many refused fields are explained.
const FIELDS_MAX: usize = 3;

/// The route that a request was for.
#[derive(Debug)]
pub(crate) struct Wanted {
    method: String,
    path: String,
    route: Option<String>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            method: "POST".to_owned(),
            path: "/v1/signup".to_owned(),
            route: Some("/v1/signup".to_owned()),
        }
    }
}

impl Wanted {
    /// `base` is the path of the public URL.
    pub(crate) fn of(request: &Request, base: &str) -> Self {
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let path = request.uri().path().chars().take(PATH_MAX).collect();
        Self {
            method: request.method().as_str().to_owned(),
            path,
            route: route.and_then(|route| route.strip_prefix(base)).map(str::to_owned),
        }
    }
}

/// Adds what to do to an answer in the form of `OAuth`.
pub(super) fn complete_oauth(response: &mut Response, wanted: &Wanted, table: &RouteTable, public_url: &str) {
    let Some(refused) = response.extensions_mut().remove::<Refused>() else { return };
    if let Some(fix) = fix(&refused.problem, wanted, table, public_url) {
        response.headers_mut().remove(CONTENT_LENGTH);
        *response.body_mut() = Body::from(refused.with_fix(fix));
    }
}

/// What to do about a problem; `None` if it is not the sender's mistake.
pub(crate) fn fix(
    problem: &Problem,
    wanted: &Wanted,
    table: &RouteTable,
    public_url: &str,
) -> Option<String> {
    let ask = |method: &str, path: &str| curl(table, public_url, method, path);
    let same = |words: &str| match known(wanted, table) {
        Some((method, path)) => format!("{words}: {}", ask(method, path)),
        None => format!("{words}: {}", ask("GET", "/openapi.json")),
    };
    if takes_basic(problem, wanted, table) {
        return Some(same("send name and password with HTTP Basic"));
    }
    Some(match remedy(problem.code()) {
        Remedy::Nothing => return None,
        Remedy::Same(words) => same(words),
        Remedy::Request(method, path, words) => format!("{words}: {}", ask(method, path)),
        Remedy::Command(command, words) => format!("{words}: {command}"),
        Remedy::Role => match problem.missing_role() {
            Some(role) => {
                format!("give the user the role: vestibule user update ada@example.org --add-role {role}")
            }
            None => same("send the request from a page of this server, or with a token instead of a cookie"),
        },
        Remedy::Nearest => {
            let (words, method, path) = nearest(wanted, table);
            format!("{words}: {}", ask(method, &path))
        }
        Remedy::Methods => {
            let path = wanted.route.as_deref().unwrap_or_default();
            let methods = table.methods(path).unwrap_or_default();
            match methods.first() {
                Some(first) => format!("use {}: {}", methods.join(" or "), ask(first, path)),
                None => "use one of the methods in the header `Allow`".to_owned(),
            }
        }
        Remedy::Wait => waiting(problem),
        Remedy::Fields => same(&fields(problem.field_errors())),
        Remedy::Value(value) => instead(value),
    })
}

/// A 401 of a route where a token is of no use.
fn takes_basic(problem: &Problem, wanted: &Wanted, table: &RouteTable) -> bool {
    let unknown = [Code::AuthenticationRequired, Code::InvalidCredentials].contains(&problem.code());
    let ways = |(method, path)| asks_for(table, method, path);
    unknown
        && known(wanted, table)
            .map(ways)
            .is_some_and(|ways| ways.iter().any(|way| way == "basic" || way == "client"))
}

/// The route that was asked for, if it is described.
fn known<'a>(wanted: &'a Wanted, table: &RouteTable) -> Option<(&'a str, &'a str)> {
    let path = wanted.route.as_deref()?;
    let method = if wanted.method == "HEAD" { "GET" } else { wanted.method.as_str() };
    table.methods(path)?.contains(&method).then_some((method, path))
}

/// What was probably meant: of a route that is there, the list that its ids come from.
fn nearest(wanted: &Wanted, table: &RouteTable) -> (&'static str, &'static str, String) {
    let gets = |path: &str| table.methods(path).is_some_and(|methods| methods.contains(&"GET"));
    if let Some(route) = &wanted.route {
        let parents = route.rmatch_indices('/').map(|(at, _)| &route[..at]);
        let list = parents.filter(|path| !path.contains('{')).find(|path| gets(path));
        return ("look what there is", "GET", list.unwrap_or("/openapi.json").to_owned());
    }
    let asked = wanted.path.to_ascii_lowercase();
    let best = table.paths().min_by_key(|path| distance(&asked, path)).unwrap_or("/openapi.json");
    let methods = table.methods(best).unwrap_or_default();
    let method = methods.iter().copied().find(|method| *method == wanted.method);
    ("the nearest address is", method.or(methods.first().copied()).unwrap_or("GET"), best.to_owned())
}

/// The number of letters to insert, delete or replace (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

fn waiting(problem: &Problem) -> String {
    let setting = match problem.limit() {
        Some(Limit::SignIn) => "the limit is `limits.sign_in`; ",
        Some(Limit::Confirm) => "the limit is `limits.codes`; ",
        Some(Limit::Mails) => "the limit is `limits.mails`; ",
        Some(Limit::PasswordChecks) | None => "",
    };
    let seconds = problem.retry_seconds().map_or(String::new(), |seconds| format!("wait {seconds} s; "));
    format!(
        "{seconds}{setting}for load tests there is none with: VESTIBULE_LIMITS_ENABLED=false vestibule serve --dev"
    )
}

/// What to send in each refused field.
fn fields(errors: &[FieldError]) -> String {
    let explained = errors.iter().take(FIELDS_MAX).filter_map(|error| match remedy(error.code) {
        Remedy::Value(value) => Some(format!("`{}`: {}; ", shown(error), instead(value))),
        Remedy::Nothing
        | Remedy::Same(_)
        | Remedy::Request(..)
        | Remedy::Command(..)
        | Remedy::Role
        | Remedy::Nearest
        | Remedy::Methods
        | Remedy::Wait
        | Remedy::Fields => None,
    });
    explained.collect::<String>() + "a request that works looks like this"
}

/// A value is an example; words speak for themselves.
fn instead(value: &str) -> String {
    let is_json = serde_json::from_str::<serde_json::Value>(value).is_ok();
    if is_json { format!("send e.g. {value}") } else { value.to_owned() }
}

/// Where the field is. The name of one that is not known came with the request.
fn shown(error: &FieldError) -> &str {
    if error.code == Code::UnknownField { "the unknown field" } else { &error.pointer }
}
