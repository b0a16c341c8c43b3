use crate::on_both_stores;
use crate::world::*;
use vestibule::{Accounts, Login};

async fn tries(accounts: &Accounts, email: &str, secret: &str, from: &str) -> String {
    let login = Login::Email(address(email));
    match accounts.sign_in(&login, &password(secret), &client_at(from)).await {
        Ok(_) => "Ok".to_owned(),
        refused => refusal(refused),
    }
}

on_both_stores! {
    // L2: five failures are free, then the waits double; the right password has to wait, too.
    async fn an_account_slows_down_guessing(world: &World) {
        world.has_account("ada@example.org").await;
        for _ in 0..5 {
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, "192.0.2.1").await, "Refused");
        }
        for (wait, n) in [1, 2, 4, 8].into_iter().zip(10..) {
            let limited = format!("Limited {{ retry_after: {wait}s }}");
            let from = format!("192.0.2.{n}");
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, &from).await, limited);
            assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, &from).await, limited);
            world.advance(seconds(wait));
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, &from).await, "Refused");
        }
        world.advance(seconds(16));
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "192.0.2.1").await, "Ok");
        // A success forgets the failures.
        for _ in 0..5 {
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, "198.51.100.1").await, "Refused");
        }
    }

    // L2, L6: an address without an account is slowed down alike, so that the limit does not tell.
    async fn unknown_addresses_are_slowed_down_alike(world: &World) {
        world.has_account("ada@example.org").await;
        let mut seen = Vec::new();
        for (email, from) in [("ada@example.org", "192.0.2.1"), ("nobody@example.org", "192.0.2.2")] {
            let mut answers = Vec::new();
            for _ in 0..7 {
                answers.push(tries(&world.accounts, email, OTHER_PASSWORD, from).await);
            }
            seen.push(answers);
        }
        assert_eq!(seen[0], seen[1]);
        assert_eq!(seen[0][6], "Limited { retry_after: 1s }");
    }

    // L3: a client that tries many accounts is slowed down, its neighbours are not, and a success does not help it.
    async fn a_client_that_sprays_passwords_must_wait(world: &World) {
        world.has_account("ada@example.org").await;
        for number in 0..20 {
            let email = format!("person-{number}@example.org");
            assert_eq!(tries(&world.accounts, &email, OTHER_PASSWORD, "2001:db8:1:2::1").await, "Refused");
        }
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "2001:db8:1:2::2").await, "Limited { retry_after: 300s }");
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "2001:db8:1:3::1").await, "Ok");
        let lenient = world.instance_with(|policy| policy.client_limits = false).await;
        assert_eq!(tries(&lenient, "ada@example.org", PASSWORD, "2001:db8:1:2::2").await, "Ok");
        world.advance(seconds(300));
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "2001:db8:1:2::2").await, "Ok");
    }

    // L2, L3: of many wrong passwords at once, over two instances, five are told that they are wrong.
    async fn parallel_failures_do_not_slip_through(world: &World) {
        world.has_account("ada@example.org").await;
        let other = world.another_instance().await;
        let attempts = (0..40).map(|n| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            async move { tries(accounts, "ada@example.org", OTHER_PASSWORD, &format!("192.0.2.{n}")).await }
        });
        let answers = futures_util::future::join_all(attempts).await;
        assert_eq!(answers.iter().filter(|answer| *answer == "Refused").count(), 5);
        assert!(answers.iter().all(|answer| answer != "Ok"));
    }

    // Many sign-ins of one person at once are no attack.
    async fn parallel_successes_all_pass(world: &World) {
        world.has_account("ada@example.org").await;
        let attempts = (0..20).map(|_| world.signs_in("ada@example.org", PASSWORD));
        assert!(futures_util::future::join_all(attempts).await.iter().all(Result::is_ok));
    }

    // S6: wrong Basic passwords on the code route count like failed sign-ins.
    async fn basic_and_sign_in_share_their_limit(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        for _ in 0..3 {
            assert_eq!(refusal(world.confirms("ada@example.org", OTHER_PASSWORD, &letter.code()).await), "Refused");
        }
        for _ in 0..2 {
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, "192.0.2.9").await, "Refused");
        }
        let limited = "Limited { retry_after: 1s }";
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, &letter.code()).await), limited);
        // The link is not held up: it counts its own failures, and only its holder can make them.
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }
}
