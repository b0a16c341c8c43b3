//! Clients that authenticate with assertions (`private_key_jwt`), at each endpoint that clients call.

use serde_json::{Value, json};
use vestibule::{Actor, Application, ApplicationKeys, ApplicationKind};
use vestibule_testing::assertion::{ASSERTION_TYPE, Signer};

use super::client::{application, code, redemption, refusal, with_header};
use crate::on_both_stores;
use crate::world::{ADA, URL, World, basic};

/// A client with a key, and no secret.
pub(crate) struct Signing {
    id: &'static str,
    signer: Signer,
}

impl Signing {
    pub(crate) async fn registered(world: &World, id: &'static str) -> Self {
        let signer = Signer::p256();
        let jwks = json!({"keys": [signer.jwk("k1")]}).to_string();
        let keys = ApplicationKeys::new(&jwks).unwrap();
        let new = Application { keys, ..application(id, ApplicationKind::Confidential) };
        assert!(world.accounts.create_application(Actor::Operator, new).await.unwrap().is_none());
        Self { id, signer }
    }

    /// A good assertion.
    pub(crate) fn assertion(&self, world: &World, jti: &str) -> String {
        self.signer.asserts(self.id, URL, world.clock.now().as_seconds(), jti)
    }

    /// The fields that authenticate it, with others after them.
    fn form(&self, world: &World, jti: &str, others: &str) -> String {
        format!("{}&{others}", fields(&self.assertion(world, jti)))
    }
}

/// The fields that authenticate with an assertion.
pub(crate) fn fields(assertion: &str) -> String {
    format!("client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}")
}

const ITSELF: &str = "grant_type=client_credentials";

on_both_stores! {
    async fn a_client_with_a_key_gets_its_tokens(world: World) {
        world.has_account(ADA).await;
        let press = Signing::registered(&world, "press").await;
        let form = press.form(&world, "1", ITSELF);
        let answer = world.post_form("/v1/token", &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["scope"], "stock:read stock:write");
        // It works once.
        let again = world.post_form("/v1/token", &form).await;
        assert_eq!(refusal(&again), (401, "invalid_client".to_owned()));
        assert!(again.text.contains("was used before"), "{}", again.text);
        assert_eq!(again.header("www-authenticate"), "");
        // The rest of its life: a code, a refresh, a look at a token, and the end.
        let code = code(&world, "press", ADA, "openid offline_access").await;
        let form = press.form(&world, "2", &format!("client_id=press&{}", redemption(&code)));
        let tokens = world.post_form("/v1/token", &form).await.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&tokens["refresh_token"]));
        let tokens = world.post_form("/v1/token", &press.form(&world, "3", &refresh)).await.json();
        let token = format!("token={}", text(&tokens["access_token"]));
        let known = world.post_form("/v1/introspect", &press.form(&world, "4", &token)).await.json();
        assert_eq!((&known["active"], &known["client_id"]), (&json!(true), &json!("press")));
        let again = world.post_form("/v1/introspect", &press.form(&world, "4", &token)).await;
        assert_eq!(refusal(&again), (401, "invalid_client".to_owned()));
        let stale = world.post_form("/v1/token/revoke", &press.form(&world, "4", &token)).await;
        assert_eq!(refusal(&stale), (401, "invalid_client".to_owned()));
        assert_eq!(world.post_form("/v1/token/revoke", &press.form(&world, "5", &token)).await.status, 200);
        let gone = world.post_form("/v1/introspect", &press.form(&world, "6", &token)).await.json();
        assert_eq!(gone, json!({"active": false}));
    }

    // RFC 6749 §2.3: one way at a time.
    async fn a_client_authenticates_in_one_way(world: World) {
        let press = Signing::registered(&world, "press").await;
        let assertion = press.assertion(&world, "a");
        let good = fields(&assertion);
        for form in [
            format!("{good}&client_id=press&client_secret=x"), format!("{good}&client_secret=x"),
            format!("client_assertion={assertion}"), format!("client_assertion_type={ASSERTION_TYPE}"),
            format!("client_id=press&client_assertion_type={ASSERTION_TYPE}&client_assertion="),
            format!("{good}&client_assertion={assertion}"),
        ] {
            for (path, rest) in [("/v1/token", ITSELF), ("/v1/introspect", "token=x"), ("/v1/token/revoke", "token=x")] {
                let answer = world.post_form(path, &format!("{form}&{rest}")).await;
                assert_eq!(refusal(&answer), (400, "invalid_request".to_owned()), "{path} {form}");
            }
        }
        for credentials in ["press:x", "press:", "other:x"] {
            let answer = with_header(&world, &basic(credentials), &format!("{good}&{ITSELF}")).await;
            assert_eq!(refusal(&answer), (400, "invalid_request".to_owned()), "{credentials}");
        }
        assert_eq!(world.post_form("/v1/token", &format!("{good}&client_secret=&{ITSELF}")).await.status, 200);
    }

    // The answer says what is wrong with the form, and neither which clients nor which keys there are.
    async fn an_assertion_that_proves_nothing_is_refused(world: World) {
        let press = Signing::registered(&world, "press").await;
        let now = world.clock.now().as_seconds();
        let other = Signer::p256();
        let refused = async |form: String| {
            let answer = world.post_form("/v1/token", &format!("{form}&{ITSELF}")).await;
            assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()), "{form}");
            assert_eq!(answer.header("www-authenticate"), "");
            answer.json()["error_description"].as_str().unwrap().to_owned()
        };
        let signed = |signer: &Signer, id: &str, at: i64| fields(&signer.asserts(id, URL, at, "a"));
        let wrong_key = refused(signed(&other, "press", now)).await;
        assert_eq!(refused(signed(&other, "nobody", now)).await, wrong_key);
        assert_eq!(refused(format!("{}&client_id=nobody", signed(&other, "nobody", now))).await, wrong_key);
        assert!(refused(signed(&press.signer, "press", now - 60)).await.contains("has expired"));
        assert!(refused(signed(&other, "nobody", now - 60)).await.contains("has expired"));
        let elsewhere = press.signer.asserts("press", "https://elsewhere.example", now, "a");
        assert!(refused(fields(&elsewhere)).await.contains("`aud`"));
        assert!(refused(format!("{}&client_id=shop", signed(&press.signer, "press", now))).await.contains("`client_id`"));
        let saml = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:saml2-bearer&client_assertion=x";
        assert!(refused(saml.to_owned()).await.contains("`client_assertion_type`"));
        assert!(refused(fields(&"a".repeat(5000))).await.contains("4 KiB"));
        let huge = format!("{}&{ITSELF}", fields(&"a".repeat(1024 * 1024)));
        for path in ["/v1/token", "/v1/introspect", "/v1/token/revoke"] {
            assert_eq!(world.post_form(path, &huge).await.status, 413, "{path}");
        }
        // None of them has used it up.
        assert_eq!(world.post_form("/v1/token", &press.form(&world, "a", ITSELF)).await.status, 200);
    }
}
