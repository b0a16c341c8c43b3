use std::time::Duration;

use crate::on_both_stores;
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, Expected, MailContent, NewUser, RequireFactor, Roles, SignInError, Timestamp,
    Tokens, UserChange, UserRef,
};

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";
const WEEK: Duration = hours(7 * 24);

async fn creates(world: &World, email: &str, roles: &[&str]) -> Account {
    let roles = roles.iter().map(ToString::to_string).collect();
    let new = NewUser {
        display_name: None,
        email: address(email),
        password: password(PASSWORD),
        user_name: None,
        roles,
    };
    world.accounts.create_user(Actor::Operator, new).await.unwrap()
}

async fn strict(world: &World, require: RequireFactor) -> Accounts {
    world.instance_with(move |policy| policy.second_factor.require = require).await
}

async fn signs_in(accounts: &Accounts, email: &str) -> Result<Tokens, SignInError> {
    accounts.sign_in(&vestibule::Login::Email(address(email)), &password(PASSWORD), &client()).await
}

/// What the unread mails to this address say: from when on a second factor is due.
async fn told(world: &World, email: &str) -> Vec<Timestamp> {
    world.deliver().await;
    let due = |mail: vestibule::Mail| match mail.content {
        MailContent::SecondFactorDue { due_at, account } => {
            assert_eq!(account, "https://accounts.example.org/account#security");
            due_at
        }
        other => panic!("{other:?}"),
    };
    world.take_mails_to(email).into_iter().map(due).collect()
}

