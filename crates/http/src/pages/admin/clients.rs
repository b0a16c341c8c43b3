//! `/admin/clients`: the applications that sign people in here, and registering a new one.

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{Actor, ApplicationKind, Consent, RedirectUri, RegisteredApplication, Secret};

use super::section::{Admin, Asked};
use crate::api::admin::client::NewClient;
use crate::app::App;
use crate::pages::account::step_up::{is_missing, prove_first};
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;

const LIST: &str = "/admin/clients";
/// The form: not below the path of the list, where `new` is an id like any other.
const PATH: &str = "/admin/new-client";
const FORM: &str = "admin/new_client.html";
/// The fields of a registration that are lists, as the API has them.
pub(super) const LISTS: [&str; 5] =
    ["redirect_uris", "post_logout_redirect_uris", "resources", "scopes", "machine_scopes"];

/// The field that is an object: a line for each claim.
pub(super) const CLAIMS: &str = "claims";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(LIST, get(list)).route(PATH, get(form).post(register))
}

async fn list(admin: Admin, uri: axum::http::Uri) -> Result<Response, Problem> {
    let found = admin.visit().accounts.list_applications(admin.actor()).await?;
    let clients: Vec<Value> = found.iter().map(row).collect();
    Ok(admin.page("clients", "admin/clients.html", context! { clients, said => Asked::of(&uri).said }))
}

fn row(client: &RegisteredApplication) -> Value {
    let RegisteredApplication { application, times, .. } = client;
    let first = application.redirect_uris.first();
    context! {
        id => application.id.as_str(), name => application.name.as_str(), kind => application.kind.name(),
        in_settings => times.is_none(), to => first.map(RedirectUri::destination),
        more => application.redirect_uris.len().saturating_sub(1),
    }
}

async fn form(admin: Admin) -> Result<Response, Problem> {
    let typed = context! { kind => ApplicationKind::Confidential.name(), consent => Consent::Ask.name() };
    let values = context! { typed, ..admin.of_form().await? };
    Ok(admin.page("clients", FORM, values))
}

/// The answer shows the secret, so that no address shows it again.
async fn register(admin: Admin, form: MemberForm) -> Result<Response, Problem> {
    let typed = context! { id => form.typed("id"), kind => form.typed("kind"), ..registration_of(&form) };
    match admin.registered(form).await {
        Ok((client, Some(secret))) => Ok(admin.secret(&client, &secret)),
        Ok((client, None)) => Ok(see_other(&format!("{LIST}/{}?said=registered", client.application.id))),
        Err(problem) if is_missing(&problem) => Ok(prove_first(&admin.0, PATH)),
        Err(problem) => {
            let values = context! { typed, ..admin.of_form().await? };
            admin.refused(problem, "clients", FORM, values)
        }
    }
}

/// What was typed of a registration, to show it again.
pub(super) fn registration_of(form: &MemberForm) -> Value {
    let typed = |name: &str| form.typed(name).unwrap_or_default().to_owned();
    context! {
        name => typed("name"), redirect_uris => typed("redirect_uris"),
        post_logout_redirect_uris => typed("post_logout_redirect_uris"), logout_uri => typed("logout_uri"),
        resources => typed("resources"), scopes => typed("scopes"), machine_scopes => typed("machine_scopes"),
        consent => typed("consent"), claims => typed(CLAIMS),
    }
}

impl Admin {
    /// What every form of these pages needs.
    async fn of_form(&self) -> Result<Value, Problem> {
        Ok(context! { proof => self.proof(PATH).await?, own_email => self.0.who.account.email.as_str() })
    }

    async fn registered(&self, form: MemberForm) -> Result<(RegisteredApplication, Option<Secret>), Problem> {
        let mut form = form.accepted()?;
        let (own_password, visit) = (form.take("own_password"), self.visit());
        let new: NewClient = form.read_with_lists(&LISTS, CLAIMS, visit.accounts.policy())?;
        let proven = self.prove(own_password).await?;
        let actor = Actor::User(&proven, &visit.client);
        let id = new.id.clone();
        let secret = visit.accounts.create_application(actor, new.application()).await?;
        Ok((visit.accounts.find_application(actor, &id).await?, secret))
    }

    /// The page with a secret, which is the answer to a form.
    pub(super) fn secret(&self, client: &RegisteredApplication, secret: &Secret) -> Response {
        let values = context! {
            id => client.application.id.as_str(), name => client.application.name.as_str(),
            secret => secret.expose(), works => client.secrets,
        };
        self.visit().page(StatusCode::OK, "admin/client_secret.html", self.framed("clients", values))
    }
}
