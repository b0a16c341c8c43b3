//! `vestibule client add`, `update` and `rotate-secret`.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use vestibule::{
    Accounts, Actor, Application, ApplicationId, ApplicationKeys, ApplicationKind, ClaimPaths, Consent,
    RedirectUri, RegisteredApplication, Scopes,
};

use super::shown::{print, print_with_secret};
use crate::cli::context::Context;
use crate::failure::Failure;

/// A new client.
#[derive(Clone, Debug, Args)]
pub(crate) struct Add {
    /// The `client_id`: 2 to 64 of a-z, 0-9, `-`, `_` and `.`
    id: ApplicationId,
    /// What people call it
    #[arg(long)]
    name: String,
    /// It cannot keep a secret: a page in the browser, an app, a program that people install
    #[arg(long)]
    public: bool,
    #[command(flatten)]
    lists: Lists,
}

/// What changes about a client; the rest stays.
#[derive(Clone, Debug, Args)]
pub(crate) struct Update {
    /// The `client_id`
    id: ApplicationId,
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    lists: Lists,
}

/// The parts of a registration that both commands take.
#[derive(Clone, Debug, Args)]
struct Lists {
    /// Where answers may go; can be repeated
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Option<Vec<Entry<RedirectUri>>>,
    /// Where people may be sent after signing out; can be repeated
    #[arg(long = "post-logout-redirect-uri", value_name = "URI")]
    post_logout_redirect_uris: Option<Vec<Entry<RedirectUri>>>,
    /// Where it is told that a session with it has ended (back-channel logout)
    #[arg(long, value_name = "URL")]
    logout_uri: Option<Entry<String>>,
    /// A resource that its tokens may be for, as an https address; can be repeated
    #[arg(long = "resource", value_name = "URL")]
    resources: Option<Vec<Entry<String>>>,
    /// What it may ask users for beside openid, profile, email and `offline_access`; can be repeated
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Option<Vec<Entry<Scopes>>>,
    /// What it may do for itself, without a user (`client_credentials`); can be repeated
    #[arg(long = "machine-scope", value_name = "NAME")]
    machine_scopes: Option<Vec<Entry<Scopes>>>,
    /// Whether users are asked what it may see [default: ask]
    #[arg(long)]
    consent: Option<Asking>,
    /// What its tokens about users say beyond their own claims, as `plan=app.plan`; can be repeated
    #[arg(long = "claim", value_name = "NAME=PLACE")]
    claims: Option<Vec<Entry<Claim>>>,
    /// A JWK Set with the public keys that it signs assertions for (`private_key_jwt`); a new client with keys gets no secret
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<Entry<PathBuf>>,
}

/// Whether users are asked.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Asking {
    /// The first time, and whenever it wants more
    Ask,
    /// It belongs to the owner of this service
    Never,
}

/// A claim and the place of its value.
#[derive(Clone, Debug)]
struct Claim {
    name: String,
    path: String,
}

impl FromStr for Claim {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, path) = text.split_once('=').ok_or("write it as plan=app.plan")?;
        let claim = ClaimPaths::new([(name, path)]);
        claim
            .map(|_| Self { name: name.to_owned(), path: path.to_owned() })
            .map_err(|error| error.to_string())
    }
}

/// An entry of a list; an empty text is none, so that a list can be emptied.
#[derive(Clone, Debug)]
struct Entry<T>(Option<T>);

impl<T: FromStr> FromStr for Entry<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text.is_empty() { Ok(Self(None)) } else { text.parse().map(Some).map(Self) }
    }
}

/// The entries, if the list was named.
fn replace<T>(list: &mut Vec<T>, named: Option<Vec<Entry<T>>>) {
    if let Some(named) = named {
        *list = named.into_iter().filter_map(|entry| entry.0).collect();
    }
}

