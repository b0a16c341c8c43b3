//! The actions of an administrator on one user. Each calls the operation of the API; a sensitive one asks for a
//! proof of the administrator first (O4): see `proof.rs`.

use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use vestibule::{Actor, Expected, Reason, Roles, SignedIn, UserChange};

use super::user::{One, languages};
use crate::api::account::me::UpdateRequest;
use crate::api::admin::user::ReasonRequest;
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::{Fields, Pairs, ReadFields, fields};
use crate::pages::account::step_up::{is_missing, prove_first};
use crate::pages::frame::error_view::{ErrorView, with_headers};
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route(
            "/admin/users/{id}/disable",
            post(|one: One, form: MemberForm| act(Action::Disable, one, form)),
        )
        .route("/admin/users/{id}/enable", post(|one: One, form: MemberForm| act(Action::Enable, one, form)))
        .route(
            "/admin/users/{id}/reset-link",
            post(|one: One, form: MemberForm| act(Action::Reset, one, form)),
        )
        .route(
            "/admin/users/{id}/sign-out",
            post(|one: One, form: MemberForm| act(Action::SignOut, one, form)),
        )
        .route(
            "/admin/users/{id}/clear-limits",
            post(|one: One, form: MemberForm| act(Action::Clear, one, form)),
        )
        .route("/admin/users/{id}/profile", post(change_profile))
        .route("/admin/users/{id}/roles", post(change_roles))
        .route("/admin/users/{id}/delete", post(delete))
        .route("/admin/users/{id}/ways-in", post(reset_ways_in))
}

/// The actions that take a button, and perhaps a reason.
#[derive(Clone, Copy)]
enum Action {
    Disable,
    Enable,
    Reset,
    SignOut,
    Clear,
}

impl Action {
    /// Its part of the page, which also confirms that it was done.
    fn part(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Reset => "reset",
            Self::SignOut => "sign_out",
            Self::Clear => "clear",
        }
    }
}

/// The part of the page whose form was sent, and what was typed there.
pub(super) struct Part(pub(super) &'static str, pub(super) Value);

impl One {
    /// Redirects to the page, which confirms what was done; or shows the page again, with the error in this part of it.
    pub(super) async fn answer(
        &self,
        part: Part,
        outcome: Result<&'static str, Problem>,
    ) -> Result<Response, Problem> {
        let problem = match outcome {
            Ok(said) => return Ok(see_other(&format!("{}?said={said}", self.path()))),
            Err(problem) if is_missing(&problem) => {
                return Ok(prove_first(&self.admin.0, &format!("{}#{}", self.path(), part.0)));
            }
            Err(problem) => problem,
        };
        // For a deleted user, and for a former administrator, there is no such page.
        let no_page = matches!(problem.code(), Code::NotFound | Code::Forbidden);
        let view = self.admin.visit().error_view(&problem).filter(|_| !no_page);
        let Some(view) = view else { return Err(problem) };
        Ok(with_headers(self.shown_with(part, &view).await?, &problem))
    }

    async fn shown_with(&self, Part(part, typed): Part, view: &ErrorView) -> Result<Response, Problem> {
        // What was typed was meant for another state, which has to be looked at first.
        let typed = (view.code != Code::PreconditionFailed).then_some(typed);
        self.page(view.status, context! { part, typed, ..view.values() }).await
    }

    async fn acted(&self, action: Action, form: MemberForm) -> Result<&'static str, Problem> {
        let (accounts, actor, user) = (&self.admin.visit().accounts, self.admin.actor(), self.named());
        let ReasonRequest { reason } = form.accepted()?.read(accounts.policy())?;
        let reason = reason.as_ref();
        match action {
            Action::Disable => drop(accounts.disable_user(actor, &user, reason).await?),
            Action::Enable => drop(accounts.enable_user(actor, &user, reason).await?),
            Action::Reset => accounts.mail_reset_link(actor, &user, reason).await?,
            Action::SignOut => drop(accounts.end_sessions(actor, &user, reason).await?),
            Action::Clear => drop(accounts.clear_limits(actor, &user, reason).await?),
        }
        Ok(action.part())
    }

    async fn change(
        &self,
        expected: Expected,
        change: UserChange,
        reason: Option<&Reason>,
        who: &SignedIn,
    ) -> Result<(), Problem> {
        let visit = self.admin.visit();
        let actor = Actor::User(who, &visit.client);
        visit.accounts.change_user(actor, &self.named(), &expected, change, reason).await?;
        Ok(())
    }

    async fn profile(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let mut form = form.accepted()?;
        let (expected, reason) = (expected(&mut form), reason(&mut form)?);
        let wish = UpdateRequest::of_form(form, self.admin.visit().accounts.policy())?;
        let UpdateRequest { user_name, display_name, locale } = wish;
        let change = UserChange { roles: None, user_name, display_name, locale };
        self.change(expected, change, reason.as_ref(), &self.admin.0.who).await?;
        Ok("profile")
    }

    async fn roles(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let mut form = form.accepted()?;
        let (expected, own_password) = (expected(&mut form), form.take("own_password"));
        let reason = reason(&mut form)?;
        let RolesForm(roles) = form.read_with_list("roles", self.admin.visit().accounts.policy())?;
        let proven = self.admin.prove(own_password).await?;
        let change = UserChange { roles: Some(roles), ..UserChange::default() };
        self.change(expected, change, reason.as_ref(), &proven).await?;
        Ok("roles")
    }

    /// A reason is needed: it says how the user was recognised.
    async fn ways_in(&self, form: MemberForm) -> Result<&'static str, Problem> {
        let mut form = form.accepted()?;
        let own_password = form.take("own_password");
        let reason = reason(&mut form)?.filter(|reason| !reason.as_str().trim().is_empty());
        let reason = reason.ok_or(FieldError::new("/reason", Code::Required))?;
        let (proven, visit) = (self.admin.prove(own_password).await?, self.admin.visit());
        visit.accounts.reset_ways_in(Actor::User(&proven, &visit.client), &self.named(), &reason).await?;
        Ok("ways_in")
    }

    /// Whether the typed address is the user's.
    async fn is_meant(&self, typed: &str) -> Result<bool, Problem> {
        let account = self.admin.visit().accounts.find_user(self.admin.actor(), &self.named()).await?;
        Ok(fields::email(typed).is_ok_and(|email| email == account.email))
    }

    async fn deleted(&self, mut form: Pairs) -> Result<(), Problem> {
        let (expected, reason) = (expected(&mut form), reason(&mut form)?);
        let (proven, visit) = (self.admin.prove(form.take("own_password")).await?, self.admin.visit());
        let actor = Actor::User(&proven, &visit.client);
        visit.accounts.delete_user(actor, &self.named(), &expected, reason.as_ref()).await?;
        Ok(())
    }
}

