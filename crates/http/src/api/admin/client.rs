//! A client, as the API shows it and takes it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use vestibule::{
    Application, ApplicationId, ApplicationKeys, ApplicationKind, ClaimPaths, Consent, RedirectUri,
    RegisteredApplication, Scopes, Secret, Timestamp,
};

use crate::catalogue::Code;
use crate::extract::{Fields, ReadFields, fields};
use crate::problem::field_error::{FieldError, below};

/// An application that sends people here to sign in, or gets tokens for itself.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredClient, example = json!({
    "id": "shop", "name": "Example Shop", "kind": "confidential", "source": "database",
    "redirect_uris": ["https://shop.example.org/callback"], "post_logout_redirect_uris": ["https://shop.example.org/"],
    "logout_uri": "https://shop.example.org/logout", "resources": ["https://api.example.org"], "scopes": ["orders:read"],
    "machine_scopes": [], "consent": "ask", "claims": {"plan": "app.plan"}, "jwks": null, "secrets": 1, "created_at": "2026-03-01T09:30:00.000Z",
    "updated_at": "2026-03-01T09:30:00.000Z"
}))]
pub(super) struct ClientShown {
    /// The `client_id`.
    #[schema(value_type = String, pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")]
    id: ApplicationId,
    /// What people call it.
    name: String,
    /// `public`, or `confidential`: it has a secret, or keys.
    #[schema(pattern = "^(public|confidential)$")]
    kind: &'static str,
    /// `database`, or `settings`: it is changed in the settings file.
    #[schema(pattern = "^(database|settings)$")]
    source: &'static str,
    /// Where answers may go.
    #[schema(value_type = Vec<String>)]
    redirect_uris: Vec<RedirectUri>,
    /// Where people may be sent after signing out.
    #[schema(value_type = Vec<String>)]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is told that a session with it has ended (`OpenID` Connect Back-Channel Logout).
    #[schema(required)]
    logout_uri: Option<String>,
    /// The resources its tokens may be for.
    resources: Vec<String>,
    /// What it may ask users for, beside `openid`, `profile`, `email` and `offline_access`.
    scopes: Vec<String>,
    /// What it may do for itself, without a user.
    machine_scopes: Vec<String>,
    /// `ask`, or `never`.
    #[schema(pattern = "^(ask|never)$")]
    consent: &'static str,
    /// What its tokens about users and the user info say beyond their own claims: the name of each, and the place of its value.
    #[schema(value_type = BTreeMap<String, String>)]
    claims: ClaimPaths,
    /// The public keys that it may authenticate with, as a JWK Set (RFC 7517); `null`: there is none.
    #[schema(value_type = Option<Object>, required)]
    jwks: Option<Value>,
    /// How many secrets it may use now.
    #[schema(minimum = 0, maximum = 2)]
    secrets: usize,
    /// `null` for one of the settings.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    created_at: Option<Timestamp>,
    /// `null` for one of the settings.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    updated_at: Option<Timestamp>,
    /// Only in the answer that made it: nothing shows it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    secret: Option<String>,
}

impl From<RegisteredApplication> for ClientShown {
    fn from(registered: RegisteredApplication) -> Self {
        let RegisteredApplication { application, times, secrets } = registered;
        let names = |scopes: &Scopes| scopes.names().map(str::to_owned).collect();
        Self {
            name: application.name,
            kind: application.kind.name(),
            source: if times.is_some() { "database" } else { "settings" },
            redirect_uris: application.redirect_uris,
            post_logout_redirect_uris: application.post_logout_redirect_uris,
            logout_uri: application.logout_uri,
            resources: application.resources,
            scopes: names(&application.scopes),
            machine_scopes: names(&application.machine_scopes),
            consent: application.consent.name(),
            claims: application.claims,
            jwks: application.keys.jwks(),
            secrets,
            created_at: times.map(|times| times.0),
            updated_at: times.map(|times| times.1),
            secret: None,
            id: application.id,
        }
    }
}

impl ClientShown {
    /// With a secret that it has just got.
    pub(super) fn with_secret(registered: RegisteredApplication, secret: Option<&Secret>) -> Self {
        let secret = secret.map(|secret| secret.expose().to_owned());
        Self { secret, ..registered.into() }
    }
}

