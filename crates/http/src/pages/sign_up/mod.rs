//! The pages that lead to an account.

pub(crate) mod check_mail;
pub(crate) mod confirm;
mod join;
mod profile;
mod signup;
mod spelling;
mod terms;
mod webmail;

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().merge(check_mail::routes()).merge(join::routes()).merge(signup::routes())
}
