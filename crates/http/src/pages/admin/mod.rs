//! `/admin`: the pages of administrators. Every handler takes an [`Admin`](section::Admin), and every operation checks
//! the role again.

mod audit;
mod chart;
mod client;
mod clients;
mod outbox;
mod overview;
mod proof;
mod registrations;
mod section;
mod user;
mod user_actions;
mod user_grants;
mod users;
mod users_csv;
mod words;

use crate::app::App;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .merge(overview::routes())
        .merge(users::routes())
        .merge(users_csv::routes())
        .merge(user::routes())
        .merge(user_actions::routes())
        .merge(user_grants::routes())
        .merge(clients::routes())
        .merge(client::routes())
        .merge(registrations::routes())
        .merge(outbox::routes())
        .merge(audit::routes())
}
