//! Claims of the application's own in access tokens.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use crate::on_both_stores;
use crate::user_data::object;
use crate::world::*;
use vestibule::{Accounts, Actor, Claims, Expected, Login, Policy, Tokens, UserData, UserRef};

const ADA: &str = "ada@example.org";

fn claims_of(tokens: &Tokens) -> Value {
    let part = tokens.access_token.expose().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

async fn signs_in(accounts: &Accounts) -> Tokens {
    accounts.sign_in(&Login::Email(address(ADA)), &password(PASSWORD), &client()).await.unwrap()
}

async fn knows(accounts: &Accounts, value: Value) {
    let (user, data) = (UserRef::Email(address(ADA)), UserData::new(object(value)).unwrap());
    accounts.set_app_data(Actor::Operator, &user, &Expected::Any, data, None).await.unwrap();
}

on_both_stores! {
    // O4: whoever can change what tokens say can do as much as with roles.
    async fn data_that_ends_up_in_tokens_is_changed_with_a_fresh_proof(world: &World) {
        world.has_account(ADA).await;
        let (root, from) = (world.has_administrator().await, client());
        world.advance(hours(1));
        let (user, actor) = (UserRef::Email(address(ADA)), Actor::User(&root, &from));
        let plan = || UserData::new(object(json!({"plan": "pro"}))).unwrap();
        for (path, is_enough) in [("app.plan", false), ("data.plan", true), ("roles", true)] {
            let claims = Claims::from_paths([("plan", path)]).unwrap();
            let accounts = world.instance_with(|policy| policy.claims = claims).await;
            let set = accounts.set_app_data(actor, &user, &Expected::Any, plan(), None).await;
            assert_eq!(set.is_ok(), is_enough, "{path}: {set:?}");
            assert!(is_enough || refusal(set).starts_with("StepUp"));
        }
        let accounts = world.instance_with(|policy| policy.claims = Claims::by(|_| Map::new())).await;
        let set = accounts.set_app_data(actor, &user, &Expected::Any, plan(), None).await;
        assert!(refusal(set).starts_with("StepUp"));
    }

    async fn a_token_has_the_claims_of_the_settings(world: &World) {
        world.has_account(ADA).await;
        let settings = |policy: &mut Policy| {
            let claims = [("plan", "app.plan"), ("theme", "data.look.theme"), ("https://example.org/roles", "roles")];
            policy.claims = Claims::from_paths(claims).unwrap();
        };
        let accounts = world.instance_with(settings).await;
        let tokens = signs_in(&accounts).await;
        let claims = claims_of(&tokens);
        assert_eq!((claims.get("plan"), claims.get("theme")), (None, None));
        assert_eq!(claims["https://example.org/roles"], json!([]));
        let who = accounts.authenticate(tokens.access_token.expose()).await.unwrap();
        accounts.update_data(&who, object(json!({"look": {"theme": "dark"}, "plan": "gold"})), &client()).await.unwrap();
        knows(&accounts, json!({"plan": "pro"})).await;
        // From the next token on.
        let tokens = accounts.refresh(tokens.refresh_token.expose(), &client()).await.unwrap();
        let claims = claims_of(&tokens);
        assert_eq!((&claims["plan"], &claims["theme"]), (&json!("pro"), &json!("dark")));
        assert!(claims["sub"].as_str().unwrap().starts_with("usr_") && claims["roles"] == json!([]));
        // What reads tokens is not concerned.
        assert_eq!(accounts.authenticate(tokens.access_token.expose()).await.unwrap().account.id, who.account.id);
        assert!(world.accounts.authenticate(tokens.access_token.expose()).await.is_ok());
        assert_eq!(claims_of(&signs_in(&world.accounts).await).get("plan"), None);
    }

    async fn a_function_makes_the_claims(world: &World) {
        let ada = world.has_account(ADA).await;
        let make = |account: &vestibule::Account| {
            object(json!({"tenant": account.email.domain(), "sub": "usr_other", "exp": 1, "roles": ["admin"]}))
        };
        let accounts = world.instance_with(|policy| policy.claims = Claims::by(make)).await;
        let tokens = signs_in(&accounts).await;
        let claims = claims_of(&tokens);
        assert_eq!((&claims["tenant"], &claims["sub"]), (&json!("example.org"), &json!(ada.id.to_string())));
        assert_eq!(claims["roles"], json!([]));
        assert!(accounts.authenticate(tokens.access_token.expose()).await.is_ok());
    }
}
