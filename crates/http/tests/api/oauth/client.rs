//! A client of the server, as tests register it; and how clients authenticate.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::Value;
use vestibule::{
    Actor, Application, ApplicationKeys, ApplicationKind, AuthorizationParameters, AuthorizationStep,
    ClaimPaths, ConfiguredApplication, Consent,
};

use crate::browser::Browser;
use crate::on_both_stores;
use crate::world::{ADA, Answer, World, basic};

pub(crate) const REDIRECT: &str = "https://shop.example.org/callback";
pub(crate) const API: &str = "https://api.example.org";
/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A client that asks nobody, because it belongs to the owner of the server.
pub(crate) fn application(id: &str, kind: ApplicationKind) -> Application {
    let of_machine = if kind == ApplicationKind::Confidential { "stock:read stock:write" } else { "" };
    Application {
        id: id.parse().unwrap(),
        name: "The shop".to_owned(),
        kind,
        redirect_uris: vec![REDIRECT.parse().unwrap()],
        post_logout_redirect_uris: Vec::new(),
        logout_uri: None,
        resources: vec![API.to_owned()],
        scopes: "orders:read".parse().unwrap(),
        machine_scopes: of_machine.parse().unwrap(),
        consent: Consent::Never,
        claims: ClaimPaths::default(),
        keys: ApplicationKeys::default(),
    }
}

/// A registered client.
pub(crate) struct Registered {
    pub(crate) id: &'static str,
    pub(crate) secret: Option<String>,
}

impl Registered {
    pub(crate) async fn with_secret(world: &World, id: &'static str) -> Self {
        Self::of(world, id, ApplicationKind::Confidential).await
    }

    pub(crate) async fn public(world: &World, id: &'static str) -> Self {
        Self::of(world, id, ApplicationKind::Public).await
    }

    async fn of(world: &World, id: &'static str, kind: ApplicationKind) -> Self {
        let secret = world.accounts.create_application(Actor::Operator, application(id, kind)).await.unwrap();
        Self { id, secret: secret.map(|secret| secret.expose().to_owned()) }
    }

    /// The fields that authenticate it, with others after them.
    pub(crate) fn form(&self, others: &str) -> String {
        let secret = self.secret.as_ref().map(|secret| format!("&client_secret={secret}"));
        format!("client_id={}{}&{others}", self.id, secret.unwrap_or_default())
    }

    pub(crate) async fn asks(&self, world: &World, fields: &str) -> Answer {
        world.post_form("/v1/token", &self.form(fields)).await
    }

    pub(crate) async fn redeems(&self, world: &World, code: &str) -> Answer {
        self.asks(world, &redemption(code)).await
    }

