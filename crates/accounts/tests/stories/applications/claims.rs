//! What tokens for applications say beyond their own claims.

use serde_json::{Value, json};

use super::*;
use crate::on_both_stores;
use crate::user_data::object;
use vestibule::{ConfiguredApplication, Expected, Scopes, UserData, UserRef};

const ADA: &str = "ada@example.org";

fn paths(claims: &[(&str, &str)]) -> ClaimPaths {
    ClaimPaths::new(claims.iter().copied()).unwrap()
}

/// The shop is told the plan and the theme.
pub(crate) fn told() -> Application {
    let claims =
        [("plan", "app.plan"), ("theme", "data.look.theme"), ("https://shop.example/roles", "roles")];
    Application { claims: paths(&claims), ..shop() }
}

async fn knows(world: &World, value: Value) {
    let (user, data) = (UserRef::Email(address(ADA)), UserData::new(object(value)).unwrap());
    world.accounts.set_app_data(Actor::Operator, &user, &Expected::Any, data, None).await.unwrap();
}

/// Of these claims, those that are there.
fn said(of: &Value, names: &[&str]) -> Value {
    names.iter().filter_map(|name| Some(((*name).to_owned(), of.get(*name)?.clone()))).collect()
}

on_both_stores! {
    async fn an_application_is_told_what_its_registration_names(world: &World) {
        const NAMES: [&str; 3] = ["plan", "theme", "https://shop.example/roles"];
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        world.accounts.update_data(&who, object(json!({"look": {"theme": "dark"}})), &client()).await.unwrap();
        knows(world, json!({"plan": "pro", "secret": 1})).await;
        let by = world.has_application(&told()).await;
        let tokens = world.shops(&by, "openid offline_access", &who).await;
        let all = json!({"plan": "pro", "theme": "dark", "https://shop.example/roles": []});
        assert_eq!(said(&claims(&tokens.access_token), &NAMES), all);
        let id_token = claims(tokens.id_token.as_ref().unwrap());
        assert_eq!(said(&id_token, &NAMES), all);
        assert!(id_token["at_hash"].is_string() && id_token["nonce"] == "n-1" && id_token.get("secret").is_none());
        let info = world.accounts.user_info(tokens.access_token.expose()).await.unwrap();
        assert_eq!(Value::from(info.claims), all);
        // Others are not told: neither this service itself, nor another application, nor a machine.
        let own = world.signs_in(ADA, PASSWORD).await.unwrap();
        assert_eq!(said(&claims(&own.access_token), &NAMES), json!({}));
        let other = Application { id: "other".parse().unwrap(), claims: paths(&[("tier", "app.plan")]), ..shop() };
        let others = world.shops(&world.has_application(&other).await, "openid", &who).await;
        assert_eq!(said(&claims(&others.access_token), &[&NAMES[..], &["tier"]].concat()), json!({"tier": "pro"}));
        let machine = world.accounts.machine_token(&by, None, None).await.unwrap();
        assert_eq!(said(&claims(&machine.access_token), &NAMES), json!({}));
        // A change of data and registration is in the next token, and in the user info at once.
        knows(world, json!({"plan": "basic"})).await;
        let fewer = Application { claims: paths(&[("plan", "app.plan")]), ..told() };
        world.accounts.update_application(Actor::Operator, fewer.clone()).await.unwrap();
        let info = world.accounts.user_info(tokens.access_token.expose()).await.unwrap();
        assert_eq!(Value::from(info.claims), json!({"plan": "basic"}));
        let secret = world.accounts.rotate_application_secret(Actor::Operator, &fewer.id).await.unwrap();
        let by = world.accounts.authenticate_application("shop", Some(&secret)).await.unwrap();
        assert_eq!(by.application(), &fewer);
        let refresh = tokens.refresh_token.unwrap();
        let next = world.accounts.refresh_for_application(&by, refresh.expose(), None, None, &client()).await.unwrap();
        for token in [&next.access_token, next.id_token.as_ref().unwrap()] {
            assert_eq!(said(&claims(token), &NAMES), json!({"plan": "basic"}));
        }
    }

    // A token stays readable for whoever verifies it, and nobody pushes out what the service says of them.
    async fn claims_have_their_bound(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let long = json!({"a_bio": "x".repeat(1500), "b_bio": "y".repeat(1500)});
        world.accounts.update_data(&who, object(long), &client()).await.unwrap();
        knows(world, json!({"banned": true})).await;
        let names = [("a_bio", "data.a_bio"), ("b_bio", "data.b_bio"), ("z_banned", "app.banned")];
        let application = Application { claims: paths(&names), resources: vec![], ..shop() };
        let by = world.has_application(&application).await;
        let tokens = world.shops(&by, "openid offline_access", &who).await;
        for token in [&tokens.access_token, tokens.id_token.as_ref().unwrap()] {
            let claims = claims(token);
            assert_eq!((&claims["z_banned"], &claims["b_bio"]), (&json!(true), &Value::Null));
            assert_eq!(claims["a_bio"].as_str().unwrap().len(), 1500);
            assert!(token.expose().len() < 8 * 1024);
        }
        world.accounts.authenticate_access(tokens.access_token.expose()).await.unwrap();
    }

    // O4: whoever can change what tokens say can do as much as with roles, whichever application they are for.
    async fn data_that_applications_are_told_is_changed_with_a_fresh_proof(world: &World) {
        world.has_account(ADA).await;
        let (root, from) = (world.has_administrator().await, client());
        world.advance(hours(1));
        let (user, actor) = (UserRef::Email(address(ADA)), Actor::User(&root, &from));
        let sets = async |accounts: &Accounts| {
            let plan = UserData::new(object(json!({"plan": "pro"}))).unwrap();
            accounts.set_app_data(actor, &user, &Expected::Any, plan, None).await
        };
        let harmless = Application { claims: paths(&[("theme", "data.theme")]), ..shop() };
        world.has_application(&harmless).await;
        assert!(sets(&world.accounts).await.is_ok());
        world.accounts.update_application(Actor::Operator, told()).await.unwrap();
        assert!(refusal(sets(&world.accounts).await).starts_with("StepUp"));
        world.accounts.remove_application(Actor::Operator, &told().id).await.unwrap();
        assert!(sets(&world.accounts).await.is_ok());
        let configured = ConfiguredApplication { application: told(), secrets: vec!["x".repeat(32).as_str().into()] };
        let accounts = world.instance_with(|policy| policy.applications = vec![configured.clone()]).await;
        assert!(refusal(sets(&accounts).await).starts_with("StepUp"));
        // Nobody learns of it who may not do it in any case.
        let ada = world.session_of(ADA).await;
        let refused = accounts.set_app_data(Actor::User(&ada, &from), &user, &Expected::Any, UserData::default(), None);
        assert_eq!(refusal(refused.await), "Forbidden");
    }

    async fn everybody_may_know_the_names(world: &World) {
        assert!(world.accounts.application_claim_names().await.is_empty());
        world.has_application(&told()).await;
        let other = Application { id: "other".parse().unwrap(), claims: paths(&[("plan", "app.plan"), ("a", "roles")]), ..shop() };
        world.has_application(&other).await;
        world.advance(seconds(5));
        assert_eq!(world.accounts.application_claim_names().await, ["a", "https://shop.example/roles", "plan", "theme"]);
    }

    // A user is told what an application learns, also where its registration changes later.
    async fn the_question_and_the_list_of_connections_name_the_claims(world: &World) {
        world.has_account(ADA).await;
        let who = world.session_of(ADA).await;
        let asking = Application { consent: Consent::Ask, ..told() };
        world.has_application(&asking).await;
        let request = world.request(asks(&asking, "openid")).await;
        let AuthorizationStep::Ask(question) = world.decides(&request, Some(&who)).await else { panic!("not asked") };
        assert_eq!(question.application.claims, told().claims);
        let id = world.accounts.keep_authorization(&request, "browser", &client()).await.unwrap();
        let allow = vestibule::ConsentAnswer::Allow;
        world.accounts.answer_authorization(Some(&who), "browser", &id, allow, &client()).await.unwrap();
        let fewer = Application { claims: paths(&[("plan", "app.plan")]), scopes: Scopes::default(), ..asking };
        world.accounts.update_application(Actor::Operator, fewer.clone()).await.unwrap();
        let grants = world.accounts.list_grants(&who).await.unwrap();
        assert_eq!(grants[0].claims, fewer.claims);
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["security_notice"]);
    }
}
