//! The pages on which people sign in to applications, and out of them.

mod account;
mod authorize;
mod consent;
mod leads_back;
mod sign_out;

use serde_urlencoded::to_string;
use vestibule::{
    Application, ApplicationKeys, ApplicationKind, ApplicationTokens, ClaimPaths, CodeExchange,
    CodeExchangeError, ConfiguredApplication, Consent,
};

use crate::browser::Browser;
use crate::world::{ADA, Answer, PASSWORD, World};

pub(crate) const CALLBACK: &str = "https://notes.example.org/callback";
/// Where a program on the same machine waits.
pub(crate) const LOOPBACK: &str = "http://127.0.0.1/callback";
pub(crate) const SCHEME: &str = "org.example.notes:/callback";
pub(crate) const GOODBYE: &str = "https://notes.example.org/goodbye";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Public, and its users are asked.
pub(crate) fn notes() -> Application {
    Application {
        id: "notes".parse().unwrap(),
        name: "Field <Notes>".to_owned(),
        kind: ApplicationKind::Public,
        redirect_uris: [CALLBACK, LOOPBACK, SCHEME].map(|uri| uri.parse().unwrap()).to_vec(),
        post_logout_redirect_uris: vec![GOODBYE.parse().unwrap()],
        logout_uri: None,
        resources: Vec::new(),
        scopes: "notes:<write>".parse().unwrap(),
        machine_scopes: "".parse().unwrap(),
        consent: Consent::Ask,
        claims: ClaimPaths::new([("plan", "app.plan"), ("https://notes.example.org/theme", "data.theme")])
            .unwrap(),
        keys: ApplicationKeys::default(),
    }
}

/// Of the owner of the service, who asks nobody.
fn shop() -> Application {
    Application {
        id: "shop".parse().unwrap(),
        name: "Shop".to_owned(),
        redirect_uris: vec!["https://shop.example.org/in".parse().unwrap()],
        consent: Consent::Never,
        claims: ClaimPaths::default(),
        ..notes()
    }
}

/// Registers the two in the settings.
pub(crate) async fn with_applications(world: &mut World) {
    let configured = |application| ConfiguredApplication { application, secrets: Vec::new() };
    world.follows(|policy| policy.applications = [notes(), shop()].map(configured).to_vec()).await;
}

/// The address that an application sends people to; `others` replace its parameters, and leave out those that are empty.
pub(crate) fn asked(others: &[(&str, &str)]) -> String {
    format!("/oauth/authorize?{}", parameters(others))
}

pub(crate) fn parameters(others: &[(&str, &str)]) -> String {
    let usual = [
        ("client_id", "notes"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s t+a/te"),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    let all: Vec<_> = kept.chain(others.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    to_string(all).unwrap()
}

/// Where a walk through redirects ends.
pub(crate) struct End {
    /// The address: of ours, or away.
    pub(crate) at: String,
    pub(crate) page: Answer,
}

impl End {
    /// A parameter of the address.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.at.split_once('?')?.1;
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap();
        pairs.into_iter().find(|(one, _)| one == name).map(|(_, value)| value)
    }

    /// The code in the application's address.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.parameter("code").unwrap_or_else(|| panic!("no code in {}", self.at))
    }

    /// The name of the request that this page asks about.
    #[track_caller]
    pub(crate) fn request(&self) -> String {
        hidden(&self.page, "request")
    }
}

/// The value of a hidden field.
#[track_caller]
pub(crate) fn hidden(page: &Answer, name: &str) -> String {
    let rest =
        page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{}", page.text));
    rest.1.split('"').next().unwrap().to_owned()
}

/// Opens an address, and follows our redirects.
pub(crate) async fn goes(world: &World, browser: &mut Browser, path: &str) -> End {
    let page = browser.get(world, path).await;
    follows(world, browser, path, page).await
}

/// Sends the form of the last page, and follows our redirects.
pub(crate) async fn submits(world: &World, browser: &mut Browser, path: &str, fields: &str) -> End {
    let page = browser.submit(world, path, fields).await;
    follows(world, browser, path, page).await
}

async fn follows(world: &World, browser: &mut Browser, path: &str, mut page: Answer) -> End {
    let mut at = path.to_owned();
    for _ in 0..8 {
        if page.status != 303 {
            return End { at, page };
        }
        page.leads_to().clone_into(&mut at);
        if !at.starts_with('/') {
            return End { at, page };
        }
        page = browser.get(world, at.split('#').next().unwrap()).await;
    }
    panic!("no end of redirects at {at}");
}

/// Signs in on the way, as whoever is shown the sign-in page at the end of a walk.
pub(crate) async fn signs_in(world: &World, browser: &mut Browser, end: &End, email: &str) -> End {
    assert!(end.at.starts_with("/login?return_to="), "{}", end.at);
    let to = to_string([("return_to", end.parameter("return_to").unwrap())]).unwrap();
    submits(world, browser, "/login", &format!("login={email}&password={PASSWORD}&{to}")).await
}

/// The page with the question, for Ada in a new browser.
pub(crate) async fn is_asked(world: &World, others: &[(&str, &str)]) -> (Browser, End) {
    let mut browser = Browser::signed_in(world, ADA).await;
    let end = goes(world, &mut browser, &asked(others)).await;
    assert!(end.page.text.contains("action=\"/oauth/consent\""), "{} {}", end.at, end.page.text);
    (browser, end)
}

/// Answers the question of this page.
pub(crate) async fn answers(world: &World, browser: &mut Browser, page: &End, answer: &str) -> End {
    let fields = format!("request={}&answer={answer}", page.request());
    submits(world, browser, "/oauth/consent", &fields).await
}

/// What the application gets for a code.
pub(crate) async fn exchanges(world: &World, code: &str) -> Result<ApplicationTokens, CodeExchangeError> {
    let by = world.accounts.authenticate_application("notes", None).await.unwrap();
    let given = CodeExchange {
        code: code.to_owned(),
        redirect_uri: CALLBACK.to_owned(),
        code_verifier: VERIFIER.to_owned(),
        resource: None,
    };
    world.accounts.exchange_code(&by, given, &vestibule::Client::default()).await
}

impl World {
    /// What somebody allows applications.
    pub(crate) async fn accounts_grants(&self, email: &str) -> Vec<vestibule::Grant> {
        let token = self.access_token(email).await;
        let who = self.accounts.authenticate(&token).await.unwrap();
        self.accounts.list_grants(&who).await.unwrap()
    }
}