    /// The tokens of a user who has come from the authorization endpoint.
    pub(crate) async fn signs_in(&self, world: &World, email: &str, scope: &str) -> Value {
        let code = code(world, self.id, email, scope).await;
        let answer = self.redeems(world, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn refreshes(&self, world: &World, token: &Value) -> Answer {
        let token = token.as_str().unwrap();
        self.asks(world, &format!("grant_type=refresh_token&refresh_token={token}")).await
    }
}

/// The fields that redeem a code.
pub(crate) fn redemption(code: &str) -> String {
    format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&code_verifier={VERIFIER}")
}

/// A code for a client, of a user who signs in in a new browser.
pub(crate) async fn code(world: &World, id: &str, email: &str, scope: &str) -> String {
    code_with(world, id, email, |asked| asked.scope = Some(scope.to_owned())).await
}

/// The same, for a request that is changed.
pub(crate) async fn code_with(
    world: &World,
    id: &str,
    email: &str,
    change: impl FnOnce(&mut AuthorizationParameters),
) -> String {
    let browser = Browser::signed_in(world, email).await;
    code_in(world, &browser, id, change).await
}

/// The same, in a browser where the user is signed in.
pub(crate) async fn code_in(
    world: &World,
    browser: &Browser,
    id: &str,
    change: impl FnOnce(&mut AuthorizationParameters),
) -> String {
    let mut asked = AuthorizationParameters {
        client_id: Some(id.to_owned()),
        redirect_uri: Some(REDIRECT.to_owned()),
        response_type: Some("code".to_owned()),
        state: Some("s1".to_owned()),
        nonce: Some("n1".to_owned()),
        code_challenge: Some(CHALLENGE.to_owned()),
        code_challenge_method: Some("S256".to_owned()),
        ..AuthorizationParameters::default()
    };
    change(&mut asked);
    let secret = &browser.cookies["__Host-vestibule_session"];
    let who = world.accounts.authenticate_browser(secret).await.unwrap();
    let request = world.accounts.check_authorization(asked).await.unwrap();
    let step = world.accounts.decide_authorization(&request, Some(&who)).await.unwrap();
    let AuthorizationStep::Done(address) = step else { panic!("{step:?}") };
    let code = address.split_once("?code=").unwrap().1.split('&').next().unwrap();
    code.to_owned()
}

/// The status and the `error` of a refusal.
#[track_caller]
pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json", "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert!(body["error_description"].is_string());
    (answer.status, body["error"].as_str().unwrap().to_owned())
}

/// A request to the token endpoint with this header.
pub(crate) async fn with_header(world: &World, authorization: &str, form: &str) -> Answer {
    let request = Request::post("/v1/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::AUTHORIZATION, authorization);
    world.send(request.body(Body::from(form.to_owned())).unwrap()).await
}

const ITSELF: &str = "grant_type=client_credentials";

on_both_stores! {
    async fn a_client_authenticates_in_the_header_or_in_the_form(world: World) {
        let shop = Registered::with_secret(&world, "shop").await;
        let secret = shop.secret.as_deref().unwrap();
        assert_eq!(shop.asks(&world, ITSELF).await.status, 200);
        for authorization in [basic(&format!("shop:{secret}")), basic(&format!("%73hop:{secret}"))] {
            for form in [ITSELF.to_owned(), format!("{ITSELF}&client_id=shop"), format!("{ITSELF}&client_secret=")] {
                let answer = with_header(&world, &authorization, &form).await;
                assert_eq!(answer.status, 200, "{authorization} {form} {}", answer.text);
            }
        }
    }

    // RFC 6749 §2.3: one way at a time. §5.2: the challenge is for whoever used the header.
    async fn a_client_that_is_not_itself_gets_nothing(world: World) {
        let shop = Registered::with_secret(&world, "shop").await;
        let other = Registered::with_secret(&world, "other").await;
        Registered::public(&world, "spa").await;
        let (secret, others) = (shop.secret.as_deref().unwrap(), other.secret.as_deref().unwrap());
        for form in [
            "client_id=shop", "client_id=shop&client_secret=", "client_id=shop&client_secret=x", "client_id=nobody",
            "client_id=%00", "client_id=Shop", "client_id=spa&client_secret=x", "",
            &format!("client_id=shop&client_secret={others}"), &format!("client_id=shop&client_secret={secret}x"),
            &format!("client_id=spa&client_secret={secret}"), &format!("client_id=nobody&client_secret={secret}"),
            "client_id=shop&client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ] {
            let answer = world.post_form("/v1/token", &format!("{form}&{ITSELF}")).await;
            assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()), "{form}");
            assert_eq!(answer.header("www-authenticate"), "", "{form}");
        }
        for credentials in ["shop:x", "shop:", "nobody:x", ":", &format!("shop:{others}"), &format!("spa:{secret}"), "shop"] {
            let answer = with_header(&world, &basic(credentials), ITSELF).await;
            assert_eq!(refusal(&answer), (401, "invalid_client".to_owned()), "{credentials}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"vestibule\", charset=\"UTF-8\"");
        }
        let right = basic(&format!("shop:{secret}"));
        for form in [
            format!("{ITSELF}&client_id=shop&client_secret={secret}"), format!("{ITSELF}&client_secret={secret}"),
            format!("{ITSELF}&client_id=other"), format!("{ITSELF}&client_id=shop&client_id=shop"),
        ] {
            let answer = with_header(&world, &right, &form).await;
            assert_eq!(refusal(&answer), (400, "invalid_request".to_owned()), "{form}");
        }
        let nameless = world.post_form("/v1/token", &format!("{ITSELF}&client_secret={secret}")).await;
        assert_eq!(refusal(&nameless), (400, "invalid_request".to_owned()));
    }

    // RFC 6749 §2.3.1, and what many programs send instead.
    async fn a_secret_of_the_settings_may_have_any_letters(world: World) {
        let mut world = world;
        let secret = "a+b/%41=&:c ~ 0123456789abcdef0123456789";
        world.follows(|policy| {
            let application = application("shop", ApplicationKind::Confidential);
            policy.applications = vec![ConfiguredApplication { application, secrets: vec![secret.into()] }];
        })
        .await;
        let encoded = "a%2Bb%2F%2541%3D%26%3Ac+%7E+0123456789abcdef0123456789";
        for credentials in [format!("shop:{secret}"), format!("shop:{encoded}")] {
            assert_eq!(with_header(&world, &basic(&credentials), ITSELF).await.status, 200, "{credentials}");
        }
        let form = format!("{ITSELF}&client_id=shop&client_secret={encoded}");
        assert_eq!(world.post_form("/v1/token", &form).await.status, 200);
    }

    // Two secrets work while one is exchanged for the other.
    async fn an_old_secret_works_until_it_is_dropped(world: World) {
        let shop = Registered::with_secret(&world, "shop").await;
        let id = "shop".parse().unwrap();
        world.clock.advance(std::time::Duration::from_secs(1));
        let second = world.accounts.rotate_application_secret(Actor::Operator, &id).await.unwrap();
        let new = Registered { id: "shop", secret: Some(second.expose().to_owned()) };
        assert_eq!((shop.asks(&world, ITSELF).await.status, new.asks(&world, ITSELF).await.status), (200, 200));
        world.accounts.drop_old_application_secret(Actor::Operator, &id).await.unwrap();
        assert_eq!((shop.asks(&world, ITSELF).await.status, new.asks(&world, ITSELF).await.status), (401, 200));
        world.accounts.remove_application(Actor::Operator, &id).await.unwrap();
        assert_eq!(new.asks(&world, ITSELF).await.status, 401);
    }

    async fn a_public_client_is_its_name(world: World) {
        world.has_account(ADA).await;
        let spa = Registered::public(&world, "spa").await;
        let form = redemption(&code(&world, "spa", ADA, "openid").await);
        assert_eq!(with_header(&world, &basic("spa:"), &form).await.status, 200);
        let alone = spa.asks(&world, ITSELF).await;
        assert_eq!(refusal(&alone), (400, "unauthorized_client".to_owned()));
    }
}
