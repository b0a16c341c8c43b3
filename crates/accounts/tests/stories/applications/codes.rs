//! Codes and what they buy.

use super::*;
use crate::on_both_stores;
use vestibule::{AuditKind, UserRef};

on_both_stores! {
    // RFC 6749 §4.1, RFC 7636, RFC 9068, RFC 9207, OpenID Connect Core §2: the whole walk.
    async fn a_code_buys_tokens(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let request = world.request(asks(&shop(), "openid email offline_access orders")).await;
        let AuthorizationStep::Done(address) = world.decides(&request, Some(&who)).await else { panic!() };
        assert!(address.starts_with("https://shop.example/callback?code=vac_"), "{address}");
        assert_eq!(parameter(&address, "state").as_deref(), Some("s 1"));
        assert_eq!(parameter(&address, "iss").as_deref(), Some("https://accounts.example.org"));
        world.advance(seconds(59));
        let tokens = world.exchanges(&by, &parameter(&address, "code").unwrap()).await.unwrap();
        assert_eq!(tokens.expires_in, seconds(600));
        let access = claims(&tokens.access_token);
        assert_eq!(access["sub"], account.id.to_string());
        assert_eq!(access["client_id"], "shop");
        assert_eq!(access["scope"], "email offline_access openid orders");
        assert_eq!(access["aud"], "https://accounts.example.org/v1/userinfo");
        assert_ne!(access["sid"], who.session_id.to_string());
        assert!(access.get("roles").is_none());
        let id = claims(tokens.id_token.as_ref().unwrap());
        assert_eq!(id["aud"], "shop");
        assert_eq!(id["nonce"], "n-1");
        assert_eq!(id["sid"], access["sid"]);
        assert_eq!(id["auth_time"], who.auth_time.as_seconds());
        assert_eq!(id["amr"], serde_json::json!(["pwd"]));
        let info = world.accounts.user_info(tokens.access_token.expose()).await.unwrap();
        assert_eq!((info.sub, info.email.as_deref()), (account.id, Some("ada@example.org")));
        assert_eq!(info.created_at, None);
        let refresh = tokens.refresh_token.unwrap();
        let next = world.accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await;
        assert_eq!(claims(&next.unwrap().access_token)["sid"], access["sid"]);
    }

    // B26, RFC 9700 §4.5: the second use ends what the first began.
    async fn a_code_that_comes_twice_ends_its_session(world: &World) {
        world.has_account("ada@example.org").await;
        let browser = world.signs_in("ada@example.org", PASSWORD).await.unwrap().access_token.expose().to_owned();
        let who = world.who_is(&browser).await;
        let by = world.has_application(&shop()).await;
        let code = world.code_for(&shop(), "openid offline_access", &who).await;
        let tokens = world.exchanges(&by, &code).await.unwrap();
        let access = tokens.access_token.expose();
        world.accounts.user_info(access).await.unwrap();
        world.advance(seconds(300));
        let again = world.exchanges(&by, &code).await;
        assert_eq!(refusal(again), "Invalid(\"the code is unknown, used or expired\")");
        assert_eq!(refusal(world.accounts.user_info(access).await), "Invalid");
        let refresh = tokens.refresh_token.unwrap();
        let next = world.accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await;
        assert_eq!(refusal(next), "Refresh(Invalid)");
        // The browser's own session is nobody's loot.
        world.accounts.authenticate(&browser).await.unwrap();
        let reused = Some(AuditKind::CodeReused);
        assert_eq!(world.accounts.audit_after(Actor::Operator, None, reused).await.unwrap().len(), 1);
    }

    // B26: of fifty at two instances one wins, and its session has ended, as one of the others was second.
    async fn one_of_many_redemptions_wins(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let other = world.another_instance().await;
        let code = world.code_for(&shop(), "openid", &who).await;
        let attempts = (0..50).map(|i| {
            let accounts = if i % 2 == 0 { world.accounts.clone() } else { other.clone() };
            let (by, code) = (by.clone(), code.clone());
            tokio::spawn(async move { exchanges_at(&accounts, &by, &code).await })
        });
        let mut won = Vec::new();
        for attempt in attempts.collect::<Vec<_>>() {
            won.extend(attempt.await.unwrap().ok());
        }
        assert_eq!(won.len(), 1);
        assert_eq!(refusal(world.accounts.user_info(won[0].access_token.expose()).await), "Invalid");
    }

    async fn a_code_is_for_its_application_address_verifier_and_minute(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let other = Application { id: "other".parse().unwrap(), ..shop() };
        let other = world.has_application(&other).await;
        let code = || async { world.code_for(&shop(), "openid", &who).await };
        let verifier = |code_verifier: &str| CodeExchange { code_verifier: code_verifier.to_owned(), ..exchange("", CALLBACK) };
        for (by, change) in [
            (&other, exchange("", CALLBACK)),
            (&by, exchange("", "https://shop.example/callback/")),
            (&by, verifier("")),
            (&by, verifier(CHALLENGE)),
            (&by, verifier(&VERIFIER.replace('d', "e"))),
        ] {
            let code = code().await;
            let given = CodeExchange { code: code.clone(), ..change.clone() };
            let refused = world.accounts.exchange_code(by, given, &client()).await;
            assert!(refusal(refused).starts_with("Invalid"), "{change:?}");
            // A wrong attempt uses it up.
            assert!(refusal(world.exchanges(by, &code).await).starts_with("Invalid"), "{change:?}");
        }
        let late = code().await;
        world.advance(seconds(60));
        assert!(refusal(world.exchanges(&by, &late).await).starts_with("Invalid"));
        assert!(refusal(world.exchanges(&by, "vac_nonsense").await).starts_with("Invalid"));
    }

    // RFC 8707: tokens for one resource, which must be the application's.
    async fn tokens_are_for_the_resource_that_was_asked_for(world: &World) {
        world.has_account("ada@example.org").await;
        let who = world.session_of("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        let wanting = |resource: &[&str]| AuthorizationParameters {
            resource: resource.iter().map(|&one| one.to_owned()).collect(),
            ..asks(&shop(), "openid")
        };
        for wrong in [vec!["https://evil.example"], vec![API, API], vec![""]] {
            let refused = world.accounts.check_authorization(wanting(&wrong)).await;
            assert!(refusal(refused).contains("error=invalid_target"), "{wrong:?}");
        }
        let request = world.request(wanting(&[API])).await;
        let AuthorizationStep::Done(address) = world.decides(&request, Some(&who)).await else { panic!() };
        let code = parameter(&address, "code").unwrap();
        let tokens = world.exchanges(&by, &code).await.unwrap();
        let audience = claims(&tokens.access_token)["aud"].clone();
        assert_eq!(audience, serde_json::json!([API, "https://accounts.example.org/v1/userinfo"]));
        assert_eq!(claims(&tokens.access_token)["roles"], serde_json::json!([]));
    }

    // B14: what was granted is asked for again at each use.
    async fn nothing_outlives_its_grant(world: &World) {
        let account = world.has_account("ada@example.org").await;
        let by = world.has_application(&shop()).await;
        for end in 0..5 {
            let who = world.session_of("ada@example.org").await;
            let tokens = world.shops(&by, "openid offline_access orders", &who).await;
            let waiting = world.code_for(&shop(), "openid", &who).await;
            let user = UserRef::Id(account.id);
            match end {
                0 => assert!(world.accounts.revoke_grant(&who, "shop", &client()).await.unwrap()),
                1 => world.accounts.sign_out(&who, true, &client()).await.unwrap(),
                2 => {
                    world.accounts.disable_user(Actor::Operator, &user, None).await.unwrap();
                    world.accounts.enable_user(Actor::Operator, &user, None).await.unwrap();
                }
                3 => {
                    let changed = password(PASSWORD);
                    world.accounts.set_password(&user, &changed).await.unwrap();
                }
                _ => world.accounts.remove_application(Actor::Operator, &shop().id).await.unwrap(),
            }
            assert!(world.accounts.user_info(tokens.access_token.expose()).await.is_err(), "{end}");
            let refresh = tokens.refresh_token.unwrap();
            let next = world.accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await;
            assert!(next.is_err(), "{end}");
            assert!(world.exchanges(&by, &waiting).await.is_err(), "{end}");
        }
        world.deliver().await;
        world.take_mails_to("ada@example.org");
    }
}
