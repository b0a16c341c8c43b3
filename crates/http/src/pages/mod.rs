//! Pages for people and answers for machines that are not part of the API proper.
//!
//! A page is parse → operation → render, like a handler of the API, and calls the same operations. What the forms of
//! people need (a cookie, a token in the form) no client of the API has, so the pages with forms are not in the
//! description of the API, but for the one that mails lead to.

mod account;
mod address;
mod admin;
mod assets;
mod brand;
mod check_mail;
mod confirm;
pub(crate) mod dev_mail;
mod docs;
mod errors;
mod home;
mod i18n;
mod join;
mod link;
mod login;
mod operations;
mod problems;
mod render;
mod return_to;
mod signup;
mod visit;
mod webmail;

pub use brand::{Brand, Color, ColorError, Logo, LogoError};

pub(crate) use assets::Assets;
pub(crate) use i18n::Language;
pub(crate) use problems::problem_page;
#[cfg(test)]
pub(crate) use render::POLICY;
pub(crate) use visit::{Visitor, language};

use crate::App;
use crate::openapi::RoutesOf;
use axum::Router;
use axum::routing::get;

/// The routes of the pages that are described, file by file.
pub(crate) const ROUTES: &[RoutesOf] =
    &[home::routes, confirm::routes, operations::routes, docs::routes, errors::routes];

/// The pages with forms, and the files of all pages.
pub(crate) fn for_people() -> Router<App> {
    Router::new()
        .merge(signup::routes())
        .merge(check_mail::routes())
        .merge(login::routes())
        .merge(address::routes())
        .merge(link::routes())
        .merge(join::routes())
        .merge(account::routes())
        .merge(admin::routes())
        .route("/assets/{file}", get(assets::serve))
        .route("/docs/assets/{file}", get(docs::asset))
}
