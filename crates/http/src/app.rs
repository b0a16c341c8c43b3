//! The state shared by all handlers.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRef;
use vestibule::{Accounts, Secret, SigningAlgorithm};

use crate::api::readiness::Readiness;
use crate::base::Base;
use crate::compressed::PublicText;
use crate::cors::CorsOrigins;
use crate::extract::TrustedProxies;
use crate::extract::cookies::Cookies;
use crate::kept_text::KeptText;
use crate::options::{DevMailbox, HttpOptions, Observer};
use crate::pages::frame::look::assets::Assets;
use crate::pages::frame::look::brand::Brand;

/// The state shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) accounts: Accounts,
    pub(crate) site: Arc<Site>,
}

/// What changes in the metadata for clients: the algorithms of the keys, and the names of claims.
pub(crate) type MetadataSources = (Vec<SigningAlgorithm>, Vec<String>);

/// What does not change while the server runs.
pub(crate) struct Site {
    pub(crate) service_name: String,
    pub(crate) brand: Brand,
    pub(crate) assets: Assets,
    pub(crate) cookies: Cookies,
    pub(crate) base: Base,
    /// External addresses that a sign-in may lead to.
    pub(crate) return_urls: Vec<String>,
    /// The origins whose pages may read the API.
    pub(crate) cors: CorsOrigins,
    pub(crate) proxies: TrustedProxies,
    pub(crate) dev: Option<Arc<dyn DevMailbox>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) introspection_clients: Vec<(String, Secret)>,
    /// Whether passwords are exchanged for tokens.
    pub(crate) password_grant: bool,
    /// Written on the first request: half a megabyte that most servers never need, shared by all answers.
    pub(crate) openapi: OnceLock<PublicText>,
    /// What the server says of itself to clients: asked for more often than anything in it changes.
    pub(crate) metadata: KeptText<MetadataSources>,
    pub(crate) readiness: Readiness,
}

impl Site {
    pub(crate) fn new(public_url: &str, options: HttpOptions) -> Self {
        Self {
            service_name: options.service_name,
            assets: Assets::new(&options.brand),
            brand: options.brand,
            cookies: Cookies::of(public_url),
            base: Base::of(public_url),
            return_urls: options.return_urls,
            cors: options.cors,
            proxies: options.trusted_proxies,
            password_grant: options.password_grant || options.dev.is_some(),
            dev: options.dev,
            observer: options.observer,
            introspection_clients: options.introspection_clients,
            openapi: OnceLock::new(),
            metadata: KeptText::default(),
            readiness: Readiness::default(),
        }
    }
}

impl FromRef<App> for Accounts {
    fn from_ref(app: &App) -> Self {
        app.accounts.clone()
    }
}

impl FromRef<App> for TrustedProxies {
    fn from_ref(app: &App) -> Self {
        app.site.proxies.clone()
    }
}

impl FromRef<App> for Arc<Site> {
    fn from_ref(app: &App) -> Self {
        Arc::clone(&app.site)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::extract::UnknownPeer;

    /// The shared state for a test without accounts.
    pub(crate) fn site() -> Arc<Site> {
        let trusted_proxies = TrustedProxies::default().with_unknown_peers(UnknownPeer::IsUnlimited);
        let options = HttpOptions { trusted_proxies, ..HttpOptions::default() };
        Arc::new(Site::new("http://localhost", options))
    }
}
