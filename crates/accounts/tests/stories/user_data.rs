//! What users keep with their account, and what the application keeps with it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::on_both_stores;
use crate::webhooks::{creates, telling};
use crate::world::*;
use vestibule::{
    Account, Accounts, Actor, AuditKind, AuditQuery, DataError, DataFault, DataSchema, Edit, Expected,
    ProfileChange, SignedIn, UserData, UserRef,
};

const ADA: &str = "ada@example.org";

pub(crate) fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value} is no object") };
    object
}

fn data(value: Value) -> UserData {
    UserData::new(object(value)).unwrap()
}

/// Allows `b` only beside `a`.
#[derive(Debug)]
struct Pairs;

impl DataSchema for Pairs {
    fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        let is_alone = data.contains_key("b") && !data.contains_key("a");
        let fault = || DataFault { pointer: "/b".to_owned(), reason: "it is alone".to_owned() };
        is_alone.then(fault).into_iter().collect()
    }
}

fn of(account: &Account) -> (Value, Value) {
    (account.data.to_object().into(), account.app_data.to_object().into())
}

async fn signed_in(accounts: &Accounts) -> SignedIn {
    let login = vestibule::Login::Email(address(ADA));
    let tokens = accounts.sign_in(&login, &password(PASSWORD), &client()).await.unwrap();
    accounts.authenticate(tokens.access_token.expose()).await.unwrap()
}

/// The kinds of the newest entries about a user, newest first.
async fn trail(world: &World, account: &Account) -> Vec<AuditKind> {
    let query = AuditQuery { user: Some(account.id), ..AuditQuery::default() };
    let page = world.accounts.list_audit(Actor::Operator, &query).await.unwrap();
    page.items.iter().map(|event| event.kind).collect()
}