/// The state that the form was shown with, like `If-Match` of the API.
fn expected(form: &mut Pairs) -> Expected {
    Expected::OneOf(form.take("revision").into_iter().collect())
}

/// The reason of the action.
fn reason(form: &mut Pairs) -> Result<Option<Reason>, FieldError> {
    form.filled("reason").map(|text| fields::reason(&text)).transpose()
}

/// The complete new set of roles.
struct RolesForm(Roles);

impl ReadFields for RolesForm {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.optional_list("/roles", fields::roles)?.map(Self)
    }
}

async fn act(action: Action, one: One, form: MemberForm) -> Result<Response, Problem> {
    let part = Part(action.part(), context! { reason => form.typed("reason") });
    let outcome = one.acted(action, form).await;
    one.answer(part, outcome).await
}

async fn change_profile(one: One, form: MemberForm) -> Result<Response, Problem> {
    let speaks = languages(form.typed("locale"));
    let part = Part(
        "profile",
        context! {
            display_name => form.typed("display_name"), user_name => form.typed("user_name"), speaks,
            reason => form.typed("reason"), revision => form.typed("revision"),
        },
    );
    let outcome = one.profile(form).await;
    one.answer(part, outcome).await
}

async fn change_roles(one: One, form: MemberForm) -> Result<Response, Problem> {
    let part = Part(
        "roles",
        context! {
            roles => form.typed("roles"), reason => form.typed("reason"), revision => form.typed("revision"),
        },
    );
    let outcome = one.roles(form).await;
    one.answer(part, outcome).await
}

/// Removes the second factors.
async fn reset_ways_in(one: One, form: MemberForm) -> Result<Response, Problem> {
    let part = Part("ways_in", context! { reason => form.typed("reason") });
    let outcome = one.ways_in(form).await;
    one.answer(part, outcome).await
}

/// Deletes the user if the typed address is theirs.
async fn delete(one: One, form: MemberForm) -> Result<Response, Problem> {
    let email = form.typed("email").unwrap_or_default().to_owned();
    let (reason, revision) = (form.typed("reason"), form.typed("revision"));
    let part = Part("delete", context! { email => email.as_str(), reason, revision });
    let mut form = match form.accepted() {
        Ok(form) => form,
        Err(problem) => return one.answer(part, Err(problem)).await,
    };
    drop(form.take("email"));
    if !one.is_meant(&email).await? {
        let text = one.admin.visit().language().text("user.other_email");
        return one.shown_with(part, &ErrorView::of_field("email", text)).await;
    }
    match one.deleted(form).await {
        Ok(()) => Ok(see_other("/admin/users?said=deleted")),
        Err(problem) => one.answer(part, Err(problem)).await,
    }
}
