//! The authenticator app of an account.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use vestibule::{FactorError, RecoveryCode};

use super::recovery_codes::shown_once;
use super::step_up::{Waiting, is_missing};
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::fields;
use crate::pages::frame::error_view::{ErrorView, with_headers};
use crate::pages::frame::factor_form::of_app;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{Member, see_other};
use crate::problem::Problem;
use crate::qr_code;

const PART: &str = "authenticator";
const PATH: &str = "/account/authenticator";
/// What the address in the QR code begins with.
const SCHEME: &str = "otpauth://totp/";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route(PATH, post(begin).get(async || see_other("/account#authenticator")))
        .route("/account/authenticator/confirm", post(confirm))
        .route("/account/authenticator/remove", post(remove))
}

/// Makes a new secret and shows it.
async fn begin(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let waiting = Waiting::sent_to(PATH, &form);
    let begun = match form.accepted() {
        Ok(_) => member.visit.accounts.begin_authenticator(&member.who, &member.visit.client).await,
        Err(problem) => return member.answer(PART, Err(problem), context! {}).await,
    };
    match begun {
        Ok(new) => {
            let values = member.to_scan(new.uri.expose());
            Ok(member.visit.page(StatusCode::OK, "account/authenticator.html", values))
        }
        Err(error) => member.answer_or_ask(PART, waiting, Err(error.into()), context! {}).await,
    }
}

/// Sets the app up with its first code, and shows the recovery codes.
async fn confirm(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let uri = form.typed("uri").filter(|uri| uri.starts_with(SCHEME)).map(str::to_owned);
    let problem = match member.confirmed(form).await {
        Ok(codes) => return Ok(shown_once(&member, &codes, true)),
        Err(problem) => problem,
    };
    let Some(uri) = uri.filter(|_| !is_missing(&problem) && problem.code() != Code::NotFound) else {
        return member.answer_or_ask(PART, Waiting::default(), Err(problem), context! {}).await;
    };
    let visit = &member.visit;
    let view = if problem.code() == Code::CodeInvalid {
        Some(ErrorView::of_field("code", visit.language().text("authenticator.wrong")))
    } else {
        visit.error_view(&problem).map(|view| of_app(visit, view))
    };
    let Some(view) = view else { return Err(problem) };
    let values = context! { ..view.values(), ..member.to_scan(&uri) };
    Ok(with_headers(visit.page(view.status, "account/authenticator.html", values), &problem))
}

async fn remove(member: Member, form: MemberForm) -> Result<Response, Problem> {
    let waiting = Waiting::sent_to("/account/authenticator/remove", &form);
    let outcome = member.without_authenticator(form).await;
    member.answer_or_ask(PART, waiting, outcome, context! {}).await
}

/// The secret of an address for authenticator apps, in groups of four.
fn grouped_secret(uri: &str) -> String {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let secret = query.split('&').find_map(|pair| pair.strip_prefix("secret=")).unwrap_or_default();
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

impl Member {
    fn to_scan(&self, uri: &str) -> Value {
        context! {
            uri, qr => qr_code::svg(uri), secret => grouped_secret(uri), member => true,
            admin => self.who.is_admin(), initials => self.initials(), must_enrol => self.who.must_enrol,
        }
    }

    async fn confirmed(&self, form: MemberForm) -> Result<Vec<RecoveryCode>, Problem> {
        let code = fields::totp_code(&form.accepted()?.take("code").unwrap_or_default())?;
        Ok(self.visit.accounts.confirm_authenticator(&self.who, &code, &self.visit.client).await?)
    }

    async fn without_authenticator(&self, form: MemberForm) -> Result<&'static str, Problem> {
        drop(form.accepted()?);
        match self.visit.accounts.remove_authenticator(&self.who, &self.visit.client).await {
            // What is gone already is gone, as was asked.
            Ok(()) | Err(FactorError::NotFound) => Ok("authenticator_removed"),
            Err(error) => Err(error.into()),
        }
    }
}
