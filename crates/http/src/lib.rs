//! The HTTP API and pages of Vestibule as an axum router.
//!
//! [`router`] is the whole server: [`serve`] puts it behind a listener and runs the background workers. An application
//! can instead take [`SignedIn`] into its handlers, or put [`require_signed_in`] around its routes, and use nothing
//! else; `examples/embed.rs` shows all three.
//!
//! A new route is one annotated handler in the file of its resource under `api/`, named in that file's `routes()`:
//! the annotation is both its path and its description.

mod api;
mod app;
mod base;
mod catalogue;
mod compressed;
mod cors;
mod describe;
mod edge;
mod extract;
mod guard;
mod kept_text;
mod openapi;
mod options;
mod pages;
mod personal;
mod problem;
mod qr_code;
mod rate_limit;
mod serve;

pub use catalogue::{Code, Entry, catalogue};
pub use cors::{CorsOrigin, CorsOriginError, CorsOrigins};
pub use extract::cookies::session_cookie;
pub use extract::{Client, ProxyError, SignedIn, TrustedProxies, UnknownPeer};
pub use guard::{Guarded, RequireSignedIn, require_signed_in};
pub use openapi::openapi;
pub use options::{Answered, DevFault, DevMail, DevMailbox, HttpOptions, Observer, Part};
pub use pages::frame::look::brand::{Brand, Color, ColorError, Logo, LogoError};
pub use problem::Problem;
pub use problem::field_error::FieldError;
pub use serve::serve;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use vestibule::Accounts;

use crate::app::{App, Site};
use crate::describe::routes::{RouteTable, RoutesOf, router_of};
use crate::edge::EdgeLayer;
use crate::rate_limit::Quotas;

/// The routes of the API and the pages, with everything around them: request ids, trace lines, headers, limits.
///
/// They begin with the path of the public URL: if that is `https://app.example.org/accounts`, there is
/// `/accounts/login`, and all other paths are the application's, except for
/// `/.well-known/oauth-authorization-server/accounts` (RFC 8414). If it is a whole host, [`HttpOptions::parts`] can
/// leave out what an application provides itself, such as its own `/`. Merge the router, do not nest it.
pub fn router(accounts: Accounts, mut options: HttpOptions) -> Router {
    options.cors = options.cors.with_clients_of(&accounts);
    let url = accounts.public_url();
    let (parts, request_id_start) = (options.parts.clone(), options.request_id_start);
    let site = Arc::new(Site::new(url, options));
    let (mut routes, table) = routes_of(&parts);
    let quotas = Quotas::of(&accounts.limits(), accounts.policy().password_checks);
    let edge = EdgeLayer::new(url, quotas, &site, table, request_id_start);
    if site.dev.is_some() {
        routes = routes.merge(pages::dev::routes());
    }
    let base = site.base.path().to_owned();
    let app = App { accounts, site };
    // Inside the router, so that the trace line knows which route matched.
    let routes = routes.with_state(app.clone()).layer(edge.clone());
    if base.is_empty() {
        return routes;
    }
    let routes = Router::new().nest(&base, routes);
    if !parts.contains(&Part::Api) {
        return routes;
    }
    // RFC 8414 §3.1 puts this before the path of the public URL, not after it.
    let beside = format!("{}{base}", api::oauth::metadata::OF_AUTHORIZATION_SERVER);
    let beside = Router::new().route(&beside, get(api::oauth::metadata::metadata));
    routes.merge(beside.with_state(app).layer(edge))
}

/// What the member `fix` of a problem with this code says in development mode, where nothing is known of the request:
/// the command or request that would have worked. `None` for what is not the sender's mistake.
pub fn fix_in_development(code: Code, public_url: &str) -> Option<String> {
    let (_, table) = routes_of(&Part::ALL);
    edge::fix::fix(&Problem::new(code), &edge::fix::Wanted::default(), &table, public_url)
}

/// The routes of these parts, and which of them are described.
fn routes_of(parts: &[Part]) -> (Router<App>, RouteTable) {
    let has = |part| parts.contains(&part);
    let mut files: Vec<RoutesOf> = Vec::new();
    if has(Part::Api) {
        files.extend(api::ROUTES.iter().copied().flatten().chain(openapi::ROUTES));
    }
    files.extend(pages::ROUTES.iter().filter(|(part, _)| has(*part)).map(|(_, routes)| routes));
    let (described, table) = router_of(files);
    let mut routes = described.merge(pages::assets());
    if has(Part::Pages) {
        routes = routes.merge(pages::for_people());
    }
    let routes = if has(Part::Fallback) { routes.fallback(edge::not_found) } else { routes };
    (routes, table)
}