/// The registration of a client: everything but its id and kind. A list that is left out is empty.
#[derive(ToSchema)]
#[schema(as = UpdateClientRequest, example = json!({
    "name": "Example Shop", "redirect_uris": ["https://shop.example.org/callback"],
    "post_logout_redirect_uris": ["https://shop.example.org/"], "scopes": ["orders:read"], "consent": "ask",
    "claims": {"plan": "app.plan"}
}))]
pub(crate) struct Registration {
    /// What people call it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Where answers may go, compared as they are; `http` on loopback with any port.
    #[schema(value_type = Vec<String>, max_items = 16, required = false)]
    redirect_uris: Vec<RedirectUri>,
    /// Where people may be sent after signing out.
    #[schema(value_type = Vec<String>, max_items = 16, required = false)]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is told that a session with it has ended (`OpenID` Connect Back-Channel Logout).
    #[schema(max_length = 512, required = false, nullable = false)]
    logout_uri: Option<String>,
    /// The resources its tokens may be for (RFC 8707), as absolute addresses.
    #[schema(max_items = 16, required = false)]
    resources: Vec<String>,
    /// What it may ask users for, beside `openid`, `profile`, `email` and `offline_access`.
    #[schema(value_type = Vec<String>, max_items = 32, required = false)]
    scopes: Scopes,
    /// What it may do for itself, without a user (`client_credentials`).
    #[schema(value_type = Vec<String>, max_items = 32, required = false)]
    machine_scopes: Scopes,
    /// Whether users are asked: `ask`, or `never` for an application of your own.
    #[schema(value_type = String, pattern = "^(ask|never)$", required = false)]
    consent: Consent,
    /// What its tokens about users and the user info say beyond their own claims, at most 16: the name of each, and the place of
    /// its value: `app.` leads into the application's data about the user, `data.` into the user's own, `roles` are the roles.
    #[schema(value_type = BTreeMap<String, String>, required = false)]
    claims: ClaimPaths,
    /// The public keys that it may authenticate with (`private_key_jwt`): a JWK Set of 1 to 4 keys, Ed25519 or P-256, of at most 4 KiB.
    /// A confidential client that is registered with keys gets no secret.
    #[schema(value_type = Object, required = false)]
    jwks: ApplicationKeys,
}

impl Registration {
    /// The application with this registration.
    pub(crate) fn of(self, id: ApplicationId, kind: ApplicationKind) -> Application {
        let Self { name, redirect_uris, post_logout_redirect_uris, logout_uri, .. } = self;
        let Self { resources, scopes, machine_scopes, consent, claims, jwks, .. } = self;
        Application {
            id,
            name,
            kind,
            redirect_uris,
            post_logout_redirect_uris,
            logout_uri,
            resources,
            scopes,
            machine_scopes,
            consent,
            claims,
            keys: jwks,
        }
    }
}

impl ReadFields for Registration {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let name = fields.required("/name", fields::any_text);
        let redirect_uris = fields.optional_list("/redirect_uris", uris("/redirect_uris"));
        let after = "/post_logout_redirect_uris";
        let post_logout_redirect_uris = fields.optional_list(after, uris(after));
        let logout_uri = fields.optional("/logout_uri", fields::any_text);
        let resources = fields.optional_list("/resources", |texts| Ok(texts.to_vec()));
        let for_users = fields.optional_list("/scopes", scopes("/scopes"));
        let machine_scopes = fields.optional_list("/machine_scopes", scopes("/machine_scopes"));
        let consent = fields.optional("/consent", consent);
        let claims = fields.optional_texts("/claims", claims);
        let jwks = fields.optional_object("/jwks", jwks);
        Some(Self {
            name: name?,
            redirect_uris: redirect_uris?.unwrap_or_default(),
            post_logout_redirect_uris: post_logout_redirect_uris?.unwrap_or_default(),
            logout_uri: logout_uri?,
            resources: resources?.unwrap_or_default(),
            scopes: for_users?.unwrap_or_default(),
            machine_scopes: machine_scopes?.unwrap_or_default(),
            consent: consent?.unwrap_or(Consent::Ask),
            claims: claims?.unwrap_or_default(),
            jwks: jwks?.unwrap_or_default(),
        })
    }
}

