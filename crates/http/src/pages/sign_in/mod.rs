//! The pages that lead into an account, or back into it.

mod address;
mod enrol;
pub(crate) mod link;
mod login;
mod passkey;
mod second_factor;

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .merge(address::routes())
        .merge(enrol::routes())
        .merge(link::routes())
        .merge(login::routes())
        .merge(passkey::routes())
        .merge(second_factor::routes())
}
