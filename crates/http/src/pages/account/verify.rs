//! `/account/verify`: a session proves again who it belongs to.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use minijinja::context;
use vestibule::{SecondFactor, SecondFactorError};

use super::step_up::{TEMPLATE, Waiting};
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::fields;
use crate::pages::frame::factor_form::{Typed, ceremony, second_factor};
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Member, see_other};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/account/verify", get(show).post(prove))
        .route("/account/verify/options", post(begin))
}

async fn show(member: Member, uri: Uri) -> Result<Response, Problem> {
    let values = member.to_prove(&Waiting::default()).await?;
    let visit = member.visit.returning_to_members(query(&uri).value("return_to"));
    let values = context! { for_application => visit.request(), ..values };
    Ok(visit.page(StatusCode::OK, TEMPLATE, values))
}

async fn begin(member: Member, form: MemberForm) -> Result<Response, Problem> {
    drop(form.accepted()?);
    Ok(ceremony(&member.visit.accounts.begin_passkey_step_up(&member.who).await?))
}

async fn prove(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let (waiting, back) = (Waiting::carried_by(&form), form.typed("return_to").map(str::to_owned));
    let typed = Typed::of(|name| form.typed(name).is_some());
    let outcome = member.proven(form).await;
    if outcome.is_ok()
        && let Some(path) = waiting.form
    {
        return Ok(sent_on(path));
    }
    let values = member.to_prove(&waiting).await?;
    let visit = member.visit.returning_to_members(back.as_deref());
    let values = context! { for_application => visit.request(), ..values };
    match outcome {
        Ok(()) => Ok(see_other(&visit.destination("/account"))),
        Err(problem) => typed.refused(&visit, problem, TEMPLATE, values),
    }
}

/// Makes the browser send the same form to this path.
fn sent_on(path: &'static str) -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, HeaderValue::from_static(path))]).into_response()
}

impl Member {
    async fn proven(&self, form: MemberForm) -> Result<(), Problem> {
        let mut form = form.accepted()?;
        let (accounts, client, at) = (&self.visit.accounts, &self.visit.client, "/password");
        let Some(password) = form.take("password") else {
            let given = second_factor(&mut form)?;
            let proven = accounts.reauthenticate_with(&self.who, &given, client).await;
            return proven.map(drop).map_err(|error| of_proof(error, &given));
        };
        let password = Some(password).filter(|password| !password.is_empty());
        let password = password.ok_or(FieldError::new(at, Code::Required))?;
        let password = fields::given_password(&password)?.possible_at(at)?;
        let proven = accounts.reauthenticate(&self.who, &password, client).await;
        proven.map(drop).map_err(|error| Problem::of_change(error, at))
    }
}

/// Nobody is signed out by a wrong answer.
fn of_proof(error: SecondFactorError, given: &SecondFactor) -> Problem {
    match (error, given) {
        (SecondFactorError::Invalid { .. }, SecondFactor::Passkey(_)) => Problem::new(Code::PasskeyInvalid),
        (error, _) => error.into(),
    }
}
