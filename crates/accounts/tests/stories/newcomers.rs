//! New users who have signed in: the last number of the overview's funnel.

use crate::on_both_stores;
use crate::world::*;
use vestibule::{Actor, Code, StatsPeriod};

async fn counted(world: &World) -> i64 {
    world.accounts.stats(Actor::Operator, StatsPeriod::Month).await.unwrap().new_users_signed_in
}

/// Inserts users with these numbers after all others, bypassing the library.
fn insert(world: &World, numbers: std::ops::Range<u32>, last_sign_in_at: &str) {
    let id = |number: u32| world.bytes(&format!("ff{number:030x}"));
    let row =
        |number: u32| format!("({}, 'u{number}', 'u{number}', 'x', '', 1, 1, {last_sign_in_at})", id(number));
    let rows: Vec<String> = numbers.map(row).collect();
    world.sql(&format!(
        "INSERT INTO users (id, email, email_key, password_hash, roles, email_confirmed_at, created_at, \
         last_sign_in_at) VALUES {}",
        rows.join(", ")
    ));
}

on_both_stores! {
    // O4
    async fn newcomers_count_once_they_have_signed_in(world: &World) {
        world.has_account("early@example.org").await;
        world.signs_in("early@example.org", PASSWORD).await.unwrap();
        // It is 08:00. The 30 days begin at midnight and end today: one second earlier, this is still their first.
        world.advance(hours(29 * 24 + 16).checked_sub(seconds(1)).unwrap());
        assert_eq!(counted(world).await, 1);
        world.advance(seconds(1));
        assert_eq!(counted(world).await, 0);
        world.signs_in("early@example.org", PASSWORD).await.unwrap();
        assert_eq!(counted(world).await, 0, "a sign-in makes nobody new");
        for email in ["idle@example.org", "ada@example.org"] {
            world.has_account(email).await;
            assert_eq!(refusal(world.signs_in(email, OTHER_PASSWORD).await), "Refused");
        }
        assert_eq!(counted(world).await, 0);
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(counted(world).await, 1);
        // The browser that signed up is signed in by its confirmation.
        let (_, proof) =
            world.accounts.sign_up_in_browser(wish("eve@example.org", PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let code: Code = world.letter_to("eve@example.org").code().parse().unwrap();
        world.accounts.confirm_by_code(&address("eve@example.org"), &password(PASSWORD), &code, None, &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("eve@example.org"), ["welcome"]);
        assert_eq!(counted(world).await, 1);
        assert!(world.accounts.continue_in_browser(proof.expose(), None, &client()).await.unwrap().is_some());
        assert_eq!(counted(world).await, 2);
    }

    // O4: in several reads, none of them long, and no further than the other numbers.
    async fn many_newcomers_are_counted_to_the_end(world: &World) {
        insert(world, 0..5_600, "NULL");
        insert(world, 5_600..9_999, "1");
        assert_eq!(counted(world).await, 4_399);
        insert(world, 9_999..10_000, "1");
        assert_eq!(counted(world).await, 4_400, "two whole reads");
        insert(world, 10_000..15_601, "1");
        assert_eq!(counted(world).await, 10_000);
    }
}
