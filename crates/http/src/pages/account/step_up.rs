//! What happens where a change needs a proof that is only minutes old: the person gives it, and the change goes on.

use axum::http::StatusCode;
use axum::response::Response;
use minijinja::{Value, context};

use super::security::Ways;
use crate::catalogue::Code;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{Member, see_other};
use crate::problem::Problem;

pub(super) const TEMPLATE: &str = "account/verify.html";

/// The forms that are sent on after the proof. What they carry is no secret.
const FORMS: [&str; 6] = [
    "/account/password/remove",
    "/account/passkeys/rename",
    "/account/passkeys/remove",
    "/account/authenticator",
    "/account/authenticator/remove",
    "/account/recovery-codes",
];
/// The fields that those forms have.
const FIELDS: [&str; 2] = ["id", "name"];

/// A form that waits for the proof.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) form: Option<&'static str>,
    fields: Vec<(&'static str, String)>,
}

impl Waiting {
    /// A form that was sent to this path.
    pub(super) fn sent_to(path: &str, form: &MemberForm) -> Self {
        Self::read(path, |name| form.typed(name))
    }

    /// The one that the form of the proof carries.
    pub(super) fn carried_by(form: &MemberForm) -> Self {
        Self::read(form.typed("then").unwrap_or_default(), |name| form.typed(name))
    }

    fn read<'a>(path: &str, value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let form = FORMS.into_iter().find(|form| *form == path);
        let fields = FIELDS.into_iter().filter_map(|name| Some((name, value(name)?.to_owned())));
        Self { fields: if form.is_some() { fields.collect() } else { Vec::new() }, form }
    }

    fn shown(&self) -> Value {
        let fields: Vec<Value> = self
            .fields
            .iter()
            .map(|(name, value)| context! { name => *name, value => value.as_str() })
            .collect();
        context! { then => self.form, fields }
    }
}

/// Whether a problem is that the proof is missing.
pub(crate) fn is_missing(problem: &Problem) -> bool {
    problem.code() == Code::ReauthenticationRequired
}

/// The page that asks for a proof and leads back to one of our pages.
pub(crate) fn prove_first(member: &Member, back: &str) -> Response {
    let to = [("return_to", member.visit.site.base.on_host(back))];
    see_other(&format!("/account/verify?{}", serde_urlencoded::to_string(to).unwrap_or_default()))
}

impl Member {
    /// What the page of the proof shows: never the password where there is a second factor.
    pub(super) async fn to_prove(&self, waiting: &Waiting) -> Result<Value, Problem> {
        let of = Ways::of(self).await?;
        let methods = context! {
            password => !of.has_factor(),
            totp => of.has_authenticator(),
            passkey => of.has_passkey(),
            recovery_code => of.has_factor() && of.ways.recovery_codes_left > 0,
        };
        Ok(context! {
            methods, email => self.who.account.email.as_str(), member => true, admin => self.who.is_admin(),
            initials => self.initials(),
            must_enrol => self.who.must_enrol, ..waiting.shown()
        })
    }

    /// The answer to a form in a part of the account page; where only the proof is missing, the page that asks for it and
    /// then sends the form on.
    pub(super) async fn answer_or_ask(
        self,
        part: &str,
        waiting: Waiting,
        outcome: Result<&'static str, Problem>,
        typed: Value,
    ) -> Result<Response, Problem> {
        match outcome {
            Err(problem) if is_missing(&problem) => self.ask(part, &waiting).await,
            outcome => self.answer(part, outcome, typed).await,
        }
    }

    /// The page that asks for the proof.
    pub(super) async fn ask(self, part: &str, waiting: &Waiting) -> Result<Response, Problem> {
        if waiting.form.is_none() {
            return Ok(prove_first(&self, &format!("/account#{part}")));
        }
        let values = self.to_prove(waiting).await?;
        let back = self.visit.site.base.on_host(&format!("/account#{part}"));
        let visit = self.visit.returning_to_members(Some(&back));
        Ok(visit.page(StatusCode::OK, TEMPLATE, values))
    }
}