/// A new client. A list that is left out is empty.
#[derive(ToSchema)]
#[schema(as = CreateClientRequest, example = json!({
    "id": "shop", "kind": "confidential", "name": "Example Shop",
    "redirect_uris": ["https://shop.example.org/callback"]
}))]
#[expect(dead_code, reason = "describes what `NewClient` reads")]
pub(super) struct NewClientSchema {
    /// The `client_id`: 2 to 64 of `a-z`, `0-9`, `-`, `_` and `.`.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{1,63}$")]
    id: String,
    /// `public`: it cannot keep a secret, being a page in the browser, an app or a program that people install;
    /// `confidential`: it can, being a server.
    #[schema(pattern = "^(public|confidential)$")]
    kind: String,
    /// What people call it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// Where answers may go, compared as they are; `http` on loopback with any port.
    #[schema(max_items = 16, required = false)]
    redirect_uris: Vec<String>,
    /// Where people may be sent after signing out.
    #[schema(max_items = 16, required = false)]
    post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session with it has ended (`OpenID` Connect Back-Channel Logout).
    #[schema(max_length = 512, required = false, nullable = false)]
    logout_uri: Option<String>,
    /// The resources its tokens may be for (RFC 8707), as absolute addresses.
    #[schema(max_items = 16, required = false)]
    resources: Vec<String>,
    /// What it may ask users for, beside `openid`, `profile`, `email` and `offline_access`.
    #[schema(max_items = 32, required = false)]
    scopes: Vec<String>,
    /// What it may do for itself, without a user (`client_credentials`).
    #[schema(max_items = 32, required = false)]
    machine_scopes: Vec<String>,
    /// Whether users are asked: `ask`, or `never` for an application of your own.
    #[schema(pattern = "^(ask|never)$", required = false)]
    consent: String,
    /// What its tokens about users and the user info say beyond their own claims, at most 16: the name of each, and the place of
    /// its value: `app.` leads into the application's data about the user, `data.` into the user's own, `roles` are the roles.
    #[schema(required = false)]
    claims: BTreeMap<String, String>,
    /// The public keys that it may authenticate with (`private_key_jwt`): a JWK Set of 1 to 4 keys, Ed25519 or P-256, of at most 4 KiB.
    /// A confidential client that is registered with keys gets no secret.
    #[schema(value_type = Object, required = false)]
    jwks: Value,
}

/// A new client.
pub(crate) struct NewClient {
    pub(crate) id: ApplicationId,
    kind: ApplicationKind,
    registration: Registration,
}

impl NewClient {
    pub(crate) fn application(self) -> Application {
        self.registration.of(self.id, self.kind)
    }
}

impl ReadFields for NewClient {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let id = fields
            .required("/id", |text| text.parse().map_err(|_| FieldError::new("/id", Code::ClientIdInvalid)));
        let kind = fields.required("/kind", |text| {
            ApplicationKind::from_name(text).ok_or_else(|| FieldError::new("/kind", Code::ClientKindInvalid))
        });
        let registration = Registration::read(fields);
        Some(Self { id: id?, kind: kind?, registration: registration? })
    }
}

fn uris(pointer: &'static str) -> impl FnOnce(&[String]) -> Result<Vec<RedirectUri>, FieldError> {
    move |texts| {
        let read = |(index, text): (usize, &String)| {
            text.parse().map_err(|error| FieldError::redirect_uri(format!("{pointer}/{index}"), error))
        };
        texts.iter().enumerate().map(read).collect()
    }
}

/// Each item is one name.
fn scopes(pointer: &'static str) -> impl FnOnce(&[String]) -> Result<Scopes, FieldError> {
    move |names| {
        let is_name = |name: &str| !name.is_empty() && !name.contains(' ') && name.parse::<Scopes>().is_ok();
        if let Some(index) = names.iter().position(|name| !is_name(name)) {
            return Err(FieldError::new(format!("{pointer}/{index}"), Code::ScopeInvalid));
        }
        names.join(" ").parse().map_err(|_| FieldError::new(pointer, Code::ScopeInvalid))
    }
}

fn consent(text: &str) -> Result<Consent, FieldError> {
    Consent::from_name(text).ok_or_else(|| FieldError::new("/consent", Code::ConsentInvalid))
}

fn jwks(json: &str) -> Result<ApplicationKeys, FieldError> {
    ApplicationKeys::new(json).map_err(|error| FieldError::application_keys(&error))
}

/// An error points to the claim that it is about.
fn claims(pairs: &[(String, String)]) -> Result<ClaimPaths, FieldError> {
    let pairs = || pairs.iter().map(|(name, path)| (name.as_str(), path.as_str()));
    for (name, path) in pairs() {
        let alone = ClaimPaths::new([(name, path)]);
        alone.map_err(|error| FieldError::claim(below("/claims", name), &error))?;
    }
    ClaimPaths::new(pairs()).map_err(|error| FieldError::claim("/claims".to_owned(), &error))
}
