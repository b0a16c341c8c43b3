//! Passkeys: what they open, whose they are, and accounts that have nothing else.

use crate::factors::*;
use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    CeremonyError, Factor, MailContent, ResetError, SecondFactor, SecondFactorError, SecurityEvent,
};
use vestibule_testing::webauthn::UV;

const ADA: &str = "ada@example.org";

on_both_stores! {
    async fn a_passkey_signs_in_alone_and_nothing_else_names_its_user(world: &World) {
        let account = world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let passkey = world.adds_passkey(&who).await;
        let asked = world.accounts.begin_passkey_sign_in(None).await.unwrap();
        assert_eq!(asked.public_key["allowCredentials"], serde_json::json!([]));
        assert_eq!(asked.public_key["userVerification"], "required");
        let given = uses(&passkey, &asked);
        let tokens = world.accounts.sign_in_with_passkey(&given, &client()).await.unwrap();
        let who = world.who_is(tokens.access_token.expose()).await;
        assert_eq!((who.account.id, who.amr().names()), (account.id, vec!["swk", "mfa"]));
        // The ceremony is spent.
        assert_eq!(refusal(world.accounts.sign_in_with_passkey(&given, &client()).await), "Invalid");
        // A passkey alone does not make the password ask for it.
        world.session_of(ADA).await;
        let ways = world.accounts.ways_in(&who).await.unwrap().unwrap();
        assert_eq!(ways.passkeys[0].last_used_at, Some(world.clock.now()));
    }

    // B18
    async fn hole_b18_the_account_comes_from_the_credential(world: &World) {
        world.has_account(ADA).await;
        let eve = world.has_account("eve@example.org").await;
        let ada = world.adds_passkey(&world.session_of(ADA).await).await;
        let mut own = world.adds_passkey(&world.session_of("eve@example.org").await).await;
        assert_eq!(world.passkey_session(&own).await.account.id, eve.id);
        // Eve's authenticator says that it is Ada's.
        own.user_handle.clone_from(&ada.user_handle);
        let asked = world.accounts.begin_passkey_sign_in(None).await.unwrap();
        let refused = world.accounts.sign_in_with_passkey(&uses(&own, &asked), &client()).await;
        assert_eq!(refusal(refused), "Invalid");
        // Nor does it answer for her in her session, or for her challenge.
        own.user_handle = None;
        let who = world.session_of(ADA).await;
        let asked = world.accounts.begin_passkey_step_up(&who).await.unwrap();
        let given = SecondFactor::Passkey(uses(&own, &asked));
        let refused = world.accounts.reauthenticate_with(&who, &given, &client()).await;
        assert!(matches!(refused, Err(SecondFactorError::Invalid { .. })), "{refused:?}");
    }

    async fn what_breaks_a_rule_of_passkeys_signs_nobody_in(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let mut passkey = world.adds_passkey(&who).await;
        let sign_in = async |given| refusal(world.accounts.sign_in_with_passkey(&given, &client()).await);
        let begin = async || world.accounts.begin_passkey_sign_in(None).await.unwrap();
        passkey.flags &= !UV;
        assert_eq!(sign_in(uses(&passkey, &begin().await)).await, "Invalid");
        passkey.flags |= UV;
        let late = uses(&passkey, &begin().await);
        world.advance(seconds(300));
        assert_eq!(sign_in(late).await, "Invalid");
        // A ceremony of a session, or of a challenge, is none for signing in.
        let of_session = world.accounts.begin_passkey_step_up(&world.session_of(ADA).await).await.unwrap();
        assert_eq!(sign_in(uses(&passkey, &of_session)).await, "Invalid");
        // Whoever was not named before must be named by the authenticator.
        let handle = passkey.user_handle.take();
        assert_eq!(sign_in(uses(&passkey, &begin().await)).await, "Invalid");
        passkey.user_handle = handle;
        // Nobody has this one.
        let stranger = vestibule_testing::webauthn::Authenticator::new(-7);
        assert_eq!(sign_in(uses(&stranger, &begin().await)).await, "Unknown");
    }

    async fn a_counter_that_goes_back_is_reported_and_not_refused(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let mut passkey = world.adds_passkey(&who).await;
        passkey.sign_count = 7;
        world.passkey_session(&passkey).await;
        passkey.sign_count = 7;
        world.passkey_session(&passkey).await;
        world.notified(ADA, &SecurityEvent::PasskeyCounterWentBack("Passkey".to_owned())).await;
    }

    async fn a_passkey_answers_the_challenge_it_was_asked_for(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let app = world.adds_app(&who).await;
        let passkey = world.adds_passkey(&who).await;
        let (one, two) = (world.is_asked(ADA).await.challenge, world.is_asked(ADA).await);
        assert_eq!(two.methods, [Factor::Totp, Factor::Passkey, Factor::RecoveryCode]);
        let asked = world.accounts.begin_passkey_sign_in(Some(one.expose())).await.unwrap();
        assert_eq!(asked.public_key["allowCredentials"].as_array().unwrap().len(), 1);
        let given = SecondFactor::Passkey(uses(&passkey, &asked));
        let other = world.accounts.second_factor(two.challenge.expose(), &given, &client()).await;
        assert_eq!(refusal(other), "Invalid { attempts_left: 4 }");
        let tokens = world.accounts.second_factor(one.expose(), &given, &client()).await.unwrap();
        assert_eq!(world.who_is(tokens.access_token.expose()).await.amr().names(), ["pwd", "swk", "mfa"]);
        let expired = world.accounts.begin_passkey_sign_in(Some(one.expose())).await;
        assert!(matches!(expired, Err(CeremonyError::Expired)));
        drop(app);
    }

    async fn an_account_can_do_without_a_password(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        assert_eq!(refusal(world.accounts.remove_password(&who, &client()).await), "LastWayIn");
        let passkey = world.adds_passkey(&who).await;
        world.accounts.remove_password(&who, &client()).await.unwrap();
        world.notified(ADA, &SecurityEvent::PasswordRemoved).await;
        assert_eq!(refusal(world.signs_in(ADA, PASSWORD).await), "Refused");
        let who = world.passkey_session(&passkey).await;
        let ways = world.accounts.ways_in(&who).await.unwrap().unwrap();
        assert!(!ways.password && ways.passkeys.len() == 1);
        assert_eq!(refusal(world.accounts.remove_passkey(&who, ways.passkeys[0].id, &client()).await), "LastWayIn");
        // Whoever has the mailbox only gives it no password.
        world.accounts.forgot_password(&address(ADA), &client()).await.unwrap();
        world.deliver().await;
        let mails = world.take_mails_to(ADA);
        let MailContent::PasswordReset { link, .. } = &mails[0].content else { panic!("{mails:?}") };
        let token = link.expose().split_once("token=").unwrap().1;
        let reset = world.accounts.reset_password(token, &password(OTHER_PASSWORD), &client()).await;
        assert!(matches!(reset, Err(ResetError::FactorNeeded)), "{reset:?}");
        // The owner does, in a session of the passkey, without giving one.
        world.accounts.change_password(&who, None, &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["password_changed"]);
        world.signs_in(ADA, OTHER_PASSWORD).await.unwrap();
        let given = world.accounts.change_password(&who, None, &password(PASSWORD), &client()).await;
        assert_eq!(refusal(given), "PasswordRequired");
    }
}
