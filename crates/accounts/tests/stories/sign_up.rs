use crate::on_both_stores;
use crate::world::*;
use vestibule::{Actor, ConfirmMethod, Disclosure, NewUser, SendError, SignUp, SignUpMode, UserQuery};

on_both_stores! {
    // M1, M2, M3: the simplest path.
    async fn somebody_signs_up_confirms_and_signs_in(world: &World) {
        let pending = world.signs_up_with("Ada@example.org", PASSWORD).await.unwrap();
        assert_eq!(pending.email.as_str(), "Ada@example.org");
        assert_eq!(pending.methods, [ConfirmMethod::Code, ConfirmMethod::Link]);
        assert_eq!(pending.expires_at, world.clock.now() + hours(24));
        assert_eq!(pending.resend_after, world.clock.now() + seconds(60));
        let letter = world.letter_to("ada@example.org");
        assert_eq!(letter.mail.to.as_str(), "Ada@example.org");
        assert_eq!(letter.code().len(), 4);
        let account = world.confirms("ada@EXAMPLE.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(account.email.as_str(), "Ada@example.org");
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        let signed_in = world.accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        assert_eq!(signed_in.account, account);
    }

    // S1: a sign-up is not a user.
    async fn a_pending_sign_up_is_no_user(world: &World) {
        world.signs_up("ada@example.org").await;
        let users = world.accounts.list_users(Actor::Operator, &UserQuery::default()).await.unwrap();
        assert!(users.items.is_empty());
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Unconfirmed");
        assert_eq!(refusal(world.signs_in("ada@example.org", OTHER_PASSWORD).await), "Refused");
    }

    // S1: several sign-ups of one address coexist, each with its own password; whichever is confirmed first wins.
    async fn three_sign_ups_wait_side_by_side(world: &World) {
        let passwords = ["first-violet-otter-1", "second-violet-otter-2", "third-violet-otter-3"];
        let mut letters = Vec::new();
        for password in passwords {
            world.signs_up_with("ada@example.org", password).await.unwrap();
            letters.push(world.letter_to("ada@example.org"));
        }
        world.confirms("ada@example.org", passwords[0], &letters[0].code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        // The activation made decoys of the others (S3, S5).
        assert_eq!(refusal(world.clicks(&letters[2].token(), Some(passwords[2])).await), "LinkUsed");
        let guess = world.confirms("ada@example.org", passwords[2], &letters[2].code()).await;
        assert_eq!(refusal(guess), "CodeInvalid { attempts_left: 2 }");
        assert_eq!(refusal(world.signs_in("ada@example.org", passwords[2]).await), "Unconfirmed");
        world.signs_in("ada@example.org", passwords[0]).await.unwrap();
    }

    // After a double click, or a second try, whichever mail is opened first works.
    async fn the_code_of_either_mail_works_when_the_password_is_the_same(world: &World) {
        let first = world.signs_up("ada@example.org").await;
        let second = world.signs_up("ada@example.org").await;
        assert_ne!(first.mail.id, second.mail.id);
        world.confirms("ada@example.org", PASSWORD, &first.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        // An answer different from a decoy's would reveal that a guessed password is that of the account.
        for (letter, left) in [(first, 1), (second, 0)] {
            let again = world.confirms("ada@example.org", PASSWORD, &letter.code()).await;
            assert_eq!(refusal(again), format!("CodeInvalid {{ attempts_left: {left} }}"));
        }
    }

    // M2: one account, however the address is typed.
    async fn spellings_of_an_address_are_one_account(world: &World) {
        let account = world.has_account("ärger@bücher.example").await;
        for spelling in ["ÄRGER@BÜCHER.example", "a\u{308}rger@xn--bcher-kva.example", "ärger@ｂücher.example"] {
            let tokens = world.signs_in(spelling, PASSWORD).await.unwrap();
            assert_eq!(tokens.account.id, account.id);
            world.signs_up_with(spelling, OTHER_PASSWORD).await.unwrap();
        }
        // One notice a day, to the spelling that the account has.
        let notices = world.take_mails_to("ärger@bücher.example");
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].content.kind(), "already_registered");
        assert_eq!(notices[0].to.as_str(), "ärger@bücher.example");
    }

    // P2: one password, however the keyboard composes it.
    async fn spellings_of_a_password_are_one_password(world: &World) {
        world.signs_up_with("ada@example.org", "Käfer-Brücke-Öl-9").await.unwrap();
        let letter = world.letter_to("ada@example.org");
        let decomposed = "Ka\u{308}fer-Bru\u{308}cke-O\u{308}l-9";
        world.confirms("ada@example.org", decomposed, &letter.code()).await.unwrap();
        world.signs_in("ada@example.org", "Käfer-Brücke-Öl-9").await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // P3
    async fn weak_passwords_are_refused_with_their_reason(world: &World) {
        let refused = |password: &'static str| async move { refusal(world.signs_up_with("ada@example.org", password).await) };
        assert_eq!(refused("short-1").await, "Password(TooShort { min: 8 })");
        assert_eq!(refused("password1").await, "Password(TooCommon)");
        assert_eq!(refused("ada@example.org").await, "Password(Contextual)");
        assert!(refused("abcdefghijk").await.starts_with("Password("));
    }

    // An `Idempotency-Key` makes a repetition harmless.
    async fn a_repeated_request_gets_the_same_answer_and_one_mail(world: &World) {
        let wish = SignUp { idempotency_key: Some("attempt-1".into()), ..wish("ada@example.org", PASSWORD) };
        let first = world.accounts.sign_up(wish.clone(), &client()).await.unwrap();
        world.advance(seconds(5));
        let second = world.accounts.sign_up(wish.clone(), &client()).await.unwrap();
        assert_eq!(first, second);
        let other = SignUp { password: password(OTHER_PASSWORD), ..wish.clone() };
        assert_eq!(refusal(world.accounts.sign_up(other, &client()).await), "IdempotencyKeyReused");
        // Another person may use the same key.
        let somebody = SignUp { email: address("bob@example.org"), ..wish.clone() };
        world.accounts.sign_up(somebody, &client()).await.unwrap();
        world.deliver().await;
        world.letter_to("ada@example.org");
        world.letter_to("bob@example.org");
        // The key expires after a day.
        world.advance(hours(24));
        let later = world.accounts.sign_up(wish, &client()).await.unwrap();
        assert!(later.expires_at > first.expires_at);
        world.deliver().await;
        world.letter_to("ada@example.org");
    }

    async fn twenty_repetitions_at_once_cause_one_mail(world: &World) {
        let wish = SignUp { idempotency_key: Some("attempt-1".into()), ..wish("ada@example.org", PASSWORD) };
        let from = client();
        let attempts = (0..20).map(|_| world.accounts.sign_up(wish.clone(), &from));
        let answers = futures_util::future::join_all(attempts).await;
        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
        world.deliver().await;
        world.letter_to("ada@example.org");
    }

    // D3: user names are public; the email address is not.
    async fn a_taken_user_name_is_told(world: &World) {
        let named = |email, name: &str| SignUp { user_name: Some(name.parse().unwrap()), ..wish(email, PASSWORD) };
        world.accounts.sign_up(named("ada@example.org", "Modern.Ada"), &client()).await.unwrap();
        world.deliver().await;
        let letter = world.letter_to("ada@example.org");
        // Two pending sign-ups may request the same name.
        world.accounts.sign_up(named("eve@example.org", "modern.ada"), &client()).await.unwrap();
        world.deliver().await;
        let eve = world.letter_to("eve@example.org");
        let ada = world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(ada.user_name.unwrap().as_str(), "Modern.Ada");
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        // The second is refused at activation, and may choose another name: the code still works.
        assert_eq!(refusal(world.confirms("eve@example.org", PASSWORD, &eve.code()).await), "UserNameTaken");
        let code = eve.code().parse().unwrap();
        let other = Some("eve-of-kent".parse().unwrap());
        let confirmed = world
            .accounts
            .confirm_by_code(&address("eve@example.org"), &password(PASSWORD), &code, other, &client())
            .await
            .unwrap();
        assert_eq!(confirmed.user_name.unwrap().as_str(), "eve-of-kent");
        world.deliver().await;
        assert_eq!(world.kinds_to("eve@example.org"), ["welcome"]);
        // From now on sign-up refuses the name for anyone, also one that only looks like it.
        let taken = world.accounts.sign_up(named("bob@example.org", "MODERN.ADA"), &client()).await;
        assert_eq!(refusal(taken), "UserNameTaken");
        let similar = world.accounts.sign_up(named("bob@example.org", "rnodern.ada"), &client()).await;
        assert_eq!(refusal(similar), "UserNameTaken");
    }

    // Nobody learns more about a taken address, and sign-ups under way can be completed.
    async fn closed_sign_ups_leave_every_other_way_open(world: &World) {
        world.has_account("ada@example.org").await;
        let letter = world.signs_up("bob@example.org").await;
        for mode in [SignUpMode::Invitation, SignUpMode::Closed] {
            let closed = world.instance_with(|policy| policy.sign_up.mode = mode).await;
            for (email, password) in [("ada@example.org", PASSWORD), ("carla@example.org", PASSWORD), ("carla@example.org", "password1")] {
                let answer = closed.sign_up(wish(email, password), &client()).await;
                assert_eq!(refusal(answer), "Closed", "{mode:?} {email} {password}");
            }
            let wish = wish("carla@example.org", PASSWORD);
            assert_eq!(refusal(closed.sign_up_in_browser(wish, &client()).await), "Closed");
        }
        let closed = world.instance_with(|policy| policy.sign_up.mode = SignUpMode::Closed).await;
        confirm(&closed, "bob@example.org", PASSWORD, &letter.code()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("bob@example.org"), ["welcome"]);
        let root = NewUser { display_name: None, email: address("root@example.org"), password: password(PASSWORD), user_name: None, roles: vec![] };
        closed.create_user(Actor::Operator, root).await.unwrap();
    }

    async fn friendly_disclosure_tells_that_an_address_is_taken(world: &World) {
        world.has_account("ada@example.org").await;
        let friendly = world.instance_with(|policy| policy.sign_up.disclosure = Disclosure::Friendly).await;
        let answer = friendly.sign_up(wish("ada@example.org", OTHER_PASSWORD), &client()).await;
        assert_eq!(refusal(answer), "EmailTaken");
    }

    // M5: no mailbox is flooded, and the answer does not reveal it.
    async fn an_address_gets_ten_requested_mails_a_day(world: &World) {
        for _ in 0..12 {
            world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
            world.advance(seconds(1200));
        }
        let kinds = [["confirm"; 3].as_slice(), &["choose_password"; 7]].concat();
        assert_eq!(world.kinds_to("ada@example.org"), kinds);
        world.advance(hours(24));
        world.signs_up("ada@example.org").await;
    }

    // P6: the expensive part comes after the limit: a client beyond it does not learn whether a password is good.
    async fn a_client_beyond_its_limit_has_nothing_judged(world: &World) {
        let strict = world.instance_with(|policy| policy.sign_up.client_mails.most = 1).await;
        let from = client_at("192.0.2.7");
        let weak = |email| strict.sign_up(wish(email, "aaaaaaaaaaaaaaaaaaa"), &from);
        assert!(refusal(weak("ada@example.org").await).starts_with("Password(Guessable"));
        strict.sign_up(wish("bob@example.org", PASSWORD), &from).await.unwrap();
        assert!(refusal(weak("carla@example.org").await).starts_with("Limited"));
        world.deliver().await;
        world.letter_to("bob@example.org");
    }

    // P6: sign-up works while mail does not, and the mail arrives later with a code that lasts its minute.
    async fn a_mail_outage_does_not_stop_sign_up(world: &World) {
        world.mailbox.fails(SendError::Temporary("connection refused".into()));
        world.signs_up_with("ada@example.org", PASSWORD).await.unwrap();
        let health = world.accounts.health().await.unwrap();
        assert_eq!((health.mails_waiting, health.last_mail_error.as_deref()), (1, Some("temporary: connection refused")));
        world.mailbox.works_again();
        world.advance(hours(1));
        world.deliver().await;
        let letter = world.letter_to("ada@example.org");
        assert_eq!(world.accounts.health().await.unwrap().last_mail_error, None);
        world.advance(seconds(59));
        world.confirms("ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // The same through another instance and after a restart: nothing is kept in memory only.
    async fn instances_share_everything(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let other = world.another_instance().await;
        confirm(&other, "ada@example.org", PASSWORD, &letter.code()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        let tokens = world.signs_in("ada@example.org", PASSWORD).await.unwrap();
        other.authenticate(tokens.access_token.expose()).await.unwrap();
        assert_eq!(other.jwks(), world.accounts.jwks());
    }

    // A user created by an operator replaces all pending sign-ups.
    async fn a_user_made_by_the_operator_ends_open_sign_ups(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let new = NewUser {
            email: address("ada@example.org"),
            display_name: None,
            password: password(OTHER_PASSWORD),
            user_name: None,
            roles: vec![],
        };
        world.accounts.create_user(Actor::Operator, new).await.unwrap();
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkUsed");
        world.signs_in("ada@example.org", OTHER_PASSWORD).await.unwrap();
    }
}
