//! The pages that lead into an account, or back into it.

mod address;
pub(crate) mod link;
mod login;

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().merge(address::routes()).merge(link::routes()).merge(login::routes())
}
