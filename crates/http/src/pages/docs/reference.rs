//! `/docs`: the description of the API to read and to try, without files from other servers.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use minijinja::{Value, context};
use utoipa_swagger_ui::Config;
use vestibule::{Accounts, ApplicationKind};

use crate::app::Site;
use crate::catalogue::Code;
use crate::describe::errors::{EVERY, errors};
use crate::describe::routes::{Routes, routes};
use crate::pages::frame::i18n::Language;
use crate::pages::frame::look::assets::Asset;
use crate::pages::frame::render::page;
use crate::pages::frame::visit::Visit;
use crate::problem::Problem;

pub(crate) fn routes() -> Routes {
    routes!(docs)
}

/// The address of [`signed_in`].
const SIGNED_IN: &str = "/docs/signed-in";

/// Swagger UI writes `style` attributes and embeds its icons as `data:` images; scripts are still loaded from here
/// only.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The files of Swagger UI that the page uses.
const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "oauth2-redirect.js"];

errors!(DocsErrors: EVERY);

/// The description of the API to read and to try.
#[utoipa::path(get, path = "/docs", tag = "Pages", operation_id = "docs",
    responses((status = 200, description = "The page.", content_type = "text/html", body = String), DocsErrors))]
async fn docs(visit: Visit) -> Response {
    let own = |asset: &Asset| Value::from_safe_string(asset.path());
    let assets = &visit.site.assets;
    let values = context! {
        script => own(&assets.docs_js), sheet => own(&assets.docs_css), client => own_client(&visit.accounts),
    };
    visit.page_under(POLICY, StatusCode::OK, "docs/reference.html", values)
}

/// The public client of the settings whose answers may come back here.
fn own_client(accounts: &Accounts) -> Option<&str> {
    let answers = format!("{}{SIGNED_IN}", accounts.public_url());
    let mut clients = accounts.policy().applications.iter().map(|configured| &configured.application);
    let found = clients.find(|client| {
        client.kind == ApplicationKind::Public && client.redirect_uris.iter().any(|uri| uri.allows(&answers))
    });
    found.map(|client| client.id.as_str())
}

/// Where somebody comes back to who has signed in: a window that hands its address to the page and closes.
pub(crate) async fn signed_in(State(site): State<Arc<Site>>) -> Response {
    page(&site, Language::En, POLICY, StatusCode::OK, "docs/signed_in.html", context! {})
}

/// One of the [`FILES`].
pub(crate) async fn asset(Path(file): Path<String>) -> Result<Response, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::from("/openapi.json")));
    let known = FILES.into_iter().find(|known| *known == file);
    let found = known.and_then(|file| utoipa_swagger_ui::serve(file, Arc::clone(&CONFIG)).ok().flatten());
    let file = found.ok_or(Problem::new(Code::NotFound))?;
    let headers = [(CONTENT_TYPE, file.content_type), (CACHE_CONTROL, "public, max-age=86400".to_owned())];
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = (headers, bytes).into_response();
    if file.gzpipped {
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.headers_mut().insert(axum::http::header::VARY, HeaderValue::from(ACCEPT_ENCODING));
    }
    Ok(response)
}