on_both_stores! {
    // Whoever has a factor, or may not sign in, has nothing to be told.
    async fn whoever_lacks_a_demanded_factor_is_told_once(world: &World) {
        for email in [ADA, BOB, "key@example.org", "app@example.org"] {
            creates(world, email, &[]).await;
        }
        world.adds_passkey(&world.session_of("key@example.org").await).await;
        world.adds_app(&world.session_of("app@example.org").await).await;
        let bob = UserRef::Email(address(BOB));
        world.accounts.disable_user(Actor::Operator, &bob, None).await.unwrap();
        world.accounts.sweep().await.unwrap();
        assert!(told(world, ADA).await.is_empty(), "nothing is demanded yet");

        let strict = strict(world, RequireFactor::All).await;
        assert_eq!(strict.sweep().await.unwrap(), 1);
        let due = world.clock.now() + WEEK;
        assert_eq!(told(world, ADA).await, [due]);
        world.advance(hours(1));
        strict.sweep().await.unwrap();
        // Not by a sign-in, a refresh or an instance that has just been started, either.
        let tokens = signs_in(&strict, ADA).await.unwrap();
        strict.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
        world.instance_with(|policy| policy.second_factor.require = RequireFactor::All).await.sweep().await.unwrap();
        for email in [ADA, BOB, "key@example.org", "app@example.org"] {
            assert!(told(world, email).await.is_empty(), "{email}");
        }
        world.accounts.enable_user(Actor::Operator, &bob, None).await.unwrap();
        strict.sweep().await.unwrap();
        assert_eq!(told(world, BOB).await, [world.clock.now() + WEEK]);
        // It comes true as it was told.
        world.advance(due.since(world.clock.now()));
        assert_eq!(refusal(signs_in(&strict, ADA).await), "EnrolmentRequired");
        assert!(signs_in(&strict, BOB).await.is_ok());
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["enrolment"]);
    }

    async fn a_first_sign_in_under_the_policy_tells_as_the_sweeper_does(world: &World) {
        for email in [ADA, BOB, "key@example.org"] {
            creates(world, email, &[]).await;
        }
        world.adds_passkey(&world.session_of("key@example.org").await).await;
        let before = signs_in(&world.accounts, BOB).await.unwrap();
        let strict = strict(world, RequireFactor::All).await;
        signs_in(&strict, ADA).await.unwrap();
        strict.refresh(before.refresh_token.expose(), &client()).await.unwrap();
        assert!(matches!(signs_in(&strict, "key@example.org").await, Err(SignInError::SecondFactorRequired(_))));
        let due = world.clock.now() + WEEK;
        world.advance(hours(1));
        signs_in(&strict, ADA).await.unwrap();
        strict.sweep().await.unwrap();
        assert_eq!((told(world, ADA).await, told(world, BOB).await), (vec![due], vec![due]));
        assert!(told(world, "key@example.org").await.is_empty());
    }

    // Two sweepers and a sign-in at once.
    async fn of_several_instances_one_tells(world: &World) {
        let emails = [ADA, BOB, "carol@example.org", "dan@example.org"];
        for email in emails {
            creates(world, email, &[]).await;
        }
        let (one, two) = (strict(world, RequireFactor::All).await, strict(world, RequireFactor::All).await);
        let (swept, also, signed_in) = futures_util::future::join3(one.sweep(), two.sweep(), signs_in(&two, "dan@example.org")).await;
        assert!(swept.is_ok() && also.is_ok() && signed_in.is_ok());
        for email in emails {
            assert_eq!(told(world, email).await.len(), 1, "{email}");
        }
    }

    // Whoever confirms or resets meanwhile does not wait for thousands of notices.
    async fn fifty_are_told_at_a_time_and_none_while_they_wait(world: &World) {
        let id = |number: u32| world.bytes(&format!("ff{number:030x}"));
        let rows: Vec<String> = (0..120).map(|number| {
            format!("({}, 'u{number}@example.org', 'u{number}@example.org', 'x', '', 1, 1, '')", id(number))
        }).collect();
        world.sql(&format!(
            "INSERT INTO users (id, email, email_key, password_hash, roles, email_confirmed_at, created_at, search_text) VALUES {}",
            rows.join(", ")
        ));
        let strict = strict(world, RequireFactor::All).await;
        for expected in [50, 50, 20] {
            assert_eq!(strict.sweep().await.unwrap(), expected);
            if expected == 50 {
                assert_eq!(strict.sweep().await.unwrap(), 0, "fifty messages wait");
            }
            world.deliver().await;
        }
        assert_eq!(strict.sweep().await.unwrap(), 0);
        for number in 0..120 {
            assert_eq!(told(world, &format!("u{number}@example.org")).await.len(), 1, "{number}");
        }
    }

    async fn with_the_policy_its_times_are_forgotten(world: &World) {
        creates(world, ADA, &[]).await;
        let strict = strict(world, RequireFactor::All).await;
        strict.sweep().await.unwrap();
        assert_eq!(told(world, ADA).await.len(), 1);
        // Instances that are restarted one after another differ for a while: that undoes nothing, and nobody is told twice.
        world.accounts.sweep().await.unwrap();
        strict.sweep().await.unwrap();
        assert!(told(world, ADA).await.is_empty());
        world.advance(WEEK + hours(24));
        world.accounts.sweep().await.unwrap();
        strict.sweep().await.unwrap();
        assert!(told(world, ADA).await.is_empty(), "not a day over");
        world.advance(seconds(1));
        world.accounts.sweep().await.unwrap();
        strict.sweep().await.unwrap();
        assert_eq!(told(world, ADA).await, [world.clock.now() + WEEK], "demanded anew");
        // A sign-in forgets at once.
        signs_in(&world.accounts, ADA).await.unwrap();
        strict.sweep().await.unwrap();
        assert_eq!(told(world, ADA).await.len(), 1);
    }

    async fn administrators_are_told_as_soon_as_they_are(world: &World) {
        creates(world, "root@example.org", &["editor", "admin"]).await;
        let ada = UserRef::Id(creates(world, ADA, &["administrator"]).await.id);
        let strict = strict(world, RequireFactor::Admins).await;
        assert_eq!(strict.admins_lacking_second_factor().await.unwrap(), 1);
        assert_eq!(world.accounts.admins_lacking_second_factor().await.unwrap(), 0, "nothing is demanded");
        strict.sweep().await.unwrap();
        assert_eq!((told(world, "root@example.org").await.len(), told(world, ADA).await.len()), (1, 0));
        let becomes = async |roles: &[&str]| {
            let roles = Roles::new(roles.iter().map(ToString::to_string)).unwrap();
            let change = UserChange { roles: Some(roles), ..UserChange::default() };
            world.accounts.change_user(Actor::Operator, &ada, &Expected::Any, change, None).await.unwrap();
        };
        becomes(&["admin"]).await;
        assert_eq!(strict.admins_lacking_second_factor().await.unwrap(), 2);
        strict.sweep().await.unwrap();
        assert_eq!(told(world, ADA).await.len(), 1);
        // Long after it was taken away, the role comes with a new time.
        becomes(&[]).await;
        world.advance(WEEK + hours(25));
        strict.sweep().await.unwrap();
        becomes(&["admin"]).await;
        strict.sweep().await.unwrap();
        assert_eq!(told(world, ADA).await, [world.clock.now() + WEEK]);
        assert!(told(world, "root@example.org").await.is_empty());
    }

    // What is no longer true when the mail is about to leave is not sent.
    async fn whoever_sets_a_factor_up_first_is_told_nothing(world: &World) {
        for email in [ADA, BOB] {
            creates(world, email, &[]).await;
        }
        let who = world.session_of(ADA).await;
        strict(world, RequireFactor::All).await.sweep().await.unwrap();
        world.accounts.disable_user(Actor::Operator, &UserRef::Email(address(BOB)), None).await.unwrap();
        world.adds_app(&who).await;
        assert!(told(world, ADA).await.is_empty() && told(world, BOB).await.is_empty());
    }
}
