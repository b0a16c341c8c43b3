//! What an administrator does with one user. Each is the operation of the API; what is dear asks for the
//! administrator's own password before (O4).

use axum::response::Response;
use axum::routing::post;
use minijinja::{Value, context};
use vestibule::{Actor, Expected, Reason, Roles, SignedIn, UserChange};

use super::Admin;
use super::user::{One, languages};
use crate::api::admin_user::ReasonRequest;
use crate::api::me::UpdateRequest;
use crate::catalogue::Code;
use crate::extract::{Fields, MemberForm, Pairs, ReadFields, fields};
use crate::pages::problems::{Told, with_headers};
use crate::pages::visit::see;
use crate::problem::Problem;
use crate::{App, FieldError};

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/admin/users/{id}/disable", post(|one: One, form: MemberForm| act(Act::Disable, one, form)))
        .route("/admin/users/{id}/enable", post(|one: One, form: MemberForm| act(Act::Enable, one, form)))
        .route("/admin/users/{id}/reset-link", post(|one: One, form: MemberForm| act(Act::Reset, one, form)))
        .route("/admin/users/{id}/sign-out", post(|one: One, form: MemberForm| act(Act::SignOut, one, form)))
        .route(
            "/admin/users/{id}/clear-limits",
            post(|one: One, form: MemberForm| act(Act::Clear, one, form)),
        )
        .route("/admin/users/{id}/profile", post(change_profile))
        .route("/admin/users/{id}/roles", post(change_roles))
        .route("/admin/users/{id}/delete", post(delete))
}

impl Admin {
    /// The administrator's own password, given in the form of something dear.
    pub(super) async fn prove(&self, given: Option<String>) -> Result<SignedIn, Problem> {
        let (at, visit) = ("/own_password", self.visit());
        let given = given.filter(|given| !given.is_empty()).ok_or(FieldError::new(at, Code::Required))?;
        let given = fields::given_password(&given)?.possible_at(at)?;
        let proven = visit.accounts.confirm_own_password(&self.0.who, &given, &visit.client).await;
        proven.map_err(|error| Problem::of_change(error, at))
    }
}

/// What takes a button, and perhaps a reason.
#[derive(Clone, Copy)]
enum Act {
    Disable,
    Enable,
    Reset,
    SignOut,
    Clear,
}

impl Act {
    /// Its part of the page, by which the page also says that it was done.
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

/// A part of the page whose form was sent, and what was typed there.
struct Part(&'static str, Value);

impl One {
    /// Back to the page, which says what was done; or the page again, with what is wrong in this part of it.
    async fn answer(&self, part: Part, outcome: Result<&'static str, Problem>) -> Result<Response, Problem> {
        let problem = match outcome {
            Ok(said) => return Ok(see(&format!("{}?said={said}", self.path()))),
            Err(problem) => problem,
        };
        // A user who is gone, and an administrator who is none any more, have no such page.
        let no_page = matches!(problem.code(), Code::NotFound | Code::Forbidden);
        let told = Told::of(&problem, self.admin.visit().language).filter(|_| !no_page);
        let Some(told) = told else { return Err(problem) };
        Ok(with_headers(self.told(part, &told).await?, &problem))
    }

    async fn told(&self, Part(part, typed): Part, told: &Told) -> Result<Response, Problem> {
        // What was typed was meant for another state: now it is to be looked at first.
        let typed = (told.code != Code::PreconditionFailed).then_some(typed);
        self.page(told.status, context! { part, typed, ..told.values() }).await
    }

    async fn acted(&self, act: Act, form: Pairs) -> Result<&'static str, Problem> {
        let (accounts, actor, user) = (&self.admin.visit().accounts, self.admin.actor(), self.named());
        let ReasonRequest { reason } = form.read(accounts.policy())?;
        let reason = reason.as_ref();
        match act {
            Act::Disable => drop(accounts.disable_user(actor, &user, reason).await?),
            Act::Enable => drop(accounts.enable_user(actor, &user, reason).await?),
            Act::Reset => accounts.mail_reset_link(actor, &user, reason).await?,
            Act::SignOut => drop(accounts.end_sessions(actor, &user, reason).await?),
            Act::Clear => drop(accounts.clear_limits(actor, &user, reason).await?),
        }
        Ok(act.part())
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

    async fn profile(&self, mut form: Pairs) -> Result<&'static str, Problem> {
        let (expected, reason) = (expected(&mut form), reason(&mut form)?);
        let UpdateRequest { user_name, locale } = form.read(self.admin.visit().accounts.policy())?;
        let change = UserChange { roles: None, user_name, locale };
        self.change(expected, change, reason.as_ref(), &self.admin.0.who).await?;
        Ok("profile")
    }

    async fn roles(&self, mut form: Pairs) -> Result<&'static str, Problem> {
        let (expected, own_password) = (expected(&mut form), form.take("own_password"));
        let reason = reason(&mut form)?;
        let RolesForm(roles) = form.read_with_list("roles", self.admin.visit().accounts.policy())?;
        let proven = self.admin.prove(own_password).await?;
        let change = UserChange { roles: Some(roles), ..UserChange::default() };
        self.change(expected, change, reason.as_ref(), &proven).await?;
        Ok("roles")
    }

