//! How a client is printed.

use serde_json::{Value, json};
use vestibule::{Application, ClaimPaths, RedirectUri, RegisteredApplication, Secret};

use crate::cli::context::Context;
use crate::cli::terminal::output;
use crate::failure::Failure;

pub(super) fn print(context: &Context, client: &RegisteredApplication) -> Result<(), Failure> {
    if context.json {
        return output::object(as_json(client));
    }
    facts(client).iter().try_for_each(|(name, value)| output::line(&format!("{name:<16}  {value}")))
}

/// With a secret that is shown now and never again.
pub(super) fn print_with_secret(
    context: &Context,
    client: &RegisteredApplication,
    secret: Option<&Secret>,
) -> Result<(), Failure> {
    let Some(secret) = secret else { return print(context, client) };
    if context.json {
        let mut object = as_json(client);
        object["secret"] = secret.expose().into();
        return output::object(object);
    }
    print(context, client)?;
    output::line(&format!("{:<16}  {}", "secret", secret.expose()))?;
    eprintln!("The secret is shown once: give it to the application now, and keep it nowhere else.");
    Ok(())
}

/// A line of the list.
pub(super) fn row(client: &RegisteredApplication) -> [String; 5] {
    let Application { id, name, kind, redirect_uris, .. } = &client.application;
    let more = redirect_uris.len().saturating_sub(1);
    let to = match redirect_uris.first() {
        None => "-".to_owned(),
        Some(first) if more == 0 => first.to_string(),
        Some(first) => format!("{first} (+{more})"),
    };
    [id.to_string(), name.clone(), kind.name().to_owned(), source(client).to_owned(), to]
}

fn source(client: &RegisteredApplication) -> &'static str {
    if client.times.is_some() { "database" } else { "settings" }
}

fn facts(client: &RegisteredApplication) -> Vec<(&'static str, String)> {
    let RegisteredApplication { application, times, secrets } = client;
    let text = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let uris =
        |uris: &[RedirectUri]| text(uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>().join(" "));
    let time = |of: fn(&(vestibule::Timestamp, vestibule::Timestamp)) -> vestibule::Timestamp| {
        times.as_ref().map_or_else(|| "-".to_owned(), |times| of(times).to_string())
    };
    vec![
        ("client_id", application.id.to_string()),
        ("name", application.name.clone()),
        ("kind", application.kind.name().to_owned()),
        ("registered in", source(client).to_owned()),
        ("redirects to", uris(&application.redirect_uris)),
        ("after sign-out", uris(&application.post_logout_redirect_uris)),
        ("logout address", text(application.logout_uri.clone().unwrap_or_default())),
        ("resources", text(application.resources.join(" "))),
        ("scopes", text(application.scopes.to_string())),
        ("machine scopes", text(application.machine_scopes.to_string())),
        ("consent", application.consent.name().to_owned()),
        ("claims", text(claims(&application.claims))),
        ("keys", application.keys.len().to_string()),
        ("secrets", secrets.to_string()),
        ("created", time(|times| times.0)),
        ("updated", time(|times| times.1)),
    ]
}

fn claims(claims: &ClaimPaths) -> String {
    let all: Vec<_> = claims.all().map(|claim| format!("{}={}", claim.name(), claim.path())).collect();
    all.join(" ")
}

pub(super) fn as_json(client: &RegisteredApplication) -> Value {
    let RegisteredApplication { application, times, secrets } = client;
    json!({
        "id": application.id,
        "name": application.name,
        "kind": application.kind.name(),
        "source": source(client),
        "redirect_uris": application.redirect_uris,
        "post_logout_redirect_uris": application.post_logout_redirect_uris,
        "logout_uri": application.logout_uri,
        "resources": application.resources,
        "scopes": application.scopes.names().collect::<Vec<_>>(),
        "machine_scopes": application.machine_scopes.names().collect::<Vec<_>>(),
        "consent": application.consent.name(),
        "claims": application.claims,
        "jwks": application.keys.jwks(),
        "secrets": secrets,
        "created_at": times.map(|times| times.0),
        "updated_at": times.map(|times| times.1),
    })
}
