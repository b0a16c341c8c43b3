//! The `OpenAPI` description of all routes, made from the handlers and the catalogue of errors.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use utoipa::PartialSchema as _;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder};
use vestibule::{Accounts, Policy};

use crate::api::oauth::refusal::OAuthError;
use crate::app::Site;
use crate::compressed::PublicText;
use crate::describe::complete::complete;
use crate::describe::errors::{EVERY, errors};
use crate::describe::problems::PUBLIC_URL;
use crate::describe::profile;
use crate::describe::routes::{Routes, RoutesOf, routes};
use crate::{api, pages};

/// The route of the description itself.
pub(crate) const ROUTES: &[RoutesOf] = &[routes];

fn routes() -> Routes {
    routes!(description)
}

errors!(DescriptionErrors: EVERY);

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "Operations", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object), DescriptionErrors))]
async fn description(
    State(site): State<Arc<Site>>,
    State(accounts): State<Accounts>,
    asked: HeaderMap,
) -> Response {
    let write = || PublicText::new(openapi(accounts.public_url(), accounts.policy()));
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, site.openapi.get_or_init(write).answer(&asked)).into_response()
}

/// The description of every route: the API and the pages.
fn described() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Vestibule")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Accounts for an application: sign-up, confirmation by email, sign-in, tokens."))
        .license(Some(utoipa::openapi::License::new("MIT OR Apache-2.0")));
    // No handler names it: its routes describe their errors by hand.
    let oauth = ComponentsBuilder::new().schema("OAuthError", OAuthError::schema()).build();
    let api = OpenApiBuilder::new().info(info).components(Some(oauth)).build();
    files().fold(api, |api, of_file| api.merge_from(of_file().describe()))
}

fn files() -> impl Iterator<Item = &'static RoutesOf> {
    let pages = pages::ROUTES.iter().map(|(_, routes)| routes);
    api::ROUTES.iter().copied().flatten().chain(ROUTES).chain(pages)
}

/// The description of the API as `OpenAPI` 3.1 in JSON, the same for every call.
pub fn openapi(public_url: &str, policy: &Policy) -> String {
    let mut api = described();
    api.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    complete(&mut api);
    let text = match policy.sign_up_fields() {
        [] => api.to_pretty_json(),
        fields => serde_json::to_value(&api).and_then(|mut api| {
            profile::describe(&mut api, fields);
            serde_json::to_string_pretty(&api)
        }),
    };
    let text = text.unwrap_or_default();
    // Slashes and colons are not escaped in JSON, and a checked public URL contains nothing else that would be.
    text.replace(PUBLIC_URL, public_url) + "\n"
}
