//! Changing the secret key: what is stored and what is in flight keeps working.

use std::time::Duration;

use crate::on_both_stores;
use crate::world::*;
use futures_util::future::join_all;
use vestibule::{
    Accounts, Actor, Client, Login, MailContent, OpenError, SecretKey, Settings, Terms, Tokens, UserOrder,
    UserQuery,
};

const ADA: &str = "ada@example.org";
const MINUTE: Duration = Duration::from_mins(1);

/// The settings after the change, with the previous key.
fn changed(world: &World) -> Settings {
    Settings {
        secret_key: SecretKey::generate(),
        previous_secret_key: Some(world.settings.secret_key.clone()),
        ..world.settings.clone()
    }
}

/// The settings once nothing is in flight any longer.
fn finished(changed: &Settings) -> Settings {
    Settings { previous_secret_key: None, ..changed.clone() }
}

async fn open(settings: &Settings) -> Accounts {
    Accounts::open(settings.clone()).await.unwrap()
}

async fn is_valid(accounts: &Accounts, tokens: &Tokens) -> bool {
    accounts.authenticate(tokens.access_token.expose()).await.is_ok()
}

async fn signs_in_with(accounts: &Accounts, secret: &str) -> Result<Tokens, vestibule::SignInError> {
    accounts.sign_in(&Login::Email(address(ADA)), &password(secret), &client()).await
}

/// The token of a reset mail requested now.
async fn reset_token(world: &World) -> String {
    world.accounts.forgot_password(&address(ADA), &Client::default()).await.unwrap();
    world.deliver().await;
    let mails = world.take_mails_to(ADA);
    let MailContent::PasswordReset { link, .. } = &mails[0].content else {
        panic!("{:?}", mails[0].content.kind())
    };
    link.expose().split_once("token=").unwrap().1.to_owned()
}

