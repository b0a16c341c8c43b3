//! What a page shows when a form was refused, in the language of its reader.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::Response;
use minijinja::{Value, context};
use vestibule::SignUpField;

use super::i18n::{Language, filled};
use crate::catalogue::Code;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

/// Errors that the person can correct.
pub(crate) struct ErrorView {
    pub(crate) status: StatusCode,
    /// The most precise code.
    pub(crate) code: Code,
    errors: Vec<OneError>,
}

/// One error, and the field it belongs to.
struct OneError {
    field: Option<Cow<'static, str>>,
    text: String,
    /// For the summary, where no label stands beside it.
    alone: String,
}

/// Where a field is among those of the pages, and among those of its kind.
type Place = (usize, usize);

impl OneError {
    fn of(error: &FieldError, language: Language, asked: &[SignUpField]) -> (Option<Place>, Self) {
        let text = field_text(error, language);
        let mut parts = error.pointer.split('/').skip(1);
        // An error of a list's item belongs to the field of the list; an unknown field is nowhere on the page.
        let name = parts.next().filter(|_| error.code != Code::UnknownField);
        let place = FIELDS.into_iter().position(|field| name == Some(field));
        let field = place.map(|place| FIELDS[place]);
        if field == Some(PROFILE) {
            let at = asked.iter().position(|field| parts.clone().next() == Some(field.name.as_str()));
            let Some(at) = at else { return (None, Self { field: None, alone: text.clone(), text }) };
            let alone = format!("{}: {text}", asked[at].label.in_language(language.tag()));
            let field = Some(Cow::Owned(format!("{PROFILE}.{}", asked[at].name)));
            return (place.map(|place| (place, at)), Self { field, text, alone });
        }
        let label = field.filter(|_| error.code == Code::Required).map(|field| language.label(field));
        let alone = label.map_or_else(|| text.clone(), |label| format!("{label}: {text}"));
        (place.map(|place| (place, 0)), Self { field: field.map(Cow::Borrowed), text, alone })
    }
}

impl ErrorView {
    /// `None` if the person cannot correct it.
    pub(crate) fn of(problem: &Problem, language: Language, asked: &[SignUpField]) -> Option<Self> {
        let code = problem.field_errors().first().map_or(problem.code(), |error| error.code);
        let status = match problem.code().status() {
            // A 401 would need a challenge, to which browsers respond with a dialog of their own.
            StatusCode::UNAUTHORIZED => StatusCode::UNPROCESSABLE_ENTITY,
            status if status.is_client_error() => status,
            _ => return None,
        };
        // In the order of the page.
        let mut told: Vec<(Option<Place>, OneError)> =
            problem.field_errors().iter().map(|error| OneError::of(error, language, asked)).collect();
        told.sort_by_key(|(place, _)| *place);
        let mut errors: Vec<OneError> = told.into_iter().map(|(_, error)| error).collect();
        if errors.is_empty() {
            let text = text(problem, language);
            errors.push(OneError { field: field_of(code).map(Cow::Borrowed), alone: text.clone(), text });
        }
        Some(Self { status, code, errors })
    }

    /// No error: the page is only shown again.
    pub(crate) fn nothing() -> Self {
        Self { status: StatusCode::OK, code: Code::FormExpired, errors: Vec::new() }
    }

    /// An error that only the page knows, with its text.
    pub(crate) fn of_field(field: &'static str, text: &str) -> Self {
        let errors =
            vec![OneError { field: Some(field.into()), text: text.to_owned(), alone: text.to_owned() }];
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: Code::ValidationFailed, errors }
    }

    /// The same where the page knows which field is wrong.
    #[must_use]
    pub(crate) fn at(mut self, field: &'static str) -> Self {
        for error in &mut self.errors {
            error.field.get_or_insert(field.into());
        }
        self
    }

    /// For the templates: a list for the summary, and the errors by field.
    pub(crate) fn values(&self) -> Value {
        let one =
            |error: &OneError| context! { field => error.field.as_deref(), text => error.alone.as_str() };
        let errors: Vec<Value> = self.errors.iter().map(one).collect();
        let with_field =
            self.errors.iter().filter_map(|error| Some((error.field.as_deref()?, error.text.clone())));
        let wrong: BTreeMap<&str, String> = with_field.rev().collect();
        context! { errors, wrong, why => self.code.as_str() }
    }
}

/// What a sign-up asks for beyond that: fields of the page called `profile.` and the name.
const PROFILE: &str = "profile";

/// The fields of all pages, in the order of the pages.
const FIELDS: [&str; 38] = [
    "token",
    "state",
    "kind",
    "status",
    "q",
    "second_factor",
    "role",
    "created_from",
    "created_before",
    "last_sign_in",
    "last_sign_in_from",
    "last_sign_in_before",
    "sort",
    "email",
    "user_id",
    "password",
    "display_name",
    "user_name",
    PROFILE,
    "terms_accepted",
    "login",
    "code",
    "recovery_code",
    "id",
    "name",
    "redirect_uris",
    "post_logout_redirect_uris",
    "logout_uri",
    "resources",
    "scopes",
    "machine_scopes",
    "claims",
    "consent",
    "current_password",
    "new_password",
    "reason",
    "roles",
    "own_password",
];

/// The field that a code belongs to.
fn field_of(code: Code) -> Option<&'static str> {
    match code {
        Code::EmailTaken => Some("email"),
        Code::ClientTaken => Some("id"),
        Code::UserNameTaken => Some("user_name"),
        Code::InvalidCredentials => Some("password"),
        Code::CodeInvalid | Code::CodeExpired => Some("code"),
        _ => None,
    }
}

fn field_text(error: &FieldError, language: Language) -> String {
    let numbers: Vec<(&str, String)> =
        error.params.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
    let numbers: Vec<(&str, &str)> = numbers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    filled(language.error(error.code.as_str()), &numbers)
}

fn text(problem: &Problem, language: Language) -> String {
    let wait = problem.retry_seconds().map(|seconds| language.duration(seconds)).unwrap_or_default();
    let attempts = problem.attempts_left().unwrap_or_default().to_string();
    filled(language.error(problem.code().as_str()), &[("time", &wait), ("attempts", &attempts)])
}

/// Adds the headers of the problem to the page that shows it.
pub(crate) fn with_headers(mut page: Response, problem: &Problem) -> Response {
    problem.write_headers(&mut page);
    page.headers_mut().remove(WWW_AUTHENTICATE);
    page
}
