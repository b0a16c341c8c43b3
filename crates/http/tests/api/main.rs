//! The HTTP API through its real router, without a socket, on both databases. The files mirror the routes.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account_page;
mod address_pages;
mod admin;
mod admin_audit_page;
mod admin_clients;
mod admin_clients_page;
mod admin_health;
mod admin_mail_page;
mod admin_overview_page;
mod admin_registrations_page;
mod admin_user;
mod admin_user_page;
mod admin_users_page;
mod assistance;
mod audit;
mod bad_input;
mod base_path;
mod browser;
mod check_mail;
mod confirm;
mod confirm_page;
mod conformance;
mod cookie;
mod cors;
mod cross_site;
mod dev_mail;
mod docs;
mod edge;
mod email;
mod embedding;
#[expect(dead_code, reason = "the example has a `main` of its own")]
#[path = "../../examples/embed.rs"]
mod example;
mod factor_pages;
mod factors;
mod fix;
mod guard;
mod holes;
mod invitation;
mod language;
mod link_pages;
mod login;
mod login_page;
mod mailed_links;
mod me;
mod oauth;
mod oauth_pages;
mod operations;
mod passkey_pages;
mod password;
mod profile;
mod return_to;
mod sessions;
mod setup;
mod sign_up_profile;
mod signup;
mod signup_page;
mod stale_forms;
mod terms;
mod theme;
mod typed;
mod user_data;
mod verify;
mod world;

/// Each story runs twice: `name::sqlite` and `name::postgres`.
macro_rules! on_both_stores {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$attribute])*
            async fn story($world: World) $body

            #[tokio::test]
            async fn sqlite() {
                story(World::on_sqlite().await).await;
            }

            #[tokio::test]
            async fn postgres() {
                story(World::on_postgres().await).await;
            }
        }
    )*};
}
pub(crate) use on_both_stores;
