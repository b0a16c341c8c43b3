//! Registering applications.

use super::assertions::keys_of;
use super::*;
use crate::on_both_stores;
use vestibule::{
    ApplicationInvalid, AuditKind, AuditQuery, ConfiguredApplication, RedirectUri, RedirectUriError, UserRef,
};
use vestibule_testing::assertion::Signer;

on_both_stores! {
    async fn a_registration_is_kept_as_it_is(world: &World) {
        let application = Application { logout_uri: Some("https://shop.example/logout".to_owned()), ..shop() };
        world.accounts.create_application(Actor::Operator, application.clone()).await.unwrap();
        let found = world.accounts.find_application(Actor::Operator, &application.id).await.unwrap();
        assert_eq!((&found.application, found.secrets), (&application, 1));
        let taken = world.accounts.create_application(Actor::Operator, shop()).await;
        assert_eq!(refusal(taken), "Taken");
        let changed = Application { name: "Shop 2".to_owned(), logout_uri: None, ..shop() };
        world.accounts.update_application(Actor::Operator, changed.clone()).await.unwrap();
        assert_eq!(world.accounts.list_applications(Actor::Operator).await.unwrap()[0].application, changed);
        let public = Application { kind: ApplicationKind::Public, machine_scopes: "".parse().unwrap(), ..shop() };
        assert_eq!(refusal(world.accounts.update_application(Actor::Operator, public).await), "Kind");
        world.accounts.remove_application(Actor::Operator, &application.id).await.unwrap();
        assert_eq!(refusal(world.accounts.find_application(Actor::Operator, &application.id).await), "NotFound");
        assert_eq!(refusal(world.accounts.update_application(Actor::Operator, changed).await), "NotFound");
    }

    async fn what_breaks_a_rule_is_not_registered(world: &World) {
        let device = "com.example.app:/done".parse().unwrap();
        for (wrong, expected) in [
            (Application { name: " Shop".to_owned(), ..shop() }, ApplicationInvalid::Name),
            (Application { name: "Shop\u{202e}".to_owned(), ..shop() }, ApplicationInvalid::Name),
            (
                Application { resources: vec!["http://api.shop.example".to_owned()], ..shop() },
                ApplicationInvalid::Resource("http://api.shop.example".to_owned()),
            ),
            (Application { logout_uri: Some("ftp://x".to_owned()), ..shop() }, ApplicationInvalid::LogoutUri),
            (
                Application { machine_scopes: "stock:read,stock:write".parse().unwrap(), ..shop() },
                ApplicationInvalid::ScopeComma { list: "machine_scopes", name: "stock:read,stock:write".to_owned() },
            ),
            (Application { scopes: "email".parse().unwrap(), ..shop() }, ApplicationInvalid::Scope("email".to_owned())),
            (
                Application { machine_scopes: "openid".parse().unwrap(), ..shop() },
                ApplicationInvalid::MachineScope("openid".to_owned()),
            ),
            (
                Application { kind: ApplicationKind::Public, ..shop() },
                ApplicationInvalid::MachineNeedsSecret,
            ),
            // RFC 8252 §8.6
            (
                Application { redirect_uris: vec![device], consent: Consent::Never, ..game() },
                ApplicationInvalid::ConsentNeeded,
            ),
            (
                Application { keys: keys_of(&[&Signer::p256()]), ..game() },
                ApplicationInvalid::KeysNeedConfidential,
            ),
            (Application { redirect_uris: vec![], ..game() }, ApplicationInvalid::Useless),
        ] {
            let refused = world.accounts.create_application(Actor::Operator, wrong).await;
            assert_eq!(refusal(refused), format!("Invalid({expected:?})"));
        }
    }

    async fn limits_of_a_registration_hold_at_their_edges(world: &World) {
        let named = |letters: usize| Application { name: "ä".repeat(letters), ..shop() };
        let many = |number: usize| (0..number).map(|i| format!("{CALLBACK}/{i}")).collect::<Vec<_>>();
        let uris = |number: usize| many(number).iter().map(|uri| uri.parse().unwrap()).collect::<Vec<_>>();
        let claims = |n: usize| {
            let all: Vec<String> = (0..n).map(|n| format!("claim{n}")).collect();
            ClaimPaths::new(all.iter().map(|name| (name.as_str(), "app.plan"))).unwrap()
        };
        let registers = |application: Application| async move {
            let made = world.accounts.create_application(Actor::Operator, application).await;
            world.accounts.remove_application(Actor::Operator, &shop().id).await.ok();
            made.map(drop)
        };
        for (fits, too_many, expected) in [
            (named(64), named(65), ApplicationInvalid::Name),
            (
                Application { redirect_uris: uris(16), ..shop() },
                Application { redirect_uris: uris(17), ..shop() },
                ApplicationInvalid::TooMany("redirect_uris"),
            ),
            (
                Application { post_logout_redirect_uris: uris(16), ..shop() },
                Application { post_logout_redirect_uris: uris(17), ..shop() },
                ApplicationInvalid::TooMany("post_logout_redirect_uris"),
            ),
            (
                Application { resources: many(16), ..shop() },
                Application { resources: many(17), ..shop() },
                ApplicationInvalid::TooMany("resources"),
            ),
            (
                Application { claims: claims(16), ..shop() },
                Application { claims: claims(17), ..shop() },
                ApplicationInvalid::Claims,
            ),
        ] {
            registers(fits).await.unwrap();
            assert_eq!(refusal(registers(too_many).await), format!("Invalid({expected:?})"));
        }
        // Five hundred are kept.
        world.sql(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 499) \
             INSERT INTO applications SELECT 'app-' || CAST(i AS TEXT), 'App', 'public', 'https://a.example/', '', NULL, '', '', \
             '', 'ask', 0, 0, NULL, NULL FROM n RETURNING id",
        );
        world.accounts.create_application(Actor::Operator, shop()).await.unwrap();
        assert_eq!(refusal(world.accounts.create_application(Actor::Operator, game()).await), "TooMany");
        assert_eq!(world.accounts.list_applications(Actor::Operator).await.unwrap().len(), 500);
    }

    // RFC 9700 §2.6, RFC 8252 §7.3: `http` leads to programs on the same device alone.
    async fn an_answer_never_travels_in_the_clear(world: &World) {
        for wrong in ["http://shop.example/callback", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/", "http://192.0.2.1/"] {
            assert_eq!(wrong.parse::<RedirectUri>().unwrap_err(), RedirectUriError::Plain, "{wrong}");
        }
        let local = ["http://localhost/in", "http://127.0.0.1/in", "http://[::1]/in"].map(|uri| uri.parse().unwrap());
        world.has_application(&Application { redirect_uris: local.to_vec(), ..game() }).await;
    }

    // RFC 8707 §2
    async fn a_resource_is_an_absolute_address_without_a_fragment(world: &World) {
        for wrong in ["api.shop.example", "/orders", "", "https://", "https://api.shop.example/#orders", "https://api.shop.example/#"] {
            let asking = Application { resources: vec![wrong.to_owned()], ..shop() };
            let refused = world.accounts.create_application(Actor::Operator, asking).await;
            assert_eq!(refusal(refused), format!("Invalid({:?})", ApplicationInvalid::Resource(wrong.to_owned())));
        }
        world.has_application(&shop()).await;
        for wrong in ["/orders", "api", "https://api.shop.example/#", "https://api.shop.example#orders"] {
            let asked = AuthorizationParameters { resource: vec![wrong.to_owned()], ..asks(&shop(), "openid") };
            let refused = refusal(world.accounts.check_authorization(asked).await);
            assert!(refused.contains("error=invalid_target"), "{wrong}: {refused}");
        }
    }

    async fn administrators_register_and_nobody_else(world: &World) {
        world.has_account("ada@example.org").await;
        let (admin, ada) = (world.has_administrator().await, world.session_of("ada@example.org").await);
        let from = client();
        let refused = world.accounts.create_application(Actor::User(&ada, &from), shop()).await;
        assert_eq!(refusal(refused), "Admin(Forbidden)");
        assert!(world.accounts.list_applications(Actor::User(&ada, &from)).await.is_err());
        world.accounts.create_application(Actor::User(&admin, &from), shop()).await.unwrap();
        world.advance(hours(1));
        // Power over others requires a recent proof.
        let stale = world.accounts.rotate_application_secret(Actor::User(&admin, &from), &shop().id).await;
        assert!(refusal(stale).starts_with("Admin(StepUp"));
    }

    // The settings win, and are changed there.
    async fn an_application_of_the_settings_is_one_like_any_other(world: &World) {
        let secret = Secret::from("a-secret-of-at-least-32-characters");
        let configured = ConfiguredApplication { application: shop(), secrets: vec![secret.clone()] };
        let accounts = world.instance_with(|policy| policy.applications = vec![configured]).await;
        let by = accounts.authenticate_application("shop", Some(&secret)).await.unwrap();
        accounts.machine_token(&by, None, None).await.unwrap();
        assert_eq!(refusal(accounts.create_application(Actor::Operator, shop()).await), "Taken");
        let id = shop().id;
        assert_eq!(refusal(accounts.remove_application(Actor::Operator, &id).await), "InSettings");
        assert_eq!(refusal(accounts.rotate_application_secret(Actor::Operator, &id).await), "InSettings");
        let all = accounts.list_applications(Actor::Operator).await.unwrap();
        assert_eq!((all.len(), all[0].times), (1, None));
    }

    // The one in the database counts for nothing until it is removed, which leaves what belongs to the other.
    async fn an_application_that_is_registered_twice_is_found_and_removed(world: &World) {
        let by = world.has_application(&shop()).await;
        world.has_account("ada@example.org").await;
        let ada = world.session_of("ada@example.org").await;
        world.shops(&by, "openid", &ada).await;
        let configured = ConfiguredApplication {
            application: Application { name: "Shop of the settings".to_owned(), ..shop() },
            secrets: vec![Secret::from("a-secret-of-at-least-32-characters")],
        };
        let accounts = world.instance_with(|policy| policy.applications = vec![configured]).await;
        assert_eq!(accounts.applications_registered_twice().await.unwrap(), [shop().id]);
        assert_eq!(world.accounts.applications_registered_twice().await.unwrap(), []);
        assert_eq!(accounts.list_applications(Actor::Operator).await.unwrap().len(), 1);
        accounts.remove_application(Actor::Operator, &shop().id).await.unwrap();
        assert_eq!(accounts.applications_registered_twice().await.unwrap(), []);
        assert_eq!(accounts.list_grants(&ada).await.unwrap()[0].name, "Shop of the settings");
        assert_eq!(refusal(accounts.remove_application(Actor::Operator, &shop().id).await), "InSettings");
    }

    async fn what_a_user_has_let_in_is_seen_and_taken_back(world: &World) {
        let by = world.has_application(&shop()).await;
        world.has_account("ada@example.org").await;
        world.has_account("bob@example.org").await;
        let (ada, bob) = (world.session_of("ada@example.org").await, world.session_of("bob@example.org").await);
        let tokens = world.shops(&by, "openid offline_access", &ada).await;
        world.shops(&by, "openid", &bob).await;
        let (accounts, of_ada) = (&world.accounts, UserRef::Id(ada.account.id));
        let from = client();
        assert!(accounts.grants_of(Actor::User(&bob, &from), &of_ada).await.is_err());
        assert!(accounts.revoke_grant_of(Actor::User(&bob, &from), &of_ada, "shop").await.is_err());
        let grants = accounts.grants_of(Actor::Operator, &of_ada).await.unwrap();
        assert_eq!((grants.len(), grants[0].scopes.to_string()), (1, "offline_access openid".to_owned()));
        assert!(accounts.revoke_grant_of(Actor::Operator, &of_ada, "shop").await.unwrap());
        assert!(!accounts.revoke_grant_of(Actor::Operator, &of_ada, "shop").await.unwrap());
        assert!(accounts.user_info(tokens.access_token.expose()).await.is_err());
        assert_eq!(accounts.list_grants(&bob).await.unwrap().len(), 1);
        let query = AuditQuery { kind: Some(AuditKind::ApplicationDisconnected), ..AuditQuery::default() };
        let trail = accounts.list_audit(Actor::Operator, &query).await.unwrap().items;
        let told: Vec<_> = trail.iter().map(|event| (event.user_id, event.detail.as_deref())).collect();
        assert_eq!(told, [(Some(ada.account.id), Some("shop"))]);
    }
}
