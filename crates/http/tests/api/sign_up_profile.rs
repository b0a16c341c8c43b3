//! What an operator asks for at a sign-up: `profile` of the API, and fields of the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use vestibule::{DataFault, DataSchema, SignUpField, SignUpInput, Wording};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// A plan, an age, and the consent to terms.
#[derive(Debug)]
struct Asks(Vec<SignUpField>);

fn wording(default: &str, german: &str) -> Wording {
    let translations = BTreeMap::from([("de".to_owned(), german.to_owned())]);
    Wording { default: default.to_owned(), translations }
}

fn field(name: &str, required: bool, label: Wording, input: SignUpInput, schema: Value) -> SignUpField {
    SignUpField { name: name.to_owned(), required, input, label, hint: None, schema }
}

impl Asks {
    fn new() -> Self {
        let plans = vec![
            ("free".to_owned(), wording("Free", "Kostenlos")),
            ("pro".to_owned(), wording("Pro", "Pro")),
        ];
        let plan = field(
            "plan",
            true,
            wording("Plan", "Tarif"),
            SignUpInput::Choice(plans),
            json!({"enum": ["free", "pro"]}),
        );
        let age = json!({"type": "integer", "minimum": 0});
        let age = SignUpField {
            hint: Some(wording("In <years>", "In Jahren")),
            ..field("age", false, wording("Age", "Alter"), SignUpInput::Number, age)
        };
        let terms = json!({"type": "boolean", "const": true});
        let terms = field("terms", true, wording("I agree", "Ich stimme zu"), SignUpInput::Checkbox, terms);
        let site = json!({"type": "string", "maxLength": 40, "pattern": "^https:"});
        let text = SignUpInput::Text { kind: "url", most: Some(40) };
        Self(vec![plan, age, field("web-site", false, wording("Site", "Seite"), text, site), terms])
    }
}

impl DataSchema for Asks {
    fn faults(&self, data: &Map<String, Value>) -> Vec<DataFault> {
        let fault = |name: &str| DataFault { pointer: format!("/{name}"), reason: "it is wrong".to_owned() };
        let age = data.get("age").is_some_and(|age| !age.is_u64());
        let terms = data.get("terms").is_some_and(|terms| *terms != json!(true));
        [(age, "age"), (terms, "terms")]
            .into_iter()
            .filter(|(wrong, _)| *wrong)
            .map(|(_, name)| fault(name))
            .collect()
    }

    fn sign_up_fields(&self) -> &[SignUpField] {
        &self.0
    }
}

async fn asking(mut world: World) -> World {
    world.follows(|policy| policy.data_schema = Some(Arc::new(Asks::new()))).await;
    world
}

fn wish(profile: &Value) -> Value {
    json!({"email": ADA, "password": PASSWORD, "profile": profile})
}