on_both_stores! {
    // J6, R1: no session ends, no token becomes invalid, and afterwards the keys are decrypted with the new secret
    // alone.
    async fn nobody_is_signed_out(world: &World) {
        world.has_account(ADA).await;
        let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
        let settings = changed(world);
        let accounts = open(&settings).await;
        assert!(is_valid(&accounts, &tokens).await);
        assert_eq!(accounts.jwks(), world.accounts.jwks(), "the same keys");
        let accounts = open(&finished(&settings)).await;
        assert!(is_valid(&accounts, &tokens).await);
        let tokens = accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
        assert!(is_valid(&accounts, &tokens).await);
        // The previous secret no longer decrypts anything.
        let error = Accounts::open(world.settings.clone()).await.unwrap_err();
        assert!(matches!(error, OpenError::WrongSecretKey), "{error}");
    }

    // T1, D5, C3: links work for their lifetime, codes for their minute; new mails use the new secret.
    async fn links_and_codes_in_flight_still_work(world: &World) {
        world.has_account(ADA).await;
        let by_code = world.signs_up("bob@example.org").await;
        let by_link = world.signs_up("carol@example.org").await;
        let too_late = world.signs_up("dave@example.org").await;
        let reset = reset_token(world).await;
        let settings = changed(world);
        let accounts = open(&settings).await;
        let wrong = confirm(&accounts, "bob@example.org", PASSWORD, &by_code.wrong_code()).await;
        assert_eq!(refusal(wrong), "CodeInvalid { attempts_left: 2 }");
        confirm(&accounts, "bob@example.org", PASSWORD, &by_code.code()).await.unwrap();
        accounts.confirm_by_link(&by_link.token(), Some(&password(PASSWORD)), None, Terms::Unanswered, &client()).await.unwrap();
        accounts.reset_password(&reset, &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.advance(seconds(60));
        let late = confirm(&accounts, "dave@example.org", PASSWORD, &too_late.code()).await;
        assert_eq!(refusal(late), "CodeExpired");
        // Without the previous key, its links are invalid; the code of the new mail is from the new key.
        let accounts = open(&finished(&settings)).await;
        let gone = accounts.confirm_by_link(&too_late.token(), Some(&password(PASSWORD)), None, Terms::Unanswered, &client()).await;
        assert_eq!(refusal(gone), "LinkInvalid");
        accounts.resend(&address("dave@example.org"), &client()).await.unwrap();
        while accounts.deliver(&world.mailbox).await.unwrap().sent > 0 {}
        let again = world.letter_to("dave@example.org");
        assert_ne!(again.token(), too_late.token());
        confirm(&accounts, "dave@example.org", PASSWORD, &again.code()).await.unwrap();
        world.deliver().await;
        for (email, kind) in [("bob@example.org", "welcome"), ("carol@example.org", "welcome"), ("dave@example.org", "welcome"), (ADA, "password_changed")] {
            assert_eq!(world.kinds_to(email), [kind], "{email}");
        }
    }

    // C3: two correct codes are twice as easy to guess, so this ends by itself, even if the setting is left in place.
    async fn codes_of_the_key_before_count_for_an_hour(world: &World) {
        let accounts = open(&changed(world)).await;
        world.advance(59 * MINUTE);
        let letter = world.signs_up("bob@example.org").await;
        confirm(&accounts, "bob@example.org", PASSWORD, &letter.code()).await.unwrap();
        world.advance(MINUTE);
        let letter = world.signs_up("carol@example.org").await;
        let refused = confirm(&accounts, "carol@example.org", PASSWORD, &letter.code()).await;
        assert_eq!(refusal(refused), "CodeInvalid { attempts_left: 2 }");
        accounts.confirm_by_link(&letter.token(), Some(&password(PASSWORD)), None, Terms::Unanswered, &client()).await.unwrap();
        world.deliver().await;
        for email in ["bob@example.org", "carol@example.org"] {
            assert_eq!(world.kinds_to(email), ["welcome"]);
        }
    }

    // G1
    async fn a_list_is_read_on_across_the_change(world: &World) {
        world.has_account(ADA).await;
        world.has_account("bob@example.org").await;
        let first = UserQuery { limit: Some(1), order: UserOrder::Oldest, ..UserQuery::default() };
        let cursor = world.accounts.list_users(Actor::Operator, &first).await.unwrap().next_cursor;
        assert!(cursor.is_some());
        let (rest, settings) = (UserQuery { cursor, ..first }, changed(world));
        let page = open(&settings).await.list_users(Actor::Operator, &rest).await.unwrap();
        assert_eq!(page.items[0].account.email, address("bob@example.org"));
        let refused = open(&finished(&settings)).await.list_users(Actor::Operator, &rest).await;
        assert_eq!(refusal(refused), "CursorInvalid");
    }

    // C5, L2: counters outlive the change, so that nobody can wait for it to guess again.
    async fn counters_go_on(world: &World) {
        world.has_account(ADA).await;
        for _ in 0..5 {
            assert_eq!(refusal(world.signs_in(ADA, OTHER_PASSWORD).await), "Refused");
        }
        let settings = changed(world);
        for accounts in [open(&settings).await, open(&finished(&settings)).await] {
            assert_eq!(refusal(signs_in_with(&accounts, PASSWORD).await), "Limited { retry_after: 1s }");
        }
    }

    // An instance that still runs with the previous key continues until it is restarted.
    async fn a_running_instance_is_not_disturbed(world: &World) {
        world.has_account(ADA).await;
        let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
        let settings = changed(world);
        let accounts = open(&settings).await;
        world.accounts.sweep().await.unwrap();
        let tokens = world.accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
        assert!(is_valid(&accounts, &tokens).await && is_valid(&world.accounts, &tokens).await);
        // Restarted with both keys swapped, as before the change, it decrypts them as well.
        let back = Settings { secret_key: world.settings.secret_key.clone(), previous_secret_key: Some(settings.secret_key.clone()), ..settings.clone() };
        assert!(is_valid(&open(&back).await, &tokens).await);
        assert!(is_valid(&open(&settings).await, &tokens).await);
    }

    async fn instances_that_start_together_agree(world: &World) {
        world.has_account(ADA).await;
        let tokens = world.signs_in(ADA, PASSWORD).await.unwrap();
        world.accounts.rotate_keys(vestibule::Rotation::default()).await.unwrap();
        let settings = changed(world);
        let opened = join_all((0..6).map(|_| Accounts::open(settings.clone()))).await;
        for accounts in opened {
            let accounts = accounts.unwrap();
            assert!(is_valid(&accounts, &tokens).await);
            signs_in_with(&accounts, PASSWORD).await.unwrap();
        }
        assert_eq!(open(&finished(&settings)).await.jwks().matches("\"kid\"").count(), 2);
    }

    async fn a_wrong_or_repeated_key_is_refused_at_the_start(world: &World) {
        let neither = Settings {
            secret_key: SecretKey::generate(),
            previous_secret_key: Some(SecretKey::generate()),
            ..world.settings.clone()
        };
        let error = Accounts::open(neither).await.unwrap_err();
        assert!(matches!(error, OpenError::WrongSecretKey), "{error}");
        let same = Settings { previous_secret_key: Some(world.settings.secret_key.clone()), ..world.settings.clone() };
        let error = Accounts::open(same).await.unwrap_err();
        assert!(matches!(error, OpenError::SameSecretKey), "{error}");
        // Neither attempt has changed anything.
        world.another_instance().await;
    }
}
