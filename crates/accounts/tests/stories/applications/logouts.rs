//! Which ends of sessions applications hear of (OpenID Connect Back-Channel Logout).

use std::sync::Mutex;

use super::*;
use crate::on_both_stores;
use serde_json::json;
use vestibule::{Expected, Login, Logout, LogoutTransport, MailContent, Reason, SendError, Tokens, UserRef};

pub(crate) const ADA: &str = "ada@example.org";
const LOGOUT: &str = "https://shop.example/logout";

/// The shop, which wants to be told.
pub(crate) fn listening() -> Application {
    Application { logout_uri: Some(LOGOUT.to_owned()), ..shop() }
}

/// Another application that wants to be told.
pub(crate) fn desk() -> Application {
    Application {
        id: "desk".parse().unwrap(),
        redirect_uris: vec!["https://desk.example/callback".parse().unwrap()],
        logout_uri: Some("https://desk.example/logout".to_owned()),
        ..shop()
    }
}

/// Where applications are told.
#[derive(Default)]
pub(crate) struct Ear {
    pub(crate) heard: Mutex<Vec<Logout>>,
    /// What this application answers.
    pub(crate) refuses: Mutex<Option<(&'static str, SendError)>>,
}

impl LogoutTransport for Ear {
    async fn post(&self, logout: &Logout) -> Result<(), SendError> {
        match &*self.refuses.lock().unwrap() {
            Some((application, error)) if logout.application.as_str() == *application => Err(error.clone()),
            _ => {
                self.heard.lock().unwrap().push(logout.clone());
                Ok(())
            }
        }
    }
}

impl Ear {
    /// Runs the worker until nothing is due; the sessions that applications were told of.
    pub(crate) async fn hears(&self, accounts: &Accounts) -> Vec<String> {
        while accounts.deliver_logouts(self).await.unwrap().sent > 0 {}
        let heard: Vec<Logout> = self.heard.lock().unwrap().drain(..).collect();
        let mut heard: Vec<String> = heard.iter().map(|logout| said(&logout.token, "sid")).collect();
        heard.sort();
        heard
    }
}

pub(crate) fn said(token: &Secret, claim: &str) -> String {
    claims(token)[claim].as_str().unwrap().to_owned()
}

/// Somebody signed in in a browser, with whatever an application got for them.
struct Visit {
    own: Tokens,
    who: SignedIn,
    tokens: ApplicationTokens,
    sid: String,
}

async fn visits(world: &World, by: &AuthenticatedApplication, scope: &str, secret: &str) -> Visit {
    let own = world.signs_in(ADA, secret).await.unwrap();
    let who = world.who_is(own.access_token.expose()).await;
    let tokens = world.shops(by, scope, &who).await;
    let sid = said(tokens.id_token.as_ref().unwrap(), "sid");
    Visit { own, who, tokens, sid }
}

async fn visit(world: &World, by: &AuthenticatedApplication) -> Visit {
    visits(world, by, "openid", PASSWORD).await
}

/// The token of the one link in the mail of this kind.
fn link(world: &World, kind: &str) -> String {
    let mails = world.take_mails_to(ADA);
    let mail = mails.iter().find(|mail| mail.content.kind() == kind).unwrap();
    let MailContent::PasswordReset { link, .. } = &mail.content else { panic!("{mail:?}") };
    link.expose().split_once("?token=").unwrap().1.to_owned()
}

on_both_stores! {
    // Back-Channel Logout §2.4: what the token says, and what it must not say.
    async fn a_logout_token_names_the_session_that_has_ended(world: &World) {
        let ada = world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let visit = visit(world, &by).await;
        // Long after the access token: the application may know its user by the ID token alone.
        world.advance(hours(3));
        world.accounts.sign_out(&visit.who, false, &client()).await.unwrap();
        // Signed when it is sent.
        world.advance(hours(2));
        assert_eq!(world.accounts.deliver_logouts(&ear).await.unwrap().sent, 1);
        let heard = ear.heard.lock().unwrap().clone();
        let [logout] = heard.as_slice() else { panic!("{heard:?}") };
        assert_eq!((logout.application.as_str(), logout.uri.as_str()), ("shop", LOGOUT));
        let now = world.clock.now().as_seconds();
        let said = claims(&logout.token);
        assert!(said["jti"].as_str().unwrap().starts_with("evt_"), "{said}");
        assert_eq!(said, json!({
            "iss": "https://accounts.example.org", "aud": "shop", "sub": ada.id, "sid": visit.sid, "jti": said["jti"],
            "iat": now, "exp": now + 120, "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }));
        let header = logout.token.expose().split('.').next().unwrap();
        let header: serde_json::Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(header.as_bytes()).unwrap()).unwrap();
        assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("EdDSA")));
    }

    async fn whoever_signs_out_is_signed_out_of_the_applications(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let accounts = &world.accounts;
        let here = visit(world, &by).await;
        accounts.sign_out(&here.who, false, &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "signed out");
        let here = visit(world, &by).await;
        accounts.revoke(here.own.access_token.expose(), &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "by its access token");
        let here = visit(world, &by).await;
        accounts.revoke(here.own.refresh_token.expose(), &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "by its refresh token");
        let (here, there) = (visit(world, &by).await, visit(world, &by).await);
        assert!(accounts.end_session(&here.who, there.who.session_id, &client()).await.unwrap());
        assert_eq!(ear.hears(accounts).await, [there.sid], "one of several");
        let there = visit(world, &by).await;
        accounts.end_other_sessions(&there.who, &client()).await.unwrap();
        let mut others = [here.sid, there.sid];
        others.sort();
        assert_eq!(ear.hears(accounts).await, others, "also what came from the session that stays, whose tokens end");
        let (here, there) = (visit(world, &by).await, visit(world, &by).await);
        accounts.sign_out(&here.who, true, &client()).await.unwrap();
        let mut all = [here.sid, there.sid];
        all.sort();
        assert_eq!(ear.hears(accounts).await, all, "everywhere");
        let login = Login::Email(address(ADA));
        let browser = accounts.sign_in_browser(&login, &password(PASSWORD), None, &client()).await.unwrap();
        let who = accounts.authenticate_browser(browser.secret.expose()).await.unwrap();
        let tokens = world.shops(&by, "openid", &who).await;
        let held = Some(browser.secret.expose());
        accounts.sign_in_browser(&login, &password(PASSWORD), held, &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [said(&tokens.id_token.unwrap(), "sid")], "another sign-in in the browser");
    }

    async fn whatever_ends_the_sessions_of_a_user_is_told(world: &World) {
        let ada = UserRef::Id(world.has_account(ADA).await.id);
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let accounts = &world.accounts;
        let reason = "lost".parse::<Reason>().unwrap();
        let here = visit(world, &by).await;
        accounts.change_password(&here.who, &password(PASSWORD), &password(OTHER_PASSWORD), &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "password changed");
        let here = visits(world, &by, "openid", OTHER_PASSWORD).await;
        accounts.forgot_password(&address(ADA), &client()).await.unwrap();
        world.deliver().await;
        accounts.reset_password(&link(world, "password_reset"), &password(PASSWORD), &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "password reset");
        let here = visit(world, &by).await;
        accounts.set_password(&ada, &password(OTHER_PASSWORD)).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "password set");
        accounts.set_password(&ada, &password(PASSWORD)).await.unwrap();
        let here = visit(world, &by).await;
        accounts.end_sessions(Actor::Operator, &ada, None).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "sessions ended");
        let here = visit(world, &by).await;
        accounts.disable_user(Actor::Operator, &ada, None).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "disabled");
        accounts.enable_user(Actor::Operator, &ada, None).await.unwrap();
        let here = visit(world, &by).await;
        accounts.reset_ways_in(Actor::Operator, &ada, &reason).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [here.sid], "ways in reset");
        accounts.set_password(&ada, &password(PASSWORD)).await.unwrap();
        let (here, there) = (world.session_of(ADA).await, visit(world, &by).await);
        world.deliver().await;
        world.take_mails_to(ADA);
        world.adds_app(&here).await;
        assert_eq!(ear.hears(accounts).await, [there.sid], "a second factor in another browser");
        world.deliver().await;
        world.take_mails_to(ADA);
    }

    // The rows carry what is needed: of the user nothing is left.
    async fn the_end_of_a_user_is_told(world: &World) {
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let ada = world.has_account(ADA).await;
        let here = visit(world, &by).await;
        world.accounts.delete_account(&here.who, &password(PASSWORD), &client()).await.unwrap();
        assert_eq!(world.accounts.deliver_logouts(&ear).await.unwrap().sent, 1);
        let told = claims(&ear.heard.lock().unwrap()[0].token);
        assert_eq!((&told["sub"], &told["sid"]), (&json!(ada.id), &json!(here.sid)));
        ear.hears(&world.accounts).await;
        world.has_account(ADA).await;
        let here = visit(world, &by).await;
        let user = UserRef::Email(address(ADA));
        world.accounts.delete_user(Actor::Operator, &user, &Expected::Any, None).await.unwrap();
        assert_eq!(ear.hears(&world.accounts).await, [here.sid]);
    }

    async fn what_ends_the_session_of_one_application_is_told_to_it_alone(world: &World) {
        let ada = UserRef::Id(world.has_account(ADA).await.id);
        let (by, other) = (world.has_application(&listening()).await, world.has_application(&desk()).await);
        let (accounts, ear) = (&world.accounts, Ear::default());
        let here = visits(world, &by, "openid offline_access", PASSWORD).await;
        let beside = world.shops(&other, "openid", &here.who).await;
        assert!(accounts.revoke_grant(&here.who, "shop", &client()).await.unwrap());
        assert_eq!(ear.hears(accounts).await, [here.sid], "the permission taken back");
        let here = visit(world, &by).await;
        assert!(accounts.revoke_grant_of(Actor::Operator, &ada, "shop").await.unwrap());
        assert_eq!(ear.hears(accounts).await, [here.sid], "by an administrator");
        let who = here.who;
        let code = world.code_for(&listening(), "openid", &who).await;
        let tokens = world.exchanges(&by, &code).await.unwrap();
        assert!(world.exchanges(&by, &code).await.is_err());
        assert_eq!(ear.hears(accounts).await, [said(&tokens.id_token.unwrap(), "sid")], "a code that came twice");
        let tokens = world.shops(&by, "openid offline_access", &who).await;
        let first = tokens.refresh_token.unwrap();
        let second = accounts.refresh_for_application(&by, first.expose(), None, None, &client()).await.unwrap();
        let second = second.refresh_token.unwrap();
        accounts.refresh_for_application(&by, second.expose(), None, None, &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [""; 0], "going on is no end");
        world.advance(seconds(60));
        assert!(accounts.refresh_for_application(&by, first.expose(), None, None, &client()).await.is_err());
        assert_eq!(ear.hears(accounts).await, [said(&tokens.id_token.unwrap(), "sid")], "a copy of a refresh token");
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["refresh_reused"]);
        accounts.sign_out(&who, false, &client()).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [""; 0], "what has ended is not told again");
        accounts.end_sessions(Actor::Operator, &ada, None).await.unwrap();
        assert_eq!(ear.hears(accounts).await, [said(&beside.id_token.unwrap(), "sid")], "the other one lived on");
    }

    // With `offline_access` an application goes on when the browser is signed out (§2.7): it hears of that, and of its own end.
    async fn an_application_that_goes_on_hears_of_both_ends(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let here = visits(world, &by, "openid offline_access", PASSWORD).await;
        world.accounts.sign_out(&here.who, false, &client()).await.unwrap();
        assert_eq!(ear.hears(&world.accounts).await, [here.sid.as_str()]);
        let refresh = here.tokens.refresh_token.unwrap();
        let next = world.accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await.unwrap();
        assert_eq!(said(&next.access_token, "sid"), here.sid);
        let user = UserRef::Email(address(ADA));
        world.accounts.end_sessions(Actor::Operator, &user, None).await.unwrap();
        assert_eq!(ear.hears(&world.accounts).await, [here.sid]);
    }

    async fn what_is_no_end_is_not_told(world: &World) {
        let ada = UserRef::Id(world.has_account(ADA).await.id);
        let by = world.has_application(&listening()).await;
        let silent = world.has_application(&Application { logout_uri: None, ..desk() }).await;
        let (accounts, ear) = (&world.accounts, Ear::default());
        let here = visit(world, &by).await;
        world.shops(&silent, "openid", &here.who).await;
        // The application gives its own token back, and so knows.
        accounts.revoke_for_application(&by, here.tokens.access_token.expose(), &client()).await.unwrap();
        assert_eq!(claims(&here.tokens.access_token)["sid"], here.sid);
        accounts.sign_out(&here.who, false, &client()).await.unwrap();
        accounts.sign_out(&here.who, false, &client()).await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
        // A session that expires ends by itself, whoever ends sessions afterwards.
        visits(world, &by, "openid offline_access", PASSWORD).await;
        visit(world, &by).await;
        world.advance(hours(24 * 400));
        accounts.end_sessions(Actor::Operator, &ada, None).await.unwrap();
        accounts.sweep().await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
        // Of an application that is removed nobody is left.
        visit(world, &by).await;
        accounts.remove_application(Actor::Operator, &listening().id).await.unwrap();
        accounts.end_sessions(Actor::Operator, &ada, None).await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries"), 0);
        assert_eq!(ear.hears(accounts).await, [""; 0]);
    }

    // Silent renewals begin a session each: only the newest are remembered, however long the browser's lasts.
    async fn an_application_that_asks_again_and_again_has_few_sessions(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let here = visits(world, &by, "openid offline_access", PASSWORD).await;
        let mut sids = vec![here.sid];
        for _ in 0..30 {
            world.advance(seconds(700));
            let tokens = world.shops(&by, "openid", &here.who).await;
            sids.push(said(&tokens.id_token.unwrap(), "sid"));
            world.accounts.user_info(tokens.access_token.expose()).await.unwrap();
        }
        world.accounts.sign_out(&here.who, false, &client()).await.unwrap();
        // Sixteen whose access token has expired, the last one, and the one with a refresh token.
        let mut newest = sids.split_off(sids.len() - 17);
        newest.push(sids.swap_remove(0));
        newest.sort();
        assert_eq!(ear.hears(&world.accounts).await, newest);
    }

    // A row for each session, once, whoever else ends it at the same moment.
    async fn of_many_ends_at_once_one_is_told(world: &World) {
        let ada = UserRef::Id(world.has_account(ADA).await.id);
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        let other = world.another_instance().await;
        for _ in 0..4 {
            let here = visit(world, &by).await;
            let from = client();
            let ends = (0..12).map(|n| {
                let (accounts, who, ada, from) = (if n % 2 == 0 { &world.accounts } else { &other }, &here.who, &ada, &from);
                async move {
                    match n % 3 {
                        0 => accounts.sign_out(who, false, from).await.unwrap(),
                        1 => accounts.sign_out(who, true, from).await.unwrap(),
                        _ => drop(accounts.end_sessions(Actor::Operator, ada, None).await.unwrap()),
                    }
                }
            });
            futures_util::future::join_all(ends).await;
            assert_eq!(ear.hears(&world.accounts).await, [here.sid]);
        }
    }

    // Whoever redeems a code while its browser signs out has nothing, or hears of the end.
    async fn a_sign_out_during_a_redemption_is_told(world: &World) {
        world.has_account(ADA).await;
        let (by, ear) = (world.has_application(&listening()).await, Ear::default());
        for _ in 0..8 {
            let who = world.session_of(ADA).await;
            let code = world.code_for(&listening(), "openid", &who).await;
            let from = client();
            let (redeemed, left) = tokio::join!(world.exchanges(&by, &code), world.accounts.sign_out(&who, false, &from));
            left.unwrap();
            let sids: Vec<String> = redeemed.iter().map(|tokens| said(tokens.id_token.as_ref().unwrap(), "sid")).collect();
            assert_eq!(ear.hears(&world.accounts).await, sids);
        }
    }
}
