//! Pages for people.
//!
//! A page is parse → operation → render, like a handler of the API, and calls the same operations. Its forms need a
//! cookie and a token that no client of the API has, so pages with forms are not in the description of the API, except
//! for the one that mails link to.

mod account;
mod admin;
mod assets;
pub(crate) mod dev;
mod docs;
pub(crate) mod frame;
mod home;
mod oauth;
mod sign_in;
mod sign_up;

use axum::Router;

use crate::app::App;
use crate::describe::routes::RoutesOf;
use crate::options::Part;

/// The routes of the described pages, file by file.
pub(crate) const ROUTES: &[(Part, RoutesOf)] = &[
    (Part::Home, home::routes),
    (Part::Pages, sign_up::confirm::routes),
    (Part::Docs, docs::reference::routes),
    (Part::Docs, docs::errors::routes),
];

/// The pages with forms.
pub(crate) fn for_people() -> Router<App> {
    Router::new()
        .merge(sign_up::routes())
        .merge(sign_in::routes())
        .merge(account::routes())
        .merge(admin::routes())
        .merge(oauth::routes())
}

/// The files of all pages: any of them may show a refusal.
pub(crate) fn assets() -> Router<App> {
    assets::routes()
}
