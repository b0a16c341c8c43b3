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
    // L2: no wait is longer than its rule, even if the clock was wrong and is corrected.
    async fn a_clock_that_goes_back_keeps_nobody_waiting(world: &World) {
        world.has_account("ada@example.org").await;
        for number in 0..8 {
            world.advance(seconds(10));
            let from = format!("192.0.2.{number}");
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, &from).await, "Refused");
        }
        for number in 0..20 {
            let email = format!("somebody-{number}@example.org");
            assert_eq!(tries(&world.accounts, &email, OTHER_PASSWORD, "203.0.113.1").await, "Refused");
        }
        world.accounts.sign_up(wish("grace@example.org", PASSWORD), &client()).await.unwrap();
        world.clock.turn_back(hours(1));
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "192.0.2.99").await, "Ok");
        let limited = "Limited { retry_after: 300s }";
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "203.0.113.1").await, limited);
        world.deliver().await;
        assert!(world.kinds_to("grace@example.org").is_empty());
        world.accounts.sweep().await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("grace@example.org"), ["confirm"]);
        world.advance(seconds(299));
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "203.0.113.1").await, "Limited { retry_after: 1s }");
        world.advance(seconds(1));
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "203.0.113.1").await, "Ok");
    }

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
        // A success clears the failures.
        for _ in 0..5 {
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, "198.51.100.1").await, "Refused");
        }
    }

    // L2, L6: an address without an account is slowed down alike, so that the limit reveals nothing.
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

    // L2, L3: of many concurrent wrong passwords, over two instances, five learn that they are wrong.
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

    // Many concurrent sign-ins of one person are not an attack.
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
        // The link is not blocked: it counts its own failures, which only its holder can cause.
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // L2: a hundred failures in a row close the account to passwords until a reset link is used.
    async fn a_hundred_failures_close_an_account(world: &World) {
        world.has_account("ada@example.org").await;
        for number in 0..100 {
            let from = format!("10.0.{}.{}", number / 4, number);
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, &from).await, "Refused", "{number}");
            world.advance(seconds(900));
        }
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["failed_sign_ins"]);
        world.advance(hours(40 * 24));
        // Even a sweep does not reopen it.
        world.accounts.sweep().await.unwrap();
        let closed = "Limited { retry_after: 86400s }";
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "192.0.2.1").await, closed);
        world.accounts.forgot_password(&address("ada@example.org"), &client()).await.unwrap();
        world.deliver().await;
        let mail = world.take_mails_to("ada@example.org").remove(0);
        let vestibule::MailContent::PasswordReset { link, .. } = &mail.content else { panic!("a reset link") };
        let token = link.expose().split_once("token=").unwrap().1;
        world.accounts.reset_password(token, &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["password_changed"]);
        assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, "192.0.2.1").await, "Ok");
    }

    // L4: the owner is informed at the tenth failure, once a day; for an address without an account nobody is.
    async fn the_owner_is_told_of_failures(world: &World) {
        world.has_account("ada@example.org").await;
        for number in 0..25 {
            for email in ["ada@example.org", "nobody@example.org"] {
                tries(&world.accounts, email, OTHER_PASSWORD, &format!("10.0.{number}.1")).await;
            }
            if number == 8 {
                world.deliver().await;
                assert!(world.kinds_to("ada@example.org").is_empty(), "nine failures are not ten");
            }
            world.advance(seconds(600));
        }
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["failed_sign_ins"]);
        assert!(world.kinds_to("nobody@example.org").is_empty());
    }

    // L4: strangers who try an account do not lock its owner out on a known device.
    async fn a_known_device_gets_past_the_wait(world: &World) {
        world.has_account("ada@example.org").await;
        world.has_account("eve@example.org").await;
        let device = world.signs_in("ada@example.org", PASSWORD).await.unwrap().device_token.unwrap();
        let eves = world.signs_in("eve@example.org", PASSWORD).await.unwrap().device_token.unwrap();
        for _ in 0..5 {
            assert_eq!(tries(&world.accounts, "ada@example.org", OTHER_PASSWORD, "198.51.100.1").await, "Refused");
        }
        let login = Login::Email(address("ada@example.org"));
        let on = |token: &vestibule::Secret| vestibule::Client { device_token: Some(token.clone()), ..client() };
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "192.0.2.1").await, "Limited { retry_after: 1s }");
        // Another user's device does not count as hers.
        let refused = world.accounts.sign_in(&login, &password(PASSWORD), &on(&eves)).await;
        assert_eq!(refusal(refused), "Limited { retry_after: 1s }");
        let tokens = world.accounts.sign_in(&login, &password(PASSWORD), &on(&device)).await.unwrap();
        assert!(tokens.device_token.is_none(), "the device is known already");
        // A thief of the device has the same limits there.
        for _ in 0..5 {
            let wrong = world.accounts.sign_in(&login, &password(OTHER_PASSWORD), &on(&device)).await;
            assert_eq!(refusal(wrong), "Refused");
        }
        let limited = world.accounts.sign_in(&login, &password(PASSWORD), &on(&device)).await;
        assert_eq!(refusal(limited), "Limited { retry_after: 1s }");
    }

    // L3, L4: twenty typos of neighbours behind one address do not lock out users who have signed in there before, and
    // that device is of no use for trying other accounts.
    async fn a_known_device_is_not_locked_out_by_its_neighbours(world: &World) {
        world.has_account("ada@example.org").await;
        world.has_account("bob@example.org").await;
        let device = world.signs_in("ada@example.org", PASSWORD).await.unwrap().device_token.unwrap();
        let known = vestibule::Client { device_token: Some(device), ..client() };
        for number in 0..20 {
            let email = format!("person-{number}@example.org");
            assert_eq!(tries(&world.accounts, &email, OTHER_PASSWORD, "192.0.2.1").await, "Refused");
        }
        assert_eq!(tries(&world.accounts, "ada@example.org", PASSWORD, "192.0.2.1").await, "Limited { retry_after: 300s }");
        let ada = Login::Email(address("ada@example.org"));
        world.accounts.sign_in(&ada, &password(PASSWORD), &known).await.unwrap();
        let bob = Login::Email(address("bob@example.org"));
        let refused = world.accounts.sign_in(&bob, &password(PASSWORD), &known).await;
        assert_eq!(refusal(refused), "Limited { retry_after: 300s }");
        let exempt = world.instance_with(|policy| policy.exempt_networks = vec!["192.0.2.0/28".parse().unwrap()]).await;
        assert_eq!(tries(&exempt, "bob@example.org", PASSWORD, "192.0.2.1").await, "Ok");
        assert_eq!(tries(&exempt, "bob@example.org", OTHER_PASSWORD, "::ffff:192.0.2.15").await, "Refused");
    }

    // ASVS 2.4.1: requests that cost a mail are limited per client, whatever the address, and before a password is
    // hashed.
    async fn a_client_cannot_ask_for_mails_without_end(world: &World) {
        let accounts = world.instance_with(|policy| policy.sign_up.client_mails.most = 4).await;
        world.has_account("ada@example.org").await;
        let from = client_at("198.51.100.1");
        accounts.sign_up(wish("bob@example.org", PASSWORD), &from).await.unwrap();
        accounts.resend(&address("nobody@example.org"), &from).await.unwrap();
        accounts.forgot_password(&address("ada@example.org"), &from).await.unwrap();
        accounts.forgot_password(&address("nobody@example.org"), &from).await.unwrap();
        let limited = "Limited { retry_after: 3600s }";
        assert_eq!(refusal(accounts.forgot_password(&address("ada@example.org"), &from).await), limited);
        assert_eq!(refusal(accounts.resend(&address("bob@example.org"), &from).await), limited);
        assert_eq!(refusal(accounts.sign_up(wish("carol@example.org", PASSWORD), &from).await), limited);
        accounts.sign_up(wish("dora@example.org", PASSWORD), &client_at("198.51.100.2")).await.unwrap();
        world.advance(hours(1));
        accounts.resend(&address("nobody@example.org"), &from).await.unwrap();
        world.deliver().await;
        for (email, kinds) in [("bob@example.org", vec!["confirm"]), ("ada@example.org", vec![]), ("dora@example.org", vec!["confirm"])] {
            assert_eq!(world.kinds_to(email), kinds, "{email}");
        }
    }
}
