use crate::on_both_stores;
use crate::world::*;
use vestibule::{LinkState, MailedLink, Terms};

on_both_stores! {
    async fn a_link_and_the_password_activate(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        assert_eq!(world.accounts.link_state(MailedLink::Confirmation, &letter.token()).await.unwrap(), LinkState::Open(address("ada@example.org")));
        let account = world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(account.email.as_str(), "ada@example.org");
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
        world.signs_in("ada@example.org", PASSWORD).await.unwrap();
    }

    // S8: looking at a link, however often, changes nothing.
    async fn looking_changes_nothing(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        for _ in 0..20 {
            assert_eq!(world.accounts.link_state(MailedLink::Confirmation, &letter.token()).await.unwrap(), LinkState::Open(address("ada@example.org")));
        }
        assert_eq!(refusal(world.signs_in("ada@example.org", PASSWORD).await), "Unconfirmed");
    }

    // S5, T4
    async fn a_link_works_once(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        world.clicks(&letter.token(), Some(PASSWORD)).await.unwrap();
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkUsed");
        assert_eq!(world.accounts.link_state(MailedLink::Confirmation, &letter.token()).await.unwrap(), LinkState::Used);
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // T3: it is expired when now >= the end.
    async fn a_link_works_for_a_day(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        world.advance(hours(24));
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkExpired");
        world.accounts.sweep().await.unwrap();
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkExpired");
    }

    // S4: an attacker signs up with a stranger's address and their own password, and the stranger presses the button.
    async fn a_click_on_a_strangers_mail_activates_nothing(world: &World) {
        let letter = world.signs_up("victim@example.org").await;
        assert_eq!(refusal(world.clicks(&letter.token(), None).await), "Refused");
        assert_eq!(refusal(world.clicks(&letter.token(), Some(OTHER_PASSWORD)).await), "Refused");
        assert_eq!(refusal(world.signs_in("victim@example.org", PASSWORD).await), "Unconfirmed");
        // It does not take the address: its owner signs up, and gets the account.
        world.signs_up_with("victim@example.org", OTHER_PASSWORD).await.unwrap();
        let own = world.letter_to("victim@example.org");
        world.clicks(&own.token(), Some(OTHER_PASSWORD)).await.unwrap();
        assert_eq!(world.kinds_to("victim@example.org"), ["welcome"]);
        // The attacker's sign-up no longer works, and the holder of the mail learns that there is an account.
        assert_eq!(refusal(world.signs_in("victim@example.org", PASSWORD).await), "Unconfirmed");
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkUsed");
        world.deletes("victim@example.org").await;
        assert_eq!(refusal(world.clicks(&letter.token(), Some(PASSWORD)).await), "LinkExpired");
    }

    async fn the_password_may_be_waived_by_the_operator(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        let lenient = world.instance_with(|policy| policy.confirm.require_password = false).await;
        let wrong = password(OTHER_PASSWORD);
        let refused = lenient.confirm_by_link(&letter.token(), Some(&wrong), None, Terms::Unanswered, &client()).await;
        assert_eq!(refusal(refused), "Refused");
        lenient.confirm_by_link(&letter.token(), None, None, Terms::Unanswered, &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to("ada@example.org"), ["welcome"]);
    }

    // T1, T5: nothing else is accepted as a link: a changed token, one of another server, another kind of token.
    async fn other_tokens_are_not_links(world: &World) {
        let letter = world.signs_up("ada@example.org").await;
        world.has_account("bob@example.org").await;
        let tokens = world.signs_in("bob@example.org", PASSWORD).await.unwrap();
        let mut elsewhere = world.settings.clone();
        elsewhere.secret_key = vestibule::SecretKey::generate();
        let changed = letter.token().chars().rev().collect::<String>();
        let long = letter.token().repeat(1000);
        for token in ["", "x", &changed, &long, tokens.access_token.expose(), tokens.refresh_token.expose(), "ÄÖÜ\0"] {
            assert_eq!(refusal(world.clicks(token, Some(PASSWORD)).await), "LinkInvalid");
            assert_eq!(world.accounts.link_state(MailedLink::Confirmation, token).await.unwrap(), LinkState::Invalid);
        }
        assert!(world.accounts.authenticate(&letter.token()).await.is_err());
        assert!(world.accounts.refresh(&letter.token(), &client()).await.is_err());
    }

    // The keys in the database do not decrypt with another secret key, and the program reports it at start.
    async fn another_secret_key_is_refused_at_the_start(world: &World) {
        let mut settings = world.settings.clone();
        settings.secret_key = vestibule::SecretKey::generate();
        let error = vestibule::Accounts::open(settings).await.unwrap_err();
        assert!(matches!(error, vestibule::OpenError::WrongSecretKey), "{error}");
    }
}
