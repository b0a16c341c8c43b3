//! Stories: what people do, and what happens. Each runs on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on has failed")]

mod account;
mod admin;
mod administer;
mod applications;
mod assistance;
mod audit;
mod backup;
mod browsers;
mod claims;
mod confirm_by_code;
mod confirm_by_link;
mod crowds;
mod decoys;
mod deliver;
mod display_name;
mod doctor;
mod door;
mod factor_due;
mod factors;
mod faults;
mod first_contact;
#[cfg(feature = "import")]
mod import;
mod invite;
mod keys;
mod links;
mod migrations;
mod moving;
mod newcomers;
mod one_way;
mod outbox;
mod passkeys;
mod password;
mod places;
mod postgres;
mod refresh;
mod resend;
mod second_factor;
mod secret_key;
mod setup;
mod sign_in;
mod sign_up;
mod sign_up_data;
mod sweep;
mod terms;
mod throttling;
mod tokens;
mod uncertain;
mod user_data;
mod user_list;
mod webhooks;
mod workers;
mod world;

/// Makes a test of each story for each database: `story::sqlite` and `story::postgres`.
macro_rules! on_both_stores {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident: &World) $body:block)*) => { $(
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn story($world: &World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let world = World::on_sqlite().await;
                story(&world).await;
                world.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let world = World::on_postgres().await;
                story(&world).await;
                world.finish().await;
            }
        }
    )* };
}
pub(crate) use on_both_stores;
