//! What a registration of an application must satisfy.

use crate::domain::application::redirect_uri::{RedirectUri, RedirectUriError};
use crate::domain::application::registered::{Application, ApplicationKind, Consent};
use crate::domain::application::scope::{APP_DATA, OF_USERS};
use crate::domain::visible::is_visible;
use url::Url;

const NAME_CODE_POINTS_MAX: usize = 64;
/// Addresses of one kind.
const URIS_MAX: usize = 16;
const CLAIMS_MAX: usize = 16;

/// Why an application is not registered like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplicationInvalid {
    /// The name is empty, longer than 64 characters, or has some that nobody sees.
    #[error("`name` is 1 to 64 visible characters")]
    Name,
    /// An address for answers is not accepted.
    #[error("`redirect_uris`: {uri} {error}")]
    RedirectUri {
        /// The address.
        uri: String,
        /// What is wrong with it.
        error: RedirectUriError,
    },
    /// There are more than 16 addresses of a kind.
    #[error("`{0}` has more than 16 entries")]
    TooMany(&'static str),
    /// A resource is no absolute `https` address without a fragment.
    #[error("`resources`: {0} is not an absolute https address without a fragment")]
    Resource(String),
    /// The address of the back-channel logout is no `https` address without a fragment.
    #[error("`logout_uri` is not an absolute https address without a fragment")]
    LogoutUri,
    /// A scope of the service itself does not have to be listed.
    #[error("`scopes`: {0} belongs to every application")]
    Scope(String),
    /// No user can give what an application keeps here for itself.
    #[error("`scopes`: {0} can only be had without a user")]
    MachineOnly(&'static str),
    /// It looks like several: scopes are separated by blanks wherever they are written (RFC 6749 §3.3).
    #[error("`{list}`: {name} has a comma")]
    ScopeComma {
        /// Which list it is in.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// A public application gets no token for itself.
    #[error("`machine_scopes` need a confidential client")]
    MachineNeedsSecret,
    /// Machines cannot have what only a user can give.
    #[error("`machine_scopes`: {0} can only be granted by a user")]
    MachineScope(String),
    /// A public application on a device cannot skip the question (RFC 8252 §8.6).
    #[error("`consent` is always `ask` for a public client with loopback or custom-scheme addresses")]
    ConsentNeeded,
    /// There are more than 16 claims.
    #[error("`claims` has more than 16 entries")]
    Claims,
    /// A public application cannot keep a private key.
    #[error("`jwks` needs a confidential client")]
    KeysNeedConfidential,
    /// Without its keys it could not authenticate.
    #[error("`jwks` is all that the client has to authenticate with")]
    KeysNeeded,
    /// It can neither sign anybody in nor get a token for itself.
    #[error("needs `redirect_uris`, or `machine_scopes`")]
    Useless,
}

impl ApplicationInvalid {
    /// What to do about it.
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Name => "write what people call it, e.g. \"Example Shop\"",
            Self::RedirectUri { .. } => {
                "write the whole address as the application sends it, e.g. https://app.example.org/callback"
            }
            Self::TooMany(_) | Self::Claims => "leave out those that are not used",
            Self::Resource(_) => {
                "write the address that the service is known by, e.g. https://api.example.org"
            }
            Self::LogoutUri => {
                "write the address that the service listens on, e.g. https://app.example.org/logout"
            }
            Self::Scope(_) => {
                "leave it out: every application may ask for openid, profile, email and offline_access"
            }
            Self::ScopeComma { .. } => "name each scope by itself, as an entry of the list",
            Self::MachineOnly(_) => "name it under machine_scopes",
            Self::MachineNeedsSecret => "give the client a secret or keys, or leave machine_scopes out",
            Self::MachineScope(_) => {
                "leave it out: only a user can grant openid, profile, email and offline_access"
            }
            Self::ConsentNeeded => {
                "set consent to ask: another program on the device could claim the address"
            }
            Self::KeysNeedConfidential => "leave jwks out: a public client is known by its name alone",
            Self::KeysNeeded => "give it a secret first, or replace the keys by others",
            Self::Useless => {
                "say where its answers go (redirect_uris), or what it may do for itself (machine_scopes)"
            }
        }
    }
}

impl Application {
    /// Checks everything that a field alone does not show.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), ApplicationInvalid> {
        let letters = self.name.chars().count();
        let is_seen = self.name.chars().all(|c| is_visible(c) || c == ' ') && self.name.trim() == self.name;
        if !(1..=NAME_CODE_POINTS_MAX).contains(&letters) || !is_seen {
            return Err(ApplicationInvalid::Name);
        }
        let lists: [(&'static str, usize); 3] = [
            ("redirect_uris", self.redirect_uris.len()),
            ("post_logout_redirect_uris", self.post_logout_redirect_uris.len()),
            ("resources", self.resources.len()),
        ];
        if let Some((list, _)) = lists.into_iter().find(|(_, length)| *length > URIS_MAX) {
            return Err(ApplicationInvalid::TooMany(list));
        }
        if self.claims.len() > CLAIMS_MAX {
            return Err(ApplicationInvalid::Claims);
        }
        if let Some(other) = self.resources.iter().find(|uri| !is_web_address(uri)) {
            return Err(ApplicationInvalid::Resource(other.clone()));
        }
        if self.logout_uri.as_ref().is_some_and(|uri| !is_web_address(uri)) {
            return Err(ApplicationInvalid::LogoutUri);
        }
        if let Some(name) = OF_USERS.into_iter().find(|name| self.scopes.has(name)) {
            return Err(ApplicationInvalid::Scope(name.to_owned()));
        }
        for (list, scopes) in [("scopes", &self.scopes), ("machine_scopes", &self.machine_scopes)] {
            if let Some(name) = scopes.names().find(|name| name.contains(',')) {
                return Err(ApplicationInvalid::ScopeComma { list, name: name.to_owned() });
            }
        }
        if self.scopes.has(APP_DATA) {
            return Err(ApplicationInvalid::MachineOnly(APP_DATA));
        }
        if self.kind == ApplicationKind::Public && !self.keys.is_empty() {
            return Err(ApplicationInvalid::KeysNeedConfidential);
        }
        self.check_machine()?;
        let is_native = self.redirect_uris.iter().any(RedirectUri::is_native);
        if self.kind == ApplicationKind::Public && is_native && self.consent == Consent::Never {
            return Err(ApplicationInvalid::ConsentNeeded);
        }
        if self.redirect_uris.is_empty() && self.machine_scopes.is_empty() {
            return Err(ApplicationInvalid::Useless);
        }
        Ok(())
    }

    fn check_machine(&self) -> Result<(), ApplicationInvalid> {
        if self.machine_scopes.is_empty() {
            return Ok(());
        }
        if self.kind == ApplicationKind::Public {
            return Err(ApplicationInvalid::MachineNeedsSecret);
        }
        let of_users = OF_USERS.into_iter().find(|name| self.machine_scopes.has(name));
        of_users.map_or(Ok(()), |name| Err(ApplicationInvalid::MachineScope(name.to_owned())))
    }
}

fn is_web_address(text: &str) -> bool {
    let url = Url::parse(text);
    text.len() <= 512
        && text.bytes().all(|b| b.is_ascii_graphic())
        && url.is_ok_and(|url| {
            let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
                && (url.scheme() == "https" || (url.scheme() == "http" && is_local))
        })
}
