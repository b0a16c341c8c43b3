//! What a sign-up brings along of the user's own data.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::on_both_stores;
use crate::user_data::object;
use crate::world::*;
use vestibule::{
    Account, Accounts, DataFault, DataSchema, SignUp, SignUpDataError, SignUpDataFault, SignUpError,
    SignUpField, SignUpInput, Wording,
};

const ADA: &str = "ada@example.org";

/// Asks for a plan, which is a text, and perhaps for an age. The whole object must have a theme.
#[derive(Debug)]
struct Asks([SignUpField; 2]);

fn field(name: &str, required: bool) -> SignUpField {
    let (input, label) = (SignUpInput::Text { kind: "text", most: None }, Wording::default());
    SignUpField { name: name.to_owned(), required, input, label, hint: None, schema: json!({}) }
}

impl DataSchema for Asks {
    fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        let fault = || DataFault { pointer: "/theme".to_owned(), reason: "it is missing".to_owned() };
        (!data.contains_key("theme")).then(fault).into_iter().collect()
    }

    fn sign_up_fields(&self) -> &[SignUpField] {
        &self.0
    }

    fn sign_up_faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        let fault = || DataFault { pointer: "/plan".to_owned(), reason: "it is no text".to_owned() };
        data.get("plan").is_some_and(|plan| !plan.is_string()).then(fault).into_iter().collect()
    }
}

async fn asking(world: &World) -> Accounts {
    let schema: Arc<dyn DataSchema> = Arc::new(Asks([field("plan", true), field("age", false)]));
    world.instance_with(|policy| policy.data_schema = Some(schema)).await
}

fn brings(password: &str, data: Value) -> SignUp {
    SignUp { data: object(data), ..wish(ADA, password) }
}

fn kept(account: &Account) -> Value {
    account.data.to_object().into()
}

fn faults(result: Result<vestibule::Pending, SignUpError>) -> Vec<SignUpDataFault> {
    let Err(SignUpError::Data(SignUpDataError::Refused(faults))) = result else { panic!("{result:?}") };
    faults
}

on_both_stores! {
    async fn what_a_sign_up_brings_is_the_user_s(world: &World) {
        let accounts = asking(world).await;
        accounts.sign_up(brings(PASSWORD, json!({"plan": "pro", "age": 36})), &client()).await.unwrap();
        world.deliver().await;
        let account = world.confirms(ADA, PASSWORD, &world.letter_to(ADA).code()).await.unwrap();
        assert_eq!(kept(&account), json!({"plan": "pro", "age": 36}));
        assert_eq!(account.app_data, vestibule::UserData::default());
        let found = world.accounts.find_user(vestibule::Actor::Operator, &vestibule::UserRef::Id(account.id)).await;
        assert_eq!(found.unwrap(), account);
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // The same for an address with an account: the answer tells nothing about it (S2).
    async fn what_is_not_asked_for_or_missing_is_refused(world: &World) {
        world.has_account("bob@example.org").await;
        let accounts = asking(world).await;
        for email in [ADA, "bob@example.org"] {
            let sends = async |data| {
                let wish = SignUp { data: object(data), ..wish(email, PASSWORD) };
                faults(accounts.sign_up(wish, &client()).await)
            };
            assert_eq!(sends(json!({})).await, [SignUpDataFault::Missing("plan".to_owned())]);
            let unknown = sends(json!({"plan": "pro", "theme": "dark"})).await;
            assert_eq!(unknown, [SignUpDataFault::Unknown("theme".to_owned())]);
            let wrong = sends(json!({"plan": 1})).await;
            assert!(matches!(&wrong[..], [SignUpDataFault::Wrong(fault)] if fault.pointer == "/plan"), "{wrong:?}");
            let long = SignUp { data: object(json!({"plan": "x".repeat(4096)})), ..wish(email, PASSWORD) };
            assert_eq!(refusal(accounts.sign_up(long, &client()).await), "Data(Invalid(TooLarge))");
        }
        world.deliver().await;
        assert!(world.kinds_to(ADA).is_empty() && !world.kinds_to("bob@example.org").contains(&"confirm"));
        // Where nobody asks, nothing is taken.
        let unasked = faults(world.accounts.sign_up(brings(PASSWORD, json!({"plan": "pro"})), &client()).await);
        assert_eq!(unasked, [SignUpDataFault::Unknown("plan".to_owned())]);
    }

    // Two people sign up with one address: whose code is used, theirs is the data.
    async fn each_sign_up_has_its_own(world: &World) {
        let accounts = asking(world).await;
        accounts.sign_up(brings("a-strangers-password-1", json!({"plan": "evil"})), &client()).await.unwrap();
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["confirm"]);
        accounts.sign_up(brings(PASSWORD, json!({"plan": "pro"})), &client()).await.unwrap();
        world.deliver().await;
        let account = world.confirms(ADA, PASSWORD, &world.letter_to(ADA).code()).await.unwrap();
        assert_eq!(kept(&account), json!({"plan": "pro"}));
        assert!(world.kinds_to(ADA).contains(&"welcome"));
    }

    // Who chooses the password at the link of a crowded sign-up begins without what a stranger brought.
    async fn a_stranger_fills_in_nothing(world: &World) {
        let accounts = asking(world).await;
        for n in 0..4 {
            let wish = brings(&format!("a-strangers-password-{n}"), json!({"plan": "Call +1 555 0100 now"}));
            accounts.sign_up(wish, &client()).await.unwrap();
            world.deliver().await;
        }
        let mails = world.take_mails_to(ADA);
        let vestibule::MailContent::ChoosePassword { link, .. } = &mails[3].content else { panic!("{mails:?}") };
        let token = link.expose().split_once("token=").unwrap().1;
        let account = world.clicks(token, Some(PASSWORD)).await.unwrap();
        assert_eq!(kept(&account), json!({}));
        assert_eq!(world.kinds_to(ADA), ["welcome"]);
    }

    // Other data under the same key is another request.
    async fn the_data_belongs_to_the_attempt(world: &World) {
        let accounts = asking(world).await;
        let keyed = |data| SignUp { idempotency_key: Some("one".to_owned()), ..brings(PASSWORD, data) };
        accounts.sign_up(keyed(json!({"plan": "pro"})), &client()).await.unwrap();
        accounts.sign_up(keyed(json!({"plan": "pro"})), &client()).await.unwrap();
        let other = accounts.sign_up(keyed(json!({"plan": "free"})), &client()).await;
        assert_eq!(refusal(other), "IdempotencyKeyReused");
        world.deliver().await;
        assert_eq!(world.kinds_to(ADA), ["confirm"]);
    }
}