    /// Whether the address that was typed is the user's.
    async fn is_meant(&self, typed: &str) -> Result<bool, Problem> {
        let account = self.admin.visit().accounts.find_user(self.admin.actor(), &self.named()).await?;
        Ok(fields::email(typed.trim()).is_ok_and(|email| email == account.email))
    }

    async fn deleted(&self, mut form: Pairs) -> Result<(), Problem> {
        let (expected, reason) = (expected(&mut form), reason(&mut form)?);
        let (proven, visit) = (self.admin.prove(form.take("own_password")).await?, self.admin.visit());
        let actor = Actor::User(&proven, &visit.client);
        visit.accounts.delete_user(actor, &self.named(), &expected, reason.as_ref()).await?;
        Ok(())
    }
}

/// The state that the form was shown with, as `If-Match` is to the API.
fn expected(form: &mut Pairs) -> Expected {
    Expected::OneOf(form.take("revision").into_iter().collect())
}

/// Why it is done.
fn reason(form: &mut Pairs) -> Result<Option<Reason>, FieldError> {
    form.filled("reason").map(|text| fields::reason(&text)).transpose()
}

/// All the roles from now on.
struct RolesForm(Roles);

impl ReadFields for RolesForm {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        fields.optional_list("/roles", fields::roles)?.map(Self)
    }
}

async fn act(act: Act, one: One, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    let part = Part(act.part(), context! { reason => form.value("reason") });
    let outcome = one.acted(act, form).await;
    one.answer(part, outcome).await
}

async fn change_profile(one: One, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    let speaks = languages(form.value("locale"));
    let part = Part(
        "profile",
        context! { user_name => form.value("user_name"), speaks, reason => form.value("reason") },
    );
    let outcome = one.profile(form).await;
    one.answer(part, outcome).await
}

async fn change_roles(one: One, MemberForm(form): MemberForm) -> Result<Response, Problem> {
    let part = Part("roles", context! { roles => form.value("roles"), reason => form.value("reason") });
    let outcome = one.roles(form).await;
    one.answer(part, outcome).await
}

/// Deletes the user whose address was typed.
async fn delete(one: One, MemberForm(mut form): MemberForm) -> Result<Response, Problem> {
    let email = form.take("email").unwrap_or_default();
    let part = Part("delete", context! { email => email.as_str(), reason => form.value("reason") });
    if !one.is_meant(&email).await? {
        let text = one.admin.visit().language.text("user.other_email");
        return one.told(part, &Told::of_field("email", text)).await;
    }
    match one.deleted(form).await {
        Ok(()) => Ok(see("/admin/users?said=deleted")),
        Err(problem) => one.answer(part, Err(problem)).await,
    }
}