on_both_stores! {
    async fn a_sign_up_brings_a_profile(world: World) {
        let world = asking(world).await;
        let answer = world.post("/v1/signup", wish(&json!({"plan": "pro", "age": 36, "terms": true}))).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        let code = world.newest_mail(ADA).await.code.unwrap();
        let account = world.sends_code(ADA, PASSWORD, &code).await.json();
        assert_eq!(account["data"], json!({"plan": "pro", "age": 36, "terms": true}));
    }

    // What is wrong elsewhere is told in the same answer; and nothing else than for a free address (S2).
    async fn a_wrong_profile_is_told_member_by_member(world: World) {
        world.has_account("bob@example.org").await;
        let world = asking(world).await;
        for email in [ADA, "bob@example.org"] {
            for (profile, expected) in [
                (json!({}), "/profile/plan required, /profile/terms required"),
                (json!({"plan": "pro", "terms": true, "theme": 1}), "/profile/theme unknown_field"),
                (json!({"plan": "pro", "terms": false, "age": "x"}), "/profile/age data_invalid, /profile/terms data_invalid"),
                (json!({"plan": "x".repeat(5000), "terms": true}), "/profile data_too_large"),
                (json!({"plan": "pro", "terms": true, "a/b~": null}), "/profile/a~1b~0 unknown_field"),
                (json!([]), "/profile wrong_type"),
                (json!(null), "/profile wrong_type"),
            ] {
                let mut wish = wish(&profile);
                wish["email"] = email.into();
                let answer = world.post("/v1/signup", wish).await;
                assert_eq!(answer.field_errors().join(", "), expected, "{profile}");
            }
        }
        let all = json!({"email": "x", "password": "short", "profile": {"plan": "pro"}});
        let told = world.post("/v1/signup", all).await.field_errors().join(", ");
        assert_eq!(told, "/email email_invalid, /password password_too_short, /profile/terms required");
        let missing = world.post("/v1/signup", json!({"email": ADA, "password": PASSWORD})).await;
        assert_eq!(missing.field_errors(), ["/profile/plan required", "/profile/terms required"]);
        world.deliver().await;
        assert_eq!(world.mails("confirm", ADA).await, 0);
    }

    async fn nobody_asks_by_default(world: World) {
        let refused = world.post("/v1/signup", wish(&json!({"plan": "pro"}))).await;
        assert_eq!(refused.field_errors(), ["/profile/plan unknown_field"]);
        assert_eq!(world.post("/v1/signup", wish(&json!({}))).await.status, 202);
        let page = Browser::default().get(&world, "/signup").await;
        assert!(!page.text.contains("profile."), "{}", page.text);
    }

    async fn the_page_asks_in_the_language_of_its_reader(world: World) {
        let world = asking(world).await;
        let mut browser = Browser::default();
        let page = browser.get(&world, "/signup?lang=de").await;
        for part in ["Tarif", ">Kostenlos<", "Alter", "Ich stimme zu", "In Jahren", "name=\"profile.web-site\" type=\"url\"", "maxlength=\"40\""] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        let page = browser.get(&world, "/signup?lang=en").await;
        assert!(page.text.contains("In &lt;years&gt;"), "{}", page.text);
    }

    async fn the_page_brings_what_is_filled_in(world: World) {
        let world = asking(world).await;
        let mut browser = Browser::default();
        let names = format!("email={ADA}&password={PASSWORD}");
        let refused = browser.fills(&world, "/signup", &format!("{names}&profile.plan=&profile.age=old&profile.web-site=https:x")).await;
        assert_eq!(refused.status, 422);
        for part in [
            "href=\"#profile.plan\">Plan: Fill this in.", "href=\"#profile.age\">Age: This value is not accepted here.",
            "id=\"profile.age-mistake\"", "value=\"old\"", "value=\"https:x\"", "href=\"#profile.terms\"",
            "aria-describedby=\"profile.age-mistake profile.age-hint\"",
        ] {
            assert!(refused.text.contains(part), "{part}: {}", refused.text);
        }
        let filled = format!("{names}&profile.plan=pro&profile.age=36&profile.web-site=&profile.terms=on&profile.other=1");
        let refused = browser.submit(&world, "/signup", &filled).await;
        assert_eq!(refused.status, 422, "a field that nobody asks for");
        let filled = filled.replace("&profile.other=1", "");
        assert_eq!(browser.submit(&world, "/signup", &filled).await.leads_to(), "/check-mail");
        let code = world.newest_mail(ADA).await.code.unwrap();
        let account = world.sends_code(ADA, PASSWORD, &code).await.json();
        assert_eq!(account["data"], json!({"plan": "pro", "age": 36, "terms": true}));
    }

    async fn the_description_says_what_is_asked_for(world: World) {
        let world = asking(world).await;
        let description = world.get("/openapi.json").await.json();
        let request = &description["components"]["schemas"]["SignUpRequest"];
        assert_eq!(request["required"], json!(["email", "password", "profile"]));
        let profile = &request["properties"]["profile"];
        assert_eq!((&profile["required"], &profile["additionalProperties"]), (&json!(["plan", "terms"]), &json!(false)));
        assert_eq!(profile["properties"]["plan"]["enum"], json!(["free", "pro"]));
        assert_eq!(profile["properties"]["web-site"]["pattern"], "^https:");
    }
}
