//! The HTTP API and pages of Vestibule as an axum router.
//!
//! [`router`] is the whole server: put it behind a listener. An application of one's own can take [`SignedIn`] into
//! its handlers instead, or put [`require_signed_in`] around its routes, and use nothing else; `examples/embed.rs`
//! shows all three.
//!
//! A new route is one annotated handler in the file of its resource under `api/`, named in that file's `routes()`:
//! the annotation is both its path and its description.

mod api;
mod catalogue;
mod edge;
mod extract;
mod field_error;
mod guard;
mod openapi;
mod options;
mod pages;
mod problem;
mod rate_limit;
mod routes;

pub use catalogue::{Code, Entry, catalogue};
pub use extract::{Client, ProxyError, SignedIn, TrustedProxies};
pub use field_error::FieldError;
pub use guard::{Guarded, RequireSignedIn, require_signed_in};
pub use openapi::openapi;
pub use options::{DevFault, DevMail, DevMailbox, HttpOptions};
pub use pages::{Brand, Color, ColorError, Logo, LogoError};
pub use problem::Problem;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::FromRef;
use vestibule::{Accounts, Secret};

use crate::edge::EdgeLayer;
use crate::extract::cookies::Cookies;
use crate::pages::Assets;
use crate::rate_limit::Quotas;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    accounts: Accounts,
    site: Arc<Site>,
}

/// What does not change while the server runs.
pub(crate) struct Site {
    service_name: String,
    brand: Brand,
    assets: Assets,
    cookies: Cookies,
    /// Addresses outside that a sign-in may lead to.
    return_urls: Vec<String>,
    proxies: TrustedProxies,
    dev: Option<Arc<dyn DevMailbox>>,
    introspection_clients: Vec<(String, Secret)>,
    /// Written when somebody first asks for it: half a megabyte that most servers never need.
    openapi: OnceLock<String>,
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

/// The routes of the API and the pages, with everything around them: request ids, trace lines, headers, limits.
pub fn router(accounts: Accounts, options: HttpOptions) -> Router {
    let url = accounts.public_url();
    let site = Arc::new(Site {
        service_name: options.service_name,
        assets: Assets::new(&options.brand),
        brand: options.brand,
        cookies: Cookies::of(url),
        return_urls: options.return_urls,
        proxies: options.trusted_proxies,
        dev: options.dev,
        introspection_clients: options.introspection_clients,
        openapi: OnceLock::new(),
    });
    let edge = EdgeLayer::new(url, Quotas::of(accounts.policy()), &site, options.request_id_start);
    let mut routes = openapi::routes().merge(pages::for_people());
    if site.dev.is_some() {
        routes = routes.merge(pages::dev_mail::routes());
    }
    // Inside the router, so that the trace line knows which route matched.
    routes.fallback(edge::not_found).with_state(App { accounts, site }).layer(edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What handlers share, for a test without accounts.
    pub(crate) fn site() -> Arc<Site> {
        Arc::new(Site {
            service_name: "Vestibule".to_owned(),
            assets: Assets::new(&Brand::default()),
            brand: Brand::default(),
            cookies: Cookies { secure: false },
            return_urls: Vec::new(),
            proxies: TrustedProxies::default(),
            dev: None,
            introspection_clients: Vec::new(),
            openapi: OnceLock::new(),
        })
    }
}
