//! `/admin/clients/{id}`: one application, its registration and its secrets.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use minijinja::{Value, context};
use vestibule::{
    Actor, Application, ApplicationId, ApplicationKind, ClaimPath, RedirectUri, RegisteredApplication, Secret,
};

use super::clients::{CLAIMS, LISTS, registration_of};
use super::section::Admin;
use crate::api::admin::client::Registration;
use crate::app::App;
use crate::catalogue::Code;
use crate::pages::account::step_up::{is_missing, prove_first};
use crate::pages::frame::error_view::with_headers;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::see_other;
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/admin/clients/{id}", get(show))
        .route("/admin/clients/{id}/registration", get(back).post(change))
        .route("/admin/clients/{id}/secret", get(back).post(rotate_secret))
        .route("/admin/clients/{id}/old-secret", get(back).post(drop_old_secret))
        .route("/admin/clients/{id}/remove", get(back).post(remove))
}

/// Who arrives here with a link, or after a step-up, finds the page of the application.
async fn back(one: OneClient) -> Response {
    see_other(&one.path())
}

/// The application that the path names, for an administrator.
struct OneClient {
    admin: Admin,
    id: ApplicationId,
}

impl FromRequestParts<App> for OneClient {
    type Rejection = Response;

    /// The administrator is checked before anything is looked up: others learn nothing about ids.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let admin = Admin::from_request_parts(parts, app).await?;
        let id = parts.uri.path().split('/').nth(3).and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| Problem::new(Code::NotFound).into_response())?;
        Ok(Self { admin, id })
    }
}

async fn show(one: OneClient, uri: Uri) -> Result<Response, Problem> {
    one.page(StatusCode::OK, context! { said => query(&uri).take("said") }).await
}

async fn change(one: OneClient, form: MemberForm) -> Result<Response, Problem> {
    let typed = registration_of(&form);
    match one.changed(form).await {
        Ok(()) => Ok(one.said("saved")),
        Err(problem) => one.refused("registration", typed, problem).await,
    }
}

/// The answer shows the secret, so that no address shows it again.
async fn rotate_secret(one: OneClient, form: MemberForm) -> Result<Response, Problem> {
    match one.rotated(form).await {
        Ok((client, secret)) => Ok(one.admin.secret(&client, &secret)),
        Err(problem) => one.refused("secret", Value::UNDEFINED, problem).await,
    }
}

async fn drop_old_secret(one: OneClient, form: MemberForm) -> Result<Response, Problem> {
    match one.dropped(form).await {
        Ok(()) => Ok(one.said("dropped")),
        Err(problem) => one.refused("old-secret", Value::UNDEFINED, problem).await,
    }
}

async fn remove(one: OneClient, form: MemberForm) -> Result<Response, Problem> {
    match one.removed(form).await {
        Ok(()) => Ok(see_other("/admin/clients?said=removed")),
        Err(problem) => one.refused("remove", Value::UNDEFINED, problem).await,
    }
}

impl OneClient {
    fn path(&self) -> String {
        format!("/admin/clients/{}", self.id)
    }

    fn said(&self, what: &str) -> Response {
        see_other(&format!("{}?said={what}", self.path()))
    }

    /// The page as the application is now; `values` describe what has just happened in one of its parts.
    async fn page(&self, status: StatusCode, values: Value) -> Result<Response, Problem> {
        let visit = self.admin.visit();
        let client = visit.accounts.find_application(self.admin.actor(), &self.id).await?;
        let page = context! {
            client => shown(&client), own_email => self.admin.0.who.account.email.as_str(),
            proof => self.admin.proof(&self.path()).await?,
        };
        Ok(visit.page(
            status,
            "admin/client.html",
            self.admin.framed("clients", context! { ..values, ..page }),
        ))
    }

