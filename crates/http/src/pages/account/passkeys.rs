//! The passkeys of an account.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use serde_json::json;
use vestibule::{Accounts, FactorError, PasskeyId};

use super::step_up::Waiting;
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::{Pairs, fields};
use crate::pages::frame::factor_form::{ceremony, registration};
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::Member;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

const PART: &str = "passkeys";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/account/passkeys", post(add))
        .route("/account/passkeys/options", post(begin))
        .route("/account/passkeys/rename", post(rename))
        .route("/account/passkeys/remove", post(remove))
}

/// Where password managers send people to add and remove passkeys (W3C, "A Well-Known URL for Relying Party Passkey
/// Endpoints").
pub(super) async fn endpoints(State(accounts): State<Accounts>) -> Result<Json<serde_json::Value>, Problem> {
    if accounts.relying_party().is_none() {
        return Err(Problem::new(Code::NotFound));
    }
    let page = format!("{}/account#passkeys", accounts.public_url().trim_end_matches('/'));
    Ok(Json(json!({ "enroll": page, "manage": page })))
}

/// What the browser is to make.
async fn begin(member: Member, form: MemberForm) -> Result<Response, Problem> {
    drop(form.accepted()?);
    Ok(ceremony(&member.visit.accounts.begin_passkey(&member.who, &member.visit.client).await?))
}

async fn add(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let outcome = member.added(form).await;
    member.answer_or_ask(PART, Waiting::default(), outcome, context! {}).await
}

async fn rename(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let waiting = Waiting::sent_to("/account/passkeys/rename", &form);
    let typed = typed_of(&form);
    let outcome = member.renamed(form).await;
    member.answer_or_ask(PART, waiting, outcome, typed).await
}

async fn remove(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let waiting = Waiting::sent_to("/account/passkeys/remove", &form);
    let typed = typed_of(&form);
    let outcome = member.removed(form).await;
    member.answer_or_ask(PART, waiting, outcome, typed).await
}

fn typed_of(form: &MemberForm) -> Value {
    context! { id => form.typed("id"), name => form.typed("name") }
}

fn id(form: &mut Pairs) -> Result<PasskeyId, Problem> {
    form.take("id").and_then(|id| id.parse().ok()).ok_or(Problem::new(Code::NotFound))
}

impl Member {
    async fn added(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let (accounts, client) = (&self.visit.accounts, &self.visit.client);
        let mut form = form.accepted()?;
        let Some(made) = registration(&mut form) else {
            // The script was not allowed to begin, and asks why.
            accounts.begin_passkey(&self.who, client).await?;
            return Err(Problem::new(Code::PasskeyRefused));
        };
        accounts.add_passkey(&self.who, &made, None, client).await?;
        Ok("passkey_added")
    }

    async fn renamed(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let mut form = form.accepted()?;
        let id = id(&mut form)?;
        let name = form.filled("name").ok_or(FieldError::new("/name", Code::Required))?;
        let name = fields::passkey_name(&name)?;
        self.visit.accounts.rename_passkey(&self.who, id, &name, &self.visit.client).await?;
        Ok("passkey_renamed")
    }

    async fn removed(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let id = id(&mut form.accepted()?)?;
        match self.visit.accounts.remove_passkey(&self.who, id, &self.visit.client).await {
            // One that is gone already is gone, as was asked.
            Ok(()) | Err(FactorError::NotFound) => Ok("passkey_removed"),
            Err(error) => Err(error.into()),
        }
    }
}