on_both_stores! {
    async fn patches_are_merged_into_what_is_there(world: &World) {
        let ada = world.has_account(ADA).await;
        let who = signed_in(&world.accounts).await;
        let patch = async |value| world.accounts.update_data(&who, object(value), &client()).await.unwrap();
        assert_eq!(of(&ada), (json!({}), json!({})));
        let changed = patch(json!({"theme": "dark", "news": {"weekly": true}})).await;
        assert_eq!(of(&changed).0, json!({"theme": "dark", "news": {"weekly": true}}));
        assert_ne!(changed.revision(), ada.revision());
        let changed = patch(json!({"theme": null, "news": {"daily": false}})).await;
        assert_eq!(of(&changed).0, json!({"news": {"weekly": true, "daily": false}}));
        // What changes nothing is no change.
        let before = trail(world, &ada).await;
        assert_eq!(patch(json!({"nothing": null, "news": {"weekly": true}})).await, changed);
        assert_eq!(trail(world, &ada).await, before);
        assert_eq!(before[..2], [AuditKind::DataChanged; 2]);
        let found = world.accounts.find_user(Actor::Operator, &UserRef::Id(ada.id)).await.unwrap();
        assert_eq!(found, changed);
        let held = world.accounts.export_account(&signed_in(&world.accounts).await, &client()).await.unwrap();
        assert_eq!(held.account, changed);
    }

    // A patch that does not fit leaves everything as it was.
    async fn data_has_a_bound(world: &World) {
        world.has_account(ADA).await;
        let who = signed_in(&world.accounts).await;
        let patch = async |value| world.accounts.update_data(&who, object(value), &client()).await;
        patch(json!({"a": "x".repeat(3000)})).await.unwrap();
        assert_eq!(refusal(patch(json!({"b": "x".repeat(2000)})).await), "Invalid(TooLarge)");
        let kept = patch(json!({"b": 1})).await.unwrap();
        assert_eq!(of(&kept).0, json!({"a": "x".repeat(3000), "b": 1}));
    }

    // What users keep is judged as a whole, as it would be afterwards; what the application keeps is not.
    async fn a_schema_says_what_users_may_keep(world: &World) {
        world.has_account(ADA).await;
        let accounts = world.instance_with(|policy| policy.data_schema = Some(Arc::new(Pairs))).await;
        let who = signed_in(&accounts).await;
        let patch = async |value| accounts.update_data(&who, object(value), &client()).await;
        patch(json!({"a": 1, "b": 2})).await.unwrap();
        let Err(DataError::Refused(faults)) = patch(json!({"a": null})).await else { panic!("`b` is alone") };
        assert_eq!((faults.len(), faults[0].pointer.as_str()), (1, "/b"));
        assert_eq!(of(&patch(json!({"a": 3})).await.unwrap()).0, json!({"a": 3, "b": 2}));
        assert_eq!(of(&patch(json!({"a": null, "b": null})).await.unwrap()).0, json!({}));
        let (user, alone) = (UserRef::Email(address(ADA)), data(json!({"b": 1})));
        accounts.set_app_data(Actor::Operator, &user, &Expected::Any, alone, None).await.unwrap();
        // What was kept under another schema stays until it is changed.
        world.accounts.update_data(&who, object(json!({"b": 5})), &client()).await.unwrap();
        assert_eq!(of(&patch(json!({"b": 5})).await.unwrap()).0, json!({"b": 5}));
        assert!(matches!(patch(json!({"b": 6})).await, Err(DataError::Refused(_))));
    }

    // Of many patches at once, on two instances, none is lost.
    async fn no_patch_is_lost(world: &World) {
        world.has_account(ADA).await;
        let who = signed_in(&world.accounts).await;
        let other = world.another_instance().await;
        let patches = (0..20).map(|n| {
            let accounts = if n % 2 == 0 { &world.accounts } else { &other };
            let patch = object(json!({ format!("member_{n}"): n }));
            let (who, from) = (&who, client());
            async move { accounts.update_data(who, patch, &from).await.unwrap() }
        });
        futures_util::future::join_all(patches).await;
        let account = world.accounts.find_user(Actor::Operator, &UserRef::Email(address(ADA))).await.unwrap();
        assert_eq!(account.data.to_object().len(), 20);
    }

    // Two objects, and neither becomes part of the other: what users say of themselves is not what the application knows.
    async fn the_application_has_its_own(world: &World) {
        let ada = world.has_account(ADA).await;
        let user = UserRef::Id(ada.id);
        let who = signed_in(&world.accounts).await;
        world.accounts.update_data(&who, object(json!({"plan": "gold", "theme": "dark"})), &client()).await.unwrap();
        let put = async |expected, value| {
            world.accounts.set_app_data(Actor::Operator, &user, &expected, data(value), None).await
        };
        let changed = put(Expected::Any, json!({"plan": "free"})).await.unwrap();
        assert_eq!(of(&changed), (json!({"plan": "gold", "theme": "dark"}), json!({"plan": "free"})));
        assert_eq!(trail(world, &ada).await[0], AuditKind::AppDataChanged);
        // It replaces, it does not merge; and it is for the state that was seen.
        assert_eq!(refusal(put(Expected::OneOf(vec![ada.revision()]), json!({"a": 1})).await), "Changed");
        let seen = Expected::OneOf(vec![changed.revision()]);
        assert_eq!(of(&put(seen, json!({"seats": 3})).await.unwrap()).1, json!({"seats": 3}));
        let from = client();
        let own = world.accounts.set_app_data(Actor::User(&who, &from), &user, &Expected::Any, data(json!({})), None).await;
        assert_eq!(refusal(own), "Forbidden");
        assert_eq!(of(&put(Expected::Any, json!({})).await.unwrap()).1, json!({}));
        world.deletes(ADA).await;
        assert_eq!(refusal(put(Expected::Any, json!({"a": 1})).await), "NotFound");
        assert_eq!(refusal(world.accounts.update_data(&who, object(json!({"a": 1})), &client()).await), "Gone");
    }

    // M7: once for each change, and not for what changes nothing.
    async fn changes_are_announced(world: &World) {
        let accounts = telling(world, &["app"]).await;
        let ada = creates(&accounts, ADA).await;
        let who = signed_in(&accounts).await;
        let user = UserRef::Id(ada.id);
        let told = || world.sql("SELECT 1 FROM webhook_deliveries WHERE event = 'user.updated'");
        for (n, name) in [(1, Edit::Set("Ada".parse().unwrap())), (1, Edit::Keep), (1, Edit::Set("Ada".parse().unwrap()))] {
            let change = ProfileChange { display_name: name, ..ProfileChange::default() };
            accounts.update_profile(&who, change, &client()).await.unwrap();
            assert_eq!(told(), n);
        }
        for (n, value) in [(2, json!({"a": 1})), (2, json!({"a": 1})), (3, json!({"a": null}))] {
            accounts.update_data(&who, object(value), &client()).await.unwrap();
            assert_eq!(told(), n);
        }
        for (n, value) in [(4, json!({"a": 1})), (4, json!({"a": 1}))] {
            accounts.set_app_data(Actor::Operator, &user, &Expected::Any, data(value), None).await.unwrap();
            assert_eq!(told(), n);
        }
        let change = vestibule::UserChange { locale: Some("de".to_owned()), ..Default::default() };
        accounts.change_user(Actor::Operator, &user, &Expected::Any, change, None).await.unwrap();
        assert_eq!(told(), 5);
    }
}
