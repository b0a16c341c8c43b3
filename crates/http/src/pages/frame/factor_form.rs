//! Second factors and passkeys in the forms of pages. What a browser gives for a passkey comes as JSON in a hidden field,
//! which the script fills.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};
use serde_json::json;
use vestibule::{Factor, PasskeyAssertion, PasskeyCeremony, PasskeyRegistration, SecondFactor};

use super::error_view::{ErrorView, with_headers};
use super::visit::Visit;
use crate::catalogue::Code;
use crate::extract::{Pairs, fields};
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

/// What a browser is to do with a passkey, for the script.
pub(crate) fn ceremony(begun: &PasskeyCeremony) -> Response {
    let PasskeyCeremony { ceremony, public_key, .. } = begun;
    Json(json!({ "ceremony": ceremony.expose(), "public_key": public_key })).into_response()
}

/// A passkey that was used.
pub(crate) fn assertion(form: &mut Pairs) -> Option<PasskeyAssertion> {
    let (ceremony, credential) = form.take("ceremony").zip(form.take("credential"))?;
    PasskeyAssertion::new(&ceremony, &credential).ok()
}

/// A passkey that was made.
pub(crate) fn registration(form: &mut Pairs) -> Option<PasskeyRegistration> {
    let (ceremony, credential) = form.take("ceremony").zip(form.take("credential"))?;
    PasskeyRegistration::new(&ceremony, &credential).ok()
}

/// The id of the credential in a form, if it can be one.
pub(crate) fn credential_id(credential: &str) -> Option<String> {
    let credential: serde_json::Value = serde_json::from_str(credential).ok()?;
    let is_one = |id: &&str| id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    credential.get("id")?.as_str().filter(is_one).map(str::to_owned)
}

/// The second factor of a form, which has the fields of one kind.
pub(crate) fn second_factor(form: &mut Pairs) -> Result<SecondFactor, Problem> {
    if form.value("credential").is_some() {
        return assertion(form).map(SecondFactor::Passkey).ok_or(Problem::new(Code::PasskeyInvalid));
    }
    if let Some(code) = form.take("recovery_code") {
        let code = Some(code).filter(|code| !code.is_empty());
        let code = code.ok_or(FieldError::new("/recovery_code", Code::Required))?;
        return Ok(SecondFactor::RecoveryCode(fields::recovery_code(&code)?));
    }
    Ok(SecondFactor::Code(fields::totp_code(&form.take("code").unwrap_or_default())?))
}

/// What a page offers of these factors.
pub(crate) fn offered(methods: &[Factor]) -> Value {
    let has = |factor: Factor| methods.contains(&factor);
    context! {
        totp => has(Factor::Totp), passkey => has(Factor::Passkey), recovery_code => has(Factor::RecoveryCode),
    }
}

/// The field of a form that a wrong answer was typed into.
#[derive(Clone, Copy)]
pub(crate) struct Typed(Option<&'static str>);

/// What is wrong with a code of an authenticator app: a mailed code has another length.
pub(crate) fn of_app(visit: &Visit, view: ErrorView) -> ErrorView {
    if view.code == Code::CodeMalformed {
        return ErrorView::of_field("code", visit.language().text("factor.digits"));
    }
    view
}

impl Typed {
    pub(crate) fn of(is_sent: impl Fn(&str) -> bool) -> Self {
        Self(["code", "recovery_code", "password"].into_iter().find(|name| is_sent(name)))
    }

    fn view(self, visit: &Visit, problem: &Problem) -> Option<ErrorView> {
        let view = of_app(visit, visit.error_view(problem)?);
        let is_wrong = matches!(problem.code(), Code::SecondFactorInvalid | Code::CodeInvalid);
        Some(match self.0.filter(|_| is_wrong) {
            Some(field) => view.at(field),
            None => view,
        })
    }

    /// The page again, with the error where the answer was typed.
    pub(crate) fn refused(
        self,
        visit: &Visit,
        problem: Problem,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let Some(view) = self.view(visit, &problem) else { return Err(problem) };
        let values = context! { typed_into => self.0, ..context! { ..view.values(), ..values } };
        Ok(with_headers(visit.page(view.status, template, values), &problem))
    }
}
