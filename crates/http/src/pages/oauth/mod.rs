//! Pages on which people sign in to applications, and out of them (OAuth 2, OpenID Connect). What programs call is in `api`.

mod authorize;
mod consent;
mod go_on;
mod parameters;
pub(crate) mod scopes;
mod sign_out;
mod stopped;

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().merge(authorize::routes()).merge(consent::routes()).merge(sign_out::routes())
}
