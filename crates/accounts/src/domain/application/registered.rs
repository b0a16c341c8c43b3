//! An application as it is registered.

use crate::domain::application::id::ApplicationId;
use crate::domain::application::keys::ApplicationKeys;
use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::scope::Scopes;
use crate::domain::profile::claim_paths::ClaimPaths;
use crate::domain::secret::Secret;

/// Whether an application can keep a secret (RFC 6749 §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplicationKind {
    /// It cannot: a browser, a phone, a program that people install. PKCE alone protects its codes.
    Public,
    /// It has a secret, or a private key: a server.
    Confidential,
}

impl ApplicationKind {
    /// The name in settings, API and store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Confidential => "confidential",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Public, Self::Confidential].into_iter().find(|kind| kind.name() == name)
    }
}

/// Whether users are asked what an application may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The first time, and whenever it wants more.
    Ask,
    /// Never: it belongs to the owner of this service.
    Never,
}

impl Consent {
    /// The name in settings, API and store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Never => "never",
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Ask, Self::Never].into_iter().find(|consent| consent.name() == name)
    }
}

/// An application that may send people here to sign in, or get tokens for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its `client_id`.
    pub id: ApplicationId,
    /// What people call it.
    pub name: String,
    /// Whether it has a secret, or keys.
    pub kind: ApplicationKind,
    /// Where answers may go; none: it signs nobody in.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where people may be sent after signing out.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where it is told that a session with it has ended (OpenID Connect Back-Channel Logout); `None`: nowhere.
    pub logout_uri: Option<String>,
    /// The resources its tokens may be for (RFC 8707), as absolute addresses.
    pub resources: Vec<String>,
    /// What it may ask users for, beside `openid`, `profile`, `email` and `offline_access`.
    pub scopes: Scopes,
    /// What it may do for itself, without a user (`client_credentials`); none: it gets no such token.
    pub machine_scopes: Scopes,
    /// Whether users are asked.
    pub consent: Consent,
    /// What its tokens about users and the user info say beyond their own claims.
    pub claims: ClaimPaths,
    /// The public keys that it may authenticate with (RFC 7523); none: it authenticates with a secret alone, if with anything.
    pub keys: ApplicationKeys,
}

/// An application of the settings, with the secrets that it may use: at most two, so that one can be exchanged.
#[derive(Clone, Debug)]
pub struct ConfiguredApplication {
    /// The application.
    pub application: Application,
    /// Its secrets; empty if it is public, or has keys only.
    pub secrets: Vec<Secret>,
}
