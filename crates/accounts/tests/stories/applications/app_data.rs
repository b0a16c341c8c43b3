//! Applications that keep data about users here.

use serde_json::{Value, json};

use super::*;
use crate::on_both_stores;
use crate::user_data::object;
use crate::webhooks::telling;
use vestibule::{AuditActor, AuditKind, AuditQuery, Expected, Scopes, UserData, UserRef};

const ADA: &str = "ada@example.org";
const APP_DATA: &str = "users:app-data";

fn names(scopes: &str) -> Scopes {
    scopes.parse().unwrap()
}

fn keeper() -> Application {
    Application { machine_scopes: names("stock users:app-data"), ..shop() }
}

fn plan(name: &str) -> UserData {
    UserData::new(object(json!({"plan": name}))).unwrap()
}

/// The token of an application for itself.
async fn token(world: &World, by: &AuthenticatedApplication) -> Secret {
    let made = world.accounts.machine_token(by, Some(&names(APP_DATA)), None).await.unwrap();
    assert_eq!(made.scopes, names(APP_DATA));
    made.access_token
}

on_both_stores! {
    async fn an_application_keeps_what_it_knows_about_a_user(world: &World) {
        let ada = world.has_account(ADA).await;
        let user = UserRef::Id(ada.id);
        let by = world.has_application(&keeper()).await;
        let token = token(world, &by).await;
        let accounts = telling(world, &["app"]).await;
        let (shop, from) = (accounts.authenticate_app_data(token.expose()).await.unwrap(), client());
        let actor = Actor::Application(&shop, &from);
        let seen = accounts.find_app_data(actor, &user).await.unwrap();
        let expected = Expected::OneOf(vec![seen.revision()]);
        accounts.set_app_data(actor, &user, &expected, plan("pro"), None).await.unwrap();
        assert_eq!(Value::from(accounts.find_app_data(actor, &user).await.unwrap().app_data.to_object()), json!({"plan": "pro"}));
        // For the state that was seen, once; and the same again changes nothing.
        let again = accounts.set_app_data(actor, &user, &expected, plan("free"), None).await;
        assert_eq!(refusal(again), "Changed");
        accounts.set_app_data(actor, &user, &Expected::Any, plan("pro"), None).await.unwrap();
        assert_eq!(world.sql("SELECT 1 FROM webhook_deliveries WHERE event = 'user.updated'"), 1);
        let query = AuditQuery { kind: Some(AuditKind::AppDataChanged), ..AuditQuery::default() };
        let trail = accounts.list_audit(Actor::Operator, &query).await.unwrap().items;
        let [entry] = trail.as_slice() else { panic!("{trail:?}") };
        assert_eq!((entry.actor, entry.detail.as_deref()), (AuditActor::Application, Some("shop")));
        assert_eq!((entry.user_id, entry.ip.is_some()), (Some(ada.id), from.ip.is_some()));
        // Nothing else is open to it.
        assert_eq!(refusal(accounts.find_user(actor, &user).await), "Forbidden");
        assert_eq!(refusal(accounts.list_applications(actor).await), "Forbidden");
        assert_eq!(refusal(accounts.create_application(actor, game()).await), "Admin(Forbidden)");
        assert_eq!(refusal(accounts.authenticate(token.expose()).await), "Invalid");
        let nobody = UserRef::Email(address("nobody@example.org"));
        assert_eq!(refusal(accounts.find_app_data(actor, &nobody).await), "NotFound");
    }

    // The registration is read at each use, and once more where something is written.
    async fn what_an_application_may_keep_ends_with_its_registration(world: &World) {
        let user = UserRef::Id(world.has_account(ADA).await.id);
        let by = world.has_application(&keeper()).await;
        let token = token(world, &by).await;
        let accounts = &world.accounts;
        let (shop, from) = (accounts.authenticate_app_data(token.expose()).await.unwrap(), client());
        for gone in [false, true] {
            if gone {
                accounts.remove_application(Actor::Operator, &shop.id).await.unwrap();
            } else {
                accounts.update_application(Actor::Operator, super::shop()).await.unwrap();
            }
            assert_eq!(refusal(accounts.authenticate_app_data(token.expose()).await), "Invalid");
            let actor = Actor::Application(&shop, &from);
            assert_eq!(refusal(accounts.find_app_data(actor, &user).await), "Forbidden");
            assert_eq!(refusal(accounts.set_app_data(actor, &user, &Expected::Any, plan("pro"), None).await), "Forbidden");
        }
        let ada = accounts.find_user(Actor::Operator, &user).await.unwrap();
        assert!(ada.app_data.to_object().is_empty());
    }

    // A token that another service gets to see is of no use here.
    async fn only_a_token_for_this_service_opens_it(world: &World) {
        world.has_account(ADA).await;
        let by = world.has_application(&keeper()).await;
        let accounts = &world.accounts;
        let asks = |scopes: Option<&'static str>, resource: Option<&'static str>| {
            let (accounts, by, scopes) = (accounts.clone(), by.clone(), scopes.map(names));
            async move { accounts.machine_token(&by, scopes.as_ref(), resource.map(str::to_owned)).await }
        };
        // It has to be asked for, and not with a resource.
        for resource in [None, Some(API)] {
            let token = asks(None, resource).await.unwrap();
            assert_eq!(token.scopes, names("stock"));
            let refused = accounts.authenticate_app_data(token.access_token.expose()).await;
            assert_eq!(refusal(refused), "InsufficientScope");
        }
        for scopes in [APP_DATA, "stock users:app-data"] {
            assert_eq!(refusal(asks(Some(scopes), Some(API)).await), "Scope");
            let token = asks(Some(scopes), None).await.unwrap();
            assert!(accounts.authenticate_app_data(token.access_token.expose()).await.is_ok());
        }
        let other = Application { id: "other".parse().unwrap(), ..shop() };
        let other = world.has_application(&other).await;
        assert_eq!(refusal(accounts.machine_token(&other, Some(&names(APP_DATA)), None).await), "Scope");
        let alone = Application { id: "alone".parse().unwrap(), machine_scopes: names(APP_DATA), ..shop() };
        let alone = world.has_application(&alone).await;
        assert_eq!(refusal(accounts.machine_token(&alone, None, None).await), "Scope");
        // Nor can a user give it: not in a registration, not in a request.
        let asking = Application { id: "asking".parse().unwrap(), scopes: names(APP_DATA), ..shop() };
        let refused = accounts.create_application(Actor::Operator, asking).await;
        assert_eq!(refusal(refused), "Invalid(MachineOnly(\"users:app-data\"))");
        let who = world.session_of(ADA).await;
        let tokens = world.shops(&by, "openid", &who).await;
        let own = world.signs_in(ADA, PASSWORD).await.unwrap();
        for (token, expected) in [(&tokens.access_token, "InsufficientScope"), (&own.access_token, "Invalid")] {
            assert_eq!(refusal(accounts.authenticate_app_data(token.expose()).await), expected);
        }
    }
}
