//! Authenticator apps, recovery codes and passkeys: how they are added, what they open, and what they never do.

use crate::factors::*;
use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Actor, EmailProof, FactorError, MailContent, PasskeySignInError, Reason, RequireFactor, SecondFactor,
    SecondFactorError, SecurityEvent, SignInError, UserRef,
};

const ADA: &str = "ada@example.org";

fn recovery(code: &vestibule::RecoveryCode) -> SecondFactor {
    SecondFactor::RecoveryCode(code.clone())
}

on_both_stores! {
    async fn an_app_is_asked_for_after_the_password_and_never_before(world: &World) {
        world.has_account(ADA).await;
        let other = world.session_of(ADA).await;
        let who = world.session_of(ADA).await;
        let app = world.adds_app(&who).await;
        assert_eq!(app.recovery_codes.len(), 10);
        // The other sessions ended, and this one has proven two factors.
        let (now, gone) = (world.accounts.list_sessions(&who).await.unwrap(), other.session_id);
        assert_eq!(now.iter().map(|session| session.id).collect::<Vec<_>>(), [who.session_id]);
        assert!(now[0].amr.is_multi_factor() && now[0].id != gone);
        // A wrong password says what it always said.
        assert_eq!(refusal(world.signs_in(ADA, OTHER_PASSWORD).await), "Refused");
        let challenge = world.is_asked(ADA).await;
        assert_eq!(methods(&challenge), ["totp", "recovery_code"]);
        assert!(challenge.challenge.expose().starts_with("vsf_"));
        assert_eq!(challenge.expires_at, world.clock.now() + seconds(300));
        let given = SecondFactor::Code(world.code_of(&app.secret));
        let tokens = world.accounts.second_factor(challenge.challenge.expose(), &given, &client()).await.unwrap();
        let who = world.who_is(tokens.access_token.expose()).await;
        assert_eq!(who.amr().names(), ["pwd", "otp", "mfa"]);
        // The challenge is taken.
        let again = world.accounts.second_factor(challenge.challenge.expose(), &given, &client()).await;
        assert_eq!(refusal(again), "Expired");
    }

    // B20
    async fn hole_b20_a_code_works_once_even_in_its_window(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let app = world.adds_app(&who).await;
        let (one, two) = (world.is_asked(ADA).await, world.is_asked(ADA).await);
        let given = SecondFactor::Code(world.code_of(&app.secret));
        world.accounts.second_factor(one.challenge.expose(), &given, &client()).await.unwrap();
        for after in [0, 29] {
            world.advance(seconds(after));
            let again = world.accounts.second_factor(two.challenge.expose(), &given, &client()).await;
            assert!(matches!(again, Err(SecondFactorError::Invalid { .. })), "{again:?}");
        }
        // The next one does, and that of the step before does not any more.
        world.advance(seconds(30));
        let next = SecondFactor::Code(world.code_of(&app.secret));
        world.advance(seconds(29));
        world.accounts.second_factor(two.challenge.expose(), &next, &client()).await.unwrap();
    }

    async fn wrong_codes_are_counted_for_the_account_and_hold_up_nothing_else(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let app = world.adds_app(&who).await;
        let wrong = || SecondFactor::Code("000000".parse().unwrap());
        let mut left = Vec::new();
        for _ in 0..5 {
            // Another challenge gives no more guesses, and neither does a right password.
            let challenge = world.is_asked(ADA).await.challenge;
            match world.accounts.second_factor(challenge.expose(), &wrong(), &client()).await.unwrap_err() {
                SecondFactorError::Invalid { attempts_left } => left.push(attempts_left),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(left, [4, 3, 2, 1, 0]);
        world.notified(ADA, &SecurityEvent::SecondFactorFailed).await;
        let challenge = world.is_asked(ADA).await.challenge;
        let right = SecondFactor::Code(world.code_of(&app.secret));
        let limited = world.accounts.second_factor(challenge.expose(), &right, &client()).await;
        assert!(matches!(limited, Err(SecondFactorError::Limited { .. })), "{limited:?}");
        // Recovery codes have a counter of their own, and a session clears its own only.
        let code = recovery(&app.recovery_codes[0]);
        world.accounts.second_factor(challenge.expose(), &code, &client()).await.unwrap();
        world.notified(ADA, &SecurityEvent::RecoveryCodeUsed(9)).await;
        let challenge = world.is_asked(ADA).await.challenge;
        let limited = world.accounts.second_factor(challenge.expose(), &right, &client()).await;
        assert!(matches!(limited, Err(SecondFactorError::Limited { .. })), "{limited:?}");
        world.advance(seconds(30));
        let right = SecondFactor::Code(world.code_of(&app.secret));
        world.accounts.second_factor(challenge.expose(), &right, &client()).await.unwrap();
        // The admitted session forgot the failures.
        let challenge = world.is_asked(ADA).await.challenge;
        let wrong = world.accounts.second_factor(challenge.expose(), &wrong(), &client()).await;
        assert_eq!(refusal(wrong), "Invalid { attempts_left: 4 }");
    }

    async fn a_recovery_code_works_once_and_new_ones_replace_the_old(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let app = world.adds_app(&who).await;
        let first = recovery(&app.recovery_codes[0]);
        let challenge = world.is_asked(ADA).await.challenge;
        let tokens = world.accounts.second_factor(challenge.expose(), &first, &client()).await.unwrap();
        world.notified(ADA, &SecurityEvent::RecoveryCodeUsed(9)).await;
        let challenge = world.is_asked(ADA).await.challenge;
        let again = world.accounts.second_factor(challenge.expose(), &first, &client()).await;
        assert_eq!(refusal(again), "Invalid { attempts_left: 4 }");
        let who = world.who_is(tokens.access_token.expose()).await;
        let new = world.accounts.make_recovery_codes(&who, &client()).await.unwrap();
        world.notified(ADA, &SecurityEvent::RecoveryCodesMade).await;
        // The change voided the challenge.
        let old = recovery(&app.recovery_codes[1]);
        assert_eq!(refusal(world.accounts.second_factor(challenge.expose(), &old, &client()).await), "Expired");
        let challenge = world.is_asked(ADA).await.challenge;
        let given = world.accounts.second_factor(challenge.expose(), &old, &client()).await;
        assert_eq!(refusal(given), "Invalid { attempts_left: 3 }");
        world.accounts.second_factor(challenge.expose(), &recovery(&new[1]), &client()).await.unwrap();
        world.notified(ADA, &SecurityEvent::RecoveryCodeUsed(9)).await;
    }

    async fn a_challenge_dies_with_whatever_it_was_made_for(world: &World) {
        let user = UserRef::Id(world.has_account(ADA).await.id);
        let app = world.adds_app(&world.session_of(ADA).await).await;
        let challenge = world.is_asked(ADA).await.challenge;
        let given = || SecondFactor::Code(world.code_of(&app.secret));
        world.accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
        assert_eq!(refusal(world.accounts.second_factor(challenge.expose(), &given(), &client()).await), "Expired");
        world.accounts.enable_user(Actor::Operator, &user, None).await.unwrap();
        assert_eq!(refusal(world.accounts.second_factor(challenge.expose(), &given(), &client()).await), "Expired");
        let challenge = world.is_asked(ADA).await.challenge;
        world.accounts.set_password(&user, &password(OTHER_PASSWORD)).await.unwrap();
        assert_eq!(refusal(world.accounts.second_factor(challenge.expose(), &given(), &client()).await), "Expired");
        world.accounts.set_password(&user, &password(PASSWORD)).await.unwrap();
        let late = world.is_asked(ADA).await.challenge;
        world.advance(seconds(300));
        assert_eq!(refusal(world.accounts.second_factor(late.expose(), &given(), &client()).await), "Expired");
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["password_changed", "password_changed"]);
    }

    // B11, ASVS 6.4.3
    async fn hole_b11_a_reset_by_mail_bypasses_no_factor(world: &World) {
        world.has_account(ADA).await;
        let app = world.adds_app(&world.session_of(ADA).await).await;
        world.accounts.forgot_password(&address(ADA), &client()).await.unwrap();
        world.deliver().await;
        let mails = world.take_mails_to(ADA);
        let MailContent::PasswordReset { link, .. } = &mails[0].content else { panic!("{mails:?}") };
        let token = link.expose().split_once("token=").unwrap().1;
        world.accounts.reset_password(token, &password(OTHER_PASSWORD), &client()).await.unwrap();
        let asked = world.signs_in(ADA, OTHER_PASSWORD).await.unwrap_err();
        let SignInError::SecondFactorRequired(asked) = asked else { panic!("{asked:?}") };
        let given = SecondFactor::Code(world.code_of(&app.secret));
        world.accounts.second_factor(asked.challenge.expose(), &given, &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["password_changed"]);
    }

    async fn hole_b15_a_password_is_no_step_up_where_there_is_a_factor(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let passkey = world.adds_passkey(&who).await;
        // Somebody who has the password, and a session that was opened with it a moment ago.
        let thief = world.session_of(ADA).await;
        let stale = |error: &FactorError| matches!(error, FactorError::StepUp(needed) if needed.factor);
        assert!(stale(&world.accounts.begin_authenticator(&thief, &client()).await.unwrap_err()));
        assert!(stale(&world.accounts.begin_passkey(&thief, &client()).await.unwrap_err()));
        assert!(stale(&world.accounts.make_recovery_codes(&thief, &client()).await.unwrap_err()));
        assert!(stale(&world.accounts.remove_password(&thief, &client()).await.unwrap_err()));
        let id = world.accounts.ways_in(&thief).await.unwrap().unwrap().passkeys[0].id;
        assert!(stale(&world.accounts.remove_passkey(&thief, id, &client()).await.unwrap_err()));
        let secret = password(PASSWORD);
        let again = world.accounts.reauthenticate(&thief, &secret, &client()).await.unwrap();
        assert!(stale(&world.accounts.remove_passkey(&again, id, &client()).await.unwrap_err()));
        let other = password(OTHER_PASSWORD);
        let changed = world.accounts.change_password(&thief, &secret, &other, &client()).await;
        assert!(refusal(changed).starts_with("StepUp"));
        let moved = world.accounts.change_email(&thief, &address("eve@example.org"), &secret, &client()).await;
        assert!(refusal(moved).starts_with("StepUp"));
        assert!(refusal(world.accounts.delete_account(&thief, &secret, &client()).await).starts_with("StepUp"));
        // The owner proves it with the passkey, for five minutes.
        let asked = world.accounts.begin_passkey_step_up(&thief).await.unwrap();
        let given = SecondFactor::Passkey(uses(&passkey, &asked));
        let owner = world.accounts.reauthenticate_with(&thief, &given, &client()).await.unwrap();
        assert_eq!(owner.amr().names(), ["pwd", "swk", "mfa"]);
        world.advance(seconds(299));
        world.accounts.change_password(&owner, &secret, &other, &client()).await.unwrap();
        world.advance(seconds(1));
        assert!(refusal(world.accounts.change_password(&owner, &other, &secret, &client()).await).starts_with("StepUp"));
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["password_changed"]);
    }

    // ASVS 6.4.4
    async fn where_a_factor_is_demanded_it_is_enrolled_with_the_mailbox(world: &World) {
        world.has_account(ADA).await;
        let strict = world.instance_with(|policy| policy.second_factor.require = RequireFactor::All).await;
        let login = vestibule::Login::Email(address(ADA));
        let secret = password(PASSWORD);
        // The grace time begins with the first sign-in under the policy.
        let tokens = strict.sign_in(&login, &secret, &client()).await.unwrap();
        let who = strict.authenticate(tokens.access_token.expose()).await.unwrap();
        let due = strict.ways_in(&who).await.unwrap().unwrap().second_factor_required_by;
        assert_eq!(due, Some(world.clock.now() + hours(7 * 24)));
        world.advance(hours(7 * 24));
        assert!(strict.refresh(tokens.refresh_token.expose(), &client()).await.is_err(), "the session ended");
        for _ in 0..2 {
            let refused = strict.sign_in(&login, &secret, &client()).await;
            assert_eq!(refusal(refused), "EnrolmentRequired");
        }
        world.deliver().await;
        let mails = world.take_mails_to(ADA);
        let mails: Vec<_> = mails.iter().filter(|mail| mail.content.kind() != "second_factor_due").collect();
        let [mail] = mails.as_slice() else { panic!("one an hour: {mails:?}") };
        let MailContent::Enrolment { link, .. } = &mail.content else { panic!("{mail:?}") };
        let token = link.expose().strip_prefix("https://accounts.example.org/enrol?token=").unwrap();
        let wrong = strict.enrol_in_browser(token, &password(OTHER_PASSWORD), None, &client()).await;
        assert_eq!(refusal(wrong), "Refused");
        let session = strict.enrol_in_browser(token, &secret, None, &client()).await.unwrap();
        let again = strict.enrol_in_browser(token, &secret, None, &client()).await;
        assert_eq!(refusal(again), "Link(Used)");
        let who = strict.authenticate_browser(session.secret.expose()).await.unwrap();
        assert!(who.must_enrol);
        world.adds_app(&who).await;
        let who = strict.authenticate_browser(session.secret.expose()).await.unwrap();
        assert!(!who.must_enrol && who.amr().is_multi_factor());
        assert_eq!(refusal(strict.remove_authenticator(&who, &client()).await), "LastWayIn");
        // What is not demanded any more is not overdue either.
        let lax = world.another_instance().await;
        assert!(matches!(lax.sign_in(&login, &secret, &client()).await, Err(SignInError::SecondFactorRequired(_))));
    }

    async fn an_enrolment_session_ends_without_a_factor(world: &World) {
        world.has_account(ADA).await;
        let strict = world.instance_with(|policy| {
            policy.second_factor.require = RequireFactor::All;
            policy.second_factor.grace = seconds(0);
        });
        let strict = strict.await;
        let login = vestibule::Login::Email(address(ADA));
        strict.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
        assert_eq!(refusal(strict.sign_in(&login, &password(PASSWORD), &client()).await), "EnrolmentRequired");
        world.deliver().await;
        let mails = world.take_mails_to(ADA);
        let links = mails.iter().filter_map(|mail| match &mail.content {
            MailContent::Enrolment { link, .. } => Some(link),
            _ => None,
        });
        let [link] = links.collect::<Vec<_>>()[..] else { panic!("{mails:?}") };
        let token = link.expose().split_once("token=").unwrap().1;
        let session = strict.enrol_in_browser(token, &password(PASSWORD), None, &client()).await.unwrap();
        world.advance(seconds(30 * 60 - 1));
        assert!(strict.authenticate_browser(session.secret.expose()).await.unwrap().must_enrol);
        world.advance(seconds(1));
        assert_eq!(refusal(strict.authenticate_browser(session.secret.expose()).await), "Invalid");
    }

    async fn an_administrator_helps_whoever_lost_everything(world: &World) {
        let user = UserRef::Id(world.has_account(ADA).await.id);
        let who = world.session_of(ADA).await;
        let app = world.adds_app(&who).await;
        world.adds_passkey(&who).await;
        let reason: Reason = "lost the phone, came by in person".parse().unwrap();
        world.accounts.reset_ways_in(Actor::Operator, &user, &reason).await.unwrap();
        assert!(world.accounts.authenticate_browser("x").await.is_err());
        let ways = world.accounts.ways_in_of(Actor::Operator, &user).await.unwrap();
        assert!(ways.password && !ways.has_factor() && ways.recovery_codes_left == 0);
        world.deliver().await;
        let mut mails = world.take_mails_to(ADA);
        mails.sort_by_key(|mail| mail.content.kind());
        let kinds: Vec<_> = mails.iter().map(|mail| mail.content.kind()).collect();
        assert_eq!(kinds, ["enrolment", "security_notice"]);
        let MailContent::Enrolment { link, .. } = &mails[0].content else { panic!("{mails:?}") };
        let token = link.expose().split_once("token=").unwrap().1;
        let session = world.accounts.enrol_in_browser(token, &password(PASSWORD), None, &client()).await.unwrap();
        let who = world.accounts.authenticate_browser(session.secret.expose()).await.unwrap();
        let new = world.adds_app(&who).await;
        assert_ne!(app.secret, new.secret);
    }

    // What a thief has enrolled goes with the change that is undone.
    async fn an_undone_address_takes_the_thief_s_factors_with_it(world: &World) {
        world.has_account(ADA).await;
        let thief = world.session_of(ADA).await;
        world.accounts.change_email(&thief, &address("eve@example.net"), &password(PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        let mails = world.take_mails_to(ADA);
        let MailContent::EmailUndo { link: undo, .. } = &mails[0].content else { panic!("{mails:?}") };
        let mails = world.take_mails_to("eve@example.net");
        let MailContent::EmailChange { link, .. } = &mails[0].content else { panic!("{mails:?}") };
        let token = |link: &vestibule::Secret| link.expose().split_once("token=").unwrap().1.to_owned();
        world.accounts.confirm_email(&token(link), EmailProof::Session(&thief), &client()).await.unwrap();
        let thief = world.session_of("eve@example.net").await;
        world.adds_app(&thief).await;
        let passkey = world.adds_passkey(&thief).await;
        world.accounts.undo_email(&token(undo), &password(OTHER_PASSWORD), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["password_changed"]);
        world.signs_in(ADA, OTHER_PASSWORD).await.unwrap();
        let asked = world.accounts.begin_passkey_sign_in(None).await.unwrap();
        let refused = world.accounts.sign_in_with_passkey(&uses(&passkey, &asked), &client()).await;
        assert!(matches!(refused, Err(PasskeySignInError::Unknown)), "{refused:?}");
    }

}
