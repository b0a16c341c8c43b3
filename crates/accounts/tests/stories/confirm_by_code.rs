use crate::on_both_stores;
use crate::world::*;
use std::time::Duration;
use vestibule::{SendError, Terms};

const MILLISECOND: Duration = Duration::from_millis(1);

on_both_stores! {
    // C1: the boundary is exact.
    async fn a_code_works_until_just_before_its_minute_is_over(world: &World) {
        let ada = world.signs_up("ada@example.org").await;
        let bob = world.signs_up("bob@example.org").await;
        world.advance(seconds(60).checked_sub(MILLISECOND).unwrap());
        world.confirms("ada@example.org", PASSWORD, &ada.code()).await.unwrap();
        world.advance(MILLISECOND);
        assert_eq!(refusal(world.confirms("bob@example.org", PASSWORD, &bob.code()).await), "CodeExpired");
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // The minute starts when the relay has the mail, not at the sign-up.
    async fn the_minute_starts_at_the_hand_over(world: &World) {
        world.accounts.sign_up(wish("ada@example.org", PASSWORD), &client()).await.unwrap();
        world.advance(seconds(600));
        world.deliver().await;
        let letter = world.letter_to("ada@example.org");
        world.advance(seconds(60).checked_sub(MILLISECOND).unwrap());
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // C3
    async fn the_fourth_guess_is_refused_even_when_it_is_right(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        for left in [2, 1, 0] {
            let guess = world.confirms("ada@example.org", PASSWORD, &letter.wrong_code()).await;
            assert_eq!(refusal(guess), format!("CodeInvalid {{ attempts_left: {left} }}"));
        }
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, &letter.code()).await), "CodeExpired");
        // The link still works.
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // C3: a hundred concurrent guesses, over two instances, spend exactly three.
    async fn guesses_in_parallel_spend_exactly_three(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let other = world.another_instance().await;
        let wrong = letter.wrong_code();
        let guesses = (0..100).map(|n| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            confirm(accounts, "ada@example.org", PASSWORD, &wrong)
        });
        let mut answers: Vec<String> = futures_util::future::join_all(guesses).await.into_iter().map(refusal).collect();
        answers.retain(|answer| !answer.starts_with("Fault(Overloaded"));
        answers.sort();
        answers.retain(|answer| answer != "CodeExpired");
        assert_eq!(answers, [0, 1, 2].map(|left| format!("CodeInvalid {{ attempts_left: {left} }}")));
    }

    // S6: without the password of the sign-up the right code is worthless, and no guess is spent.
    async fn the_right_code_with_a_wrong_password_is_refused(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        for _ in 0..4 {
            assert_eq!(refusal(world.confirms("ada@example.org", OTHER_PASSWORD, &letter.code()).await), "Refused");
        }
        assert_eq!(refusal(world.confirms("bob@example.org", PASSWORD, &letter.code()).await), "Refused");
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // S5: a code works once; a second time nothing happens.
    async fn a_code_works_once(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, &letter.code()).await), "CodeExpired");
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // S5: many at the same time, by code and by link, on two instances: one user, one welcome.
    async fn parallel_activation_creates_one_user(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let other = world.another_instance().await;
        let (code, token, secret) = (letter.code(), letter.token(), password(PASSWORD));
        let from = client();
        let by_code = (0..8).map(|_| confirm(&world.accounts, "ada@example.org", PASSWORD, &code));
        let by_link = (0..8).map(|_| other.confirm_by_link(&token, Some(&secret), None, Terms::Unanswered, &from));
        let (codes, links) = futures_util::future::join(
            futures_util::future::join_all(by_code),
            futures_util::future::join_all(by_link),
        )
        .await;
        let (born, refused): (Vec<_>, Vec<_>) = codes.into_iter().chain(links).partition(Result::is_ok);
        assert_eq!(born.len(), 1);
        for refusal in refused.into_iter().map(refusal) {
            assert!(["CodeExpired", "LinkUsed"].contains(&refusal.as_str()), "{refusal}");
        }
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // C5: after 15 failures in a day no code is sent or accepted; the link works.
    async fn after_fifteen_failures_only_the_link_works(world: &World) {
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        // From other networks each time, so that the limit per client does not apply.
        for round in 0..5 {
            let letter = world.letter_to("ada@example.org");
            for guess in 0..3 {
                let from = client_at(&format!("198.51.100.{}", round * 3 + guess));
                let code = letter.wrong_code().parse().unwrap();
                let answer = world.accounts
                    .confirm_by_code(&address("ada@example.org"), &password(PASSWORD), &code, None, &from).await;
                assert!(refusal(answer).starts_with("CodeInvalid"));
            }
            world.advance(hours(1));
            world.accounts.resend(&address("ada@example.org"), &client()).await.unwrap();
            world.deliver().await;
        }
        let letter = world.letter_to("ada@example.org");
        assert!(!letter.has_code());
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, "0000").await), "CodeExpired");
        // The next day there are codes again.
        world.advance(hours(24));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        let letter = world.letter_to("ada@example.org");
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // C5: 30 failures in 30 days.
    async fn after_thirty_failures_in_a_month_only_the_link_works(world: &World) {
        for day in 0..10 {
            world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
            let letter = world.letter_to("ada@example.org");
            assert!(letter.has_code(), "day {day}");
            for _ in 0..3 {
                world.confirms("ada@example.org", PASSWORD, &letter.wrong_code()).await.unwrap_err();
            }
            world.advance(hours(25));
        }
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        assert!(!world.letter_to("ada@example.org").has_code());
        world.advance(hours(30 * 24));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        assert!(world.letter_to("ada@example.org").has_code());
    }

    // C5: ten failures in ten minutes from one network, for whichever addresses; a neighbour is not affected.
    async fn a_client_that_guesses_too_often_must_wait(world: &World) {
        for person in 0..4 {
            let email = format!("person-{person}@example.org");
            let letter = world.signs_up(&email).await;
            for guess in 0..3 {
                let answer = refusal(world.confirms(&email, PASSWORD, &letter.wrong_code()).await);
                let expected = if person * 3 + guess < 10 { "CodeInvalid" } else { "Limited { retry_after: 600s }" };
                assert!(answer.starts_with(expected), "{answer}");
            }
        }
        let letter = world.signs_up("ada@example.org").await;
        assert!(refusal(world.confirms("ada@example.org", PASSWORD, &letter.code()).await).starts_with("Limited"));
        let code = letter.code().parse().unwrap();
        world.accounts
            .confirm_by_code(&address("ada@example.org"), &password(PASSWORD), &code, None, &client_at("192.0.2.2"))
            .await
            .unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // C5, C7: when all clients together fail too often, codes are suspended and links work.
    async fn a_storm_of_failures_turns_codes_off(world: &World) {
        let strict = world.instance_with(|policy| policy.confirm.failures_per_hour_of_all = 3).await;
        let storm = world.signs_up("eve@example.org").await;
        for _ in 0..3 {
            world.confirms("eve@example.org", PASSWORD, &storm.wrong_code()).await.unwrap_err();
        }
        let letter = world.signs_up("ada@example.org").await;
        assert_eq!(refusal(confirm(&strict, "ada@example.org", PASSWORD, &letter.code()).await), "CodeExpired");
        strict.sign_up(wish("bob@example.org", PASSWORD), &client()).await.unwrap();
        strict.deliver(&world.mailbox).await.unwrap();
        assert!(!world.letter_to("bob@example.org").has_code());
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // A guess before the mail is sent is spent like any other, so that a decoy cannot be told from a slow relay.
    async fn a_guess_before_the_hand_over_is_spent(world: &World) {
        world.mailbox.fails(SendError::Temporary("busy".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        for left in [2, 1, 0] {
            let guess = world.confirms("ada@example.org", PASSWORD, "0000").await;
            assert_eq!(refusal(guess), format!("CodeInvalid {{ attempts_left: {left} }}"));
        }
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, "0000").await), "CodeExpired");
        // The mail brings a code with its own guesses; the failures stay counted.
        world.mailbox.works_again();
        world.advance(seconds(60));
        world.deliver().await;
        let letter = world.letter_to("ada@example.org");
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // A sign-up lives for a day, whatever happens to its codes.
    async fn a_sign_up_is_over_after_a_day(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        world.advance(hours(24).checked_sub(MILLISECOND).unwrap());
        world.asks_again("ada@example.org").await;
        let again = world.letter_to("ada@example.org");
        assert_eq!(again.token(), letter.token());
        world.advance(MILLISECOND);
        assert_eq!(refusal(world.confirms("ada@example.org", PASSWORD, &again.code()).await), "Refused");
        assert_eq!(refusal(world.clicks(&again.token(), Some(PASSWORD)).await), "LinkExpired");
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Refused");
    }
}
