//! How applications are told of the end of a session.

use super::logouts::{ADA, Ear, desk, listening, said};
use super::*;
use crate::on_both_stores;
use vestibule::{ConfiguredApplication, Delivered, Logout, LogoutTransport, Rotation, SendError, UserRef};

/// Signs somebody in at these applications, and out again.
async fn comes_and_goes(world: &World, all: &[&AuthenticatedApplication]) {
    let who = world.session_of(ADA).await;
    for by in all {
        world.shops(by, "openid", &who).await;
    }
    world.accounts.sign_out(&who, false, &client()).await.unwrap();
}

fn heard_by(ear: &Ear, application: &str) -> Vec<Logout> {
    let mut heard = ear.heard.lock().unwrap();
    heard.extract_if(.., |logout| logout.application.as_str() == application).collect()
}

/// Receives a token and dies before that is recorded.
struct Dying {
    ear: Ear,
    handed_over: tokio::sync::Notify,
}

impl LogoutTransport for Dying {
    async fn post(&self, logout: &Logout) -> Result<(), SendError> {
        self.ear.post(logout).await?;
        self.handed_over.notify_one();
        std::future::pending().await
    }
}

on_both_stores! {
    // M6: retried after 30 s, 60 s, 120 s …, and given up after three days. Others do not wait.
    async fn an_application_that_is_down_is_told_later(world: &World) {
        world.has_account(ADA).await;
        let (shop, desk) = (world.has_application(&listening()).await, world.has_application(&desk()).await);
        let (accounts, ear) = (&world.accounts, Ear::default());
        comes_and_goes(world, &[&shop, &desk]).await;
        *ear.refuses.lock().unwrap() = Some(("shop", SendError::Temporary("503".into())));
        let mut step = accounts.deliver_logouts(&ear).await.unwrap();
        assert_eq!((step.sent, step.delayed), (1, 1));
        assert_eq!(heard_by(&ear, "desk").len(), 1);
        let (start, mut waits) = (world.clock.now(), Vec::new());
        while let Some(due) = step.next_due {
            waits.push(due.since(world.clock.now()).as_secs());
            world.advance(due.since(world.clock.now()));
            step = accounts.deliver_logouts(&ear).await.unwrap();
        }
        for (wait, base) in waits.iter().zip([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
            assert!((base..=base * 5 / 4).contains(wait), "{waits:?}");
        }
        let tried = world.clock.now().since(start);
        assert!(step.failed == 1 && tried > hours(70) && tried < hours(72), "{tried:?} {step:?}");
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries WHERE failed_at IS NOT NULL AND last_error = '503' AND endpoint = 'application:shop'"), 1);
    }

    // Whatever key signs now: the receiver looks it up when it hears of it. The name of what is told stays.
    async fn each_attempt_is_signed_anew(world: &World) {
        world.has_account(ADA).await;
        let by = world.has_application(&listening()).await;
        let (accounts, other) = (&world.accounts, world.another_instance().await);
        let dying = Dying { ear: Ear::default(), handed_over: tokio::sync::Notify::new() };
        comes_and_goes(world, &[&by]).await;
        tokio::select! {
            step = accounts.deliver_logouts(&dying) => panic!("the worker came back: {step:?}"),
            () = dying.handed_over.notified() => {} // dies before it can record it
        }
        let ear = Ear::default();
        world.advance(seconds(14));
        assert_eq!(accounts.deliver_logouts(&ear).await.unwrap().sent, 0, "the lease still holds");
        // Another instance changes the key at once.
        other.rotate_keys(Rotation { algorithm: None, at_once: true }).await.unwrap();
        world.advance(seconds(1));
        assert_eq!(accounts.deliver_logouts(&ear).await.unwrap().sent, 1);
        let [first, second] = [heard_by(&dying.ear, "shop"), heard_by(&ear, "shop")].map(|mut all| all.remove(0).token);
        assert_eq!(said(&first, "jti"), said(&second, "jti"));
        assert_eq!(claims(&second)["iat"].as_i64().unwrap() - claims(&first)["iat"].as_i64().unwrap(), 15);
        let header = |token: &Secret| token.expose().split('.').next().unwrap().to_owned();
        assert_ne!(header(&first), header(&second), "another key");
    }

    async fn workers_side_by_side_tell_once(world: &World) {
        world.has_account(ADA).await;
        let (shop, desk) = (world.has_application(&listening()).await, world.has_application(&desk()).await);
        let (other, ear) = (world.another_instance().await, Ear::default());
        let who = world.session_of(ADA).await;
        for _ in 0..12 {
            world.shops(&shop, "openid", &who).await;
            world.shops(&desk, "openid", &who).await;
        }
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        let mut sent = 0;
        while sent < 24 {
            let steps = (0..6).map(|n| if n % 2 == 0 { &world.accounts } else { &other }.deliver_logouts(&ear));
            let steps = futures_util::future::join_all(steps).await;
            let now: usize = steps.into_iter().map(|step| step.unwrap().sent).sum();
            assert!(now > 0, "something waits and is not told: {sent}");
            sent += now;
        }
        let all = ear.heard.lock().unwrap().iter().map(|it| said(&it.token, "jti")).collect::<std::collections::BTreeSet<_>>();
        assert_eq!((sent, ear.heard.lock().unwrap().len(), all.len()), (24, 24, 24));
    }

    // One that does not answer occupies few places, and is left alone while it does.
    async fn a_slow_application_keeps_no_other_waiting(world: &World) {
        world.has_account(ADA).await;
        let (shop, desk) = (world.has_application(&listening()).await, world.has_application(&desk()).await);
        let who = world.session_of(ADA).await;
        for _ in 0..20 {
            world.shops(&shop, "openid", &who).await;
        }
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        world.advance(seconds(1));
        comes_and_goes(world, &[&desk]).await;
        let due = world.accounts.due_logouts(16, &[]).await.unwrap();
        let endpoints: Vec<&str> = due.iter().map(vestibule::DueLogout::endpoint).collect();
        assert_eq!(endpoints, ["application:shop", "application:shop", "application:shop", "application:shop", "application:desk"]);
        let busy = ["application:shop".to_owned()];
        assert!(world.accounts.due_logouts(16, &busy).await.unwrap().is_empty());
        assert_eq!(world.accounts.due_logouts(3, &[]).await.unwrap().len(), 3);
    }

    async fn a_refusal_is_final(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        comes_and_goes(world, &[&by]).await;
        *ear.refuses.lock().unwrap() = Some(("shop", SendError::Permanent("400".into())));
        let step = world.accounts.deliver_logouts(&ear).await.unwrap();
        assert_eq!((step.failed, step.next_due), (1, None));
    }

    async fn what_nobody_is_there_for_is_dropped(world: &World) {
        world.has_account(ADA).await;
        let (accounts, ear) = (&world.accounts, Ear::default());
        let (shop, desk_by) = (world.has_application(&listening()).await, world.has_application(&desk()).await);
        comes_and_goes(world, &[&shop, &desk_by]).await;
        accounts.remove_application(Actor::Operator, &listening().id).await.unwrap();
        accounts.update_application(Actor::Operator, Application { logout_uri: None, ..desk() }).await.unwrap();
        let step = accounts.deliver_logouts(&ear).await.unwrap();
        assert_eq!(step, Delivered { dropped: 2, ..Delivered::default() });
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
    }

    // Where an application is told is read when it is.
    async fn a_changed_address_counts_at_once(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        comes_and_goes(world, &[&by]).await;
        let moved = Application { logout_uri: Some("https://shop.example/moved".to_owned()), ..listening() };
        world.accounts.update_application(Actor::Operator, moved).await.unwrap();
        assert_eq!(world.accounts.deliver_logouts(&ear).await.unwrap().sent, 1);
        assert_eq!(heard_by(&ear, "shop")[0].uri, "https://shop.example/moved");
    }

    async fn an_application_of_the_settings_is_told_too(world: &World) {
        world.has_account(ADA).await;
        let secret = Secret::from("0123456789abcdef0123456789abcdef");
        let configured = ConfiguredApplication { application: listening(), secrets: vec![secret.clone()] };
        let accounts = world.instance_with(|policy| policy.applications = vec![configured]).await;
        let (who, ear) = (world.session_of(ADA).await, Ear::default());
        let by = accounts.authenticate_application("shop", Some(&secret)).await.unwrap();
        let request = accounts.check_authorization(asks(&listening(), "openid")).await.unwrap();
        let AuthorizationStep::Done(address) = accounts.decide_authorization(&request, Some(&who)).await.unwrap() else { panic!() };
        let tokens = exchanges_at(&accounts, &by, &parameter(&address, "code").unwrap()).await.unwrap();
        accounts.end_sessions(Actor::Operator, &UserRef::Id(who.account.id), None).await.unwrap();
        assert_eq!(ear.hears(&accounts).await, [said(&tokens.id_token.unwrap(), "sid")]);
    }

    // M7: no end without its row.
    async fn an_end_is_committed_with_what_is_told_or_not_at_all(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let who = world.session_of(ADA).await;
        let tokens = world.shops(&by, "openid", &who).await;
        world.sql("ALTER TABLE webhook_deliveries RENAME TO away");
        assert!(world.accounts.sign_out(&who, false, &client()).await.is_err());
        world.sql("ALTER TABLE away RENAME TO webhook_deliveries");
        world.accounts.user_info(tokens.access_token.expose()).await.unwrap();
        assert_eq!(ear.hears(&world.accounts).await, [""; 0]);
        world.accounts.sign_out(&who, false, &client()).await.unwrap();
        assert_eq!(ear.hears(&world.accounts).await.len(), 1);
    }
}