    /// The page again with the error in this part of it; or first the page that asks for a proof.
    async fn refused(&self, part: &str, typed: Value, problem: Problem) -> Result<Response, Problem> {
        if is_missing(&problem) {
            return Ok(prove_first(&self.admin.0, &format!("{}#{part}", self.path())));
        }
        let no_page = matches!(problem.code(), Code::NotFound | Code::Forbidden);
        let view = self.admin.visit().error_view(&problem).filter(|_| !no_page);
        let Some(view) = view else { return Err(problem) };
        let values = context! { part, typed, ..view.values() };
        Ok(with_headers(self.page(view.status, values).await?, &problem))
    }

    async fn changed(&self, form: MemberForm) -> Result<(), Problem> {
        let mut form = form.accepted()?;
        let (own_password, visit) = (form.take("own_password"), self.admin.visit());
        let registration: Registration = form.read_with_lists(&LISTS, CLAIMS, visit.accounts.policy())?;
        let proven = self.admin.prove(own_password).await?;
        let actor = Actor::User(&proven, &visit.client);
        let found = visit.accounts.find_application(actor, &self.id).await?;
        // The form does not have them.
        let keys = found.application.keys;
        let changed = Application { keys, ..registration.of(self.id.clone(), found.application.kind) };
        Ok(visit.accounts.update_application(actor, changed).await?)
    }

    async fn rotated(&self, form: MemberForm) -> Result<(RegisteredApplication, Secret), Problem> {
        let mut form = form.accepted()?;
        let (proven, visit) = (self.admin.prove(form.take("own_password")).await?, self.admin.visit());
        let actor = Actor::User(&proven, &visit.client);
        let secret = visit.accounts.rotate_application_secret(actor, &self.id).await?;
        Ok((visit.accounts.find_application(actor, &self.id).await?, secret))
    }

    async fn dropped(&self, form: MemberForm) -> Result<(), Problem> {
        let mut form = form.accepted()?;
        let (proven, visit) = (self.admin.prove(form.take("own_password")).await?, self.admin.visit());
        let actor = Actor::User(&proven, &visit.client);
        Ok(visit.accounts.drop_old_application_secret(actor, &self.id).await?)
    }

    async fn removed(&self, form: MemberForm) -> Result<(), Problem> {
        let mut form = form.accepted()?;
        let (proven, visit) = (self.admin.prove(form.take("own_password")).await?, self.admin.visit());
        let actor = Actor::User(&proven, &visit.client);
        Ok(visit.accounts.remove_application(actor, &self.id).await?)
    }
}

fn shown(client: &RegisteredApplication) -> Value {
    let RegisteredApplication { application, times, secrets } = client;
    let lines = |uris: &[RedirectUri]| uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join("\n");
    let names = |scopes: &vestibule::Scopes| scopes.names().collect::<Vec<_>>().join("\n");
    context! {
        id => application.id.as_str(),
        name => application.name.as_str(),
        kind => application.kind.name(),
        has_secrets => application.kind == ApplicationKind::Confidential,
        redirect_uris => lines(&application.redirect_uris),
        post_logout_redirect_uris => lines(&application.post_logout_redirect_uris),
        logout_uri => application.logout_uri.as_deref().unwrap_or_default(),
        resources => application.resources.join("\n"),
        scopes => names(&application.scopes),
        machine_scopes => names(&application.machine_scopes),
        consent => application.consent.name(),
        claims => application.claims.all().map(as_line).collect::<Vec<_>>().join("\n"),
        keys => application.keys.jwks().as_ref().map(key_lines).unwrap_or_default(),
        secrets,
        created_at => times.map(|times| times.0.to_string()),
        updated_at => times.map(|times| times.1.to_string()),
    }
}

/// The name of each key, where it has one, and what it signs with.
fn key_lines(jwks: &serde_json::Value) -> String {
    let keys = jwks["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let line = |key: &serde_json::Value| {
        format!("{} {}", text(&key["alg"]), text(&key["kid"])).trim_end().to_owned()
    };
    keys.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// As the form takes it.
fn as_line(claim: &ClaimPath) -> String {
    format!("{}={}", claim.name(), claim.path())
}