fn replace_scopes(scopes: &mut Scopes, named: Option<Vec<Entry<Scopes>>>) -> Result<(), Failure> {
    let Some(named) = named else { return Ok(()) };
    let texts: Vec<String> = named.into_iter().filter_map(|entry| entry.0).map(String::from).collect();
    *scopes =
        texts.join(" ").parse().map_err(|error: vestibule::ScopesError| Failure::usage(error.to_string()))?;
    Ok(())
}

fn replace_claims(claims: &mut ClaimPaths, named: Option<Vec<Entry<Claim>>>) -> Result<(), Failure> {
    let Some(named) = named else { return Ok(()) };
    let named: Vec<Claim> = named.into_iter().filter_map(|entry| entry.0).collect();
    let pairs = named.iter().map(|claim| (claim.name.as_str(), claim.path.as_str()));
    *claims = ClaimPaths::new(pairs).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(())
}

fn keys_in(path: &Path) -> Result<ApplicationKeys, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("--jwks-file: cannot read {shown}: {error}")))?;
    ApplicationKeys::new(&text).map_err(|error| Failure::usage(format!("--jwks-file: {shown} {error}")))
}

impl Lists {
    fn apply(self, to: &mut Application) -> Result<(), Failure> {
        replace(&mut to.redirect_uris, self.redirect_uris);
        replace(&mut to.post_logout_redirect_uris, self.post_logout_redirect_uris);
        replace(&mut to.resources, self.resources);
        replace_scopes(&mut to.scopes, self.scopes)?;
        replace_scopes(&mut to.machine_scopes, self.machine_scopes)?;
        replace_claims(&mut to.claims, self.claims)?;
        if let Some(Entry(uri)) = self.logout_uri {
            to.logout_uri = uri;
        }
        if let Some(Entry(path)) = self.jwks_file {
            to.keys = path.map_or_else(|| Ok(ApplicationKeys::default()), |path| keys_in(&path))?;
        }
        if let Some(consent) = self.consent {
            to.consent = match consent {
                Asking::Ask => Consent::Ask,
                Asking::Never => Consent::Never,
            };
        }
        Ok(())
    }
}

pub(super) async fn add(context: &Context, accounts: &Accounts, add: Add) -> Result<(), Failure> {
    let mut client = Application {
        id: add.id,
        name: add.name,
        kind: if add.public { ApplicationKind::Public } else { ApplicationKind::Confidential },
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        logout_uri: None,
        resources: Vec::new(),
        scopes: Scopes::default(),
        machine_scopes: Scopes::default(),
        consent: Consent::Ask,
        claims: ClaimPaths::default(),
        keys: ApplicationKeys::default(),
    };
    add.lists.apply(&mut client)?;
    let id = client.id.clone();
    let secret = accounts.create_application(Actor::Operator, client).await?;
    let made = accounts.find_application(Actor::Operator, &id).await?;
    print_with_secret(context, &made, secret.as_ref())
}

pub(super) async fn update(context: &Context, accounts: &Accounts, update: Update) -> Result<(), Failure> {
    let found = accounts.find_application(Actor::Operator, &update.id).await?;
    let RegisteredApplication { application: mut client, .. } = found;
    if let Some(name) = update.name {
        client.name = name;
    }
    update.lists.apply(&mut client)?;
    accounts.update_application(Actor::Operator, client).await?;
    print(context, &accounts.find_application(Actor::Operator, &update.id).await?)
}

pub(super) async fn rotate_secret(
    context: &Context,
    accounts: &Accounts,
    id: &ApplicationId,
) -> Result<(), Failure> {
    let secret = accounts.rotate_application_secret(Actor::Operator, id).await?;
    let client = accounts.find_application(Actor::Operator, id).await?;
    print_with_secret(context, &client, Some(&secret))?;
    if client.secrets > 1 {
        eprintln!(
            "The secret before works until `vestibule client drop-old-secret {id}`, or until the next rotation."
        );
    }
    Ok(())
}
