//! Applications that send people here to sign in.

mod app_data;
pub(crate) mod assertions;
mod authorization;
pub(crate) mod claims;
mod codes;
mod id_tokens;
mod logout_delivery;
pub(crate) mod logouts;
mod machines;
mod registration;
mod sessions;

use crate::world::*;
use data_encoding::BASE64URL_NOPAD;
use vestibule::{
    Accounts, Actor, Application, ApplicationKeys, ApplicationKind, ApplicationTokens,
    AuthenticatedApplication, AuthorizationParameters, AuthorizationRequest, AuthorizationStep, ClaimPaths,
    CodeExchange, CodeExchangeError, Consent, Secret, SignedIn,
};

/// Where the shop gets its answers.
pub(crate) const CALLBACK: &str = "https://shop.example/callback";
/// A verifier and its SHA-256 in base64url (RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const API: &str = "https://api.shop.example";

/// A server that keeps a secret, and belongs to the owner of this service.
pub(crate) fn shop() -> Application {
    Application {
        id: "shop".parse().unwrap(),
        name: "Shop".to_owned(),
        kind: ApplicationKind::Confidential,
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        post_logout_redirect_uris: vec!["https://shop.example/bye".parse().unwrap()],
        logout_uri: None,
        resources: vec![API.to_owned()],
        scopes: "orders".parse().unwrap(),
        machine_scopes: "stock".parse().unwrap(),
        consent: Consent::Never,
        claims: ClaimPaths::default(),
        keys: ApplicationKeys::default(),
    }
}

/// An application of somebody else, in browsers.
pub(crate) fn game() -> Application {
    Application {
        id: "game".parse().unwrap(),
        name: "Game".to_owned(),
        kind: ApplicationKind::Public,
        redirect_uris: vec!["https://game.example/".parse().unwrap()],
        post_logout_redirect_uris: vec![],
        resources: vec![],
        machine_scopes: "".parse().unwrap(),
        consent: Consent::Ask,
        ..shop()
    }
}

/// What the application sends a browser with.
pub(crate) fn asks(application: &Application, scope: &str) -> AuthorizationParameters {
    AuthorizationParameters {
        client_id: Some(application.id.to_string()),
        redirect_uri: Some(application.redirect_uris[0].to_string()),
        response_type: Some("code".to_owned()),
        scope: Some(scope.to_owned()),
        state: Some("s 1".to_owned()),
        nonce: Some("n-1".to_owned()),
        code_challenge: Some(CHALLENGE.to_owned()),
        code_challenge_method: Some("S256".to_owned()),
        ..AuthorizationParameters::default()
    }
}

/// A parameter of an address.
pub(crate) fn parameter(address: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(address).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The claims of a JWT, unverified.
pub(crate) fn claims(token: &Secret) -> serde_json::Value {
    let payload = token.expose().split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// What an application brings for its tokens.
pub(crate) fn exchange(code: &str, redirect_uri: &str) -> CodeExchange {
    CodeExchange {
        code: code.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        code_verifier: VERIFIER.to_owned(),
        resource: None,
    }
}

impl World {
    /// Registers an application, and is it.
    pub(crate) async fn has_application(&self, application: &Application) -> AuthenticatedApplication {
        let secret = self.accounts.create_application(Actor::Operator, application.clone()).await.unwrap();
        let id = application.id.as_str();
        self.accounts.authenticate_application(id, secret.as_ref()).await.unwrap()
    }

    pub(crate) async fn request(&self, parameters: AuthorizationParameters) -> AuthorizationRequest {
        self.accounts.check_authorization(parameters).await.unwrap()
    }

    pub(crate) async fn decides(
        &self,
        request: &AuthorizationRequest,
        who: Option<&SignedIn>,
    ) -> AuthorizationStep {
        self.accounts.decide_authorization(request, who).await.unwrap()
    }

    /// The code that an application gets for somebody who is not asked.
    pub(crate) async fn code_for(&self, application: &Application, scope: &str, who: &SignedIn) -> String {
        let request = self.request(asks(application, scope)).await;
        let AuthorizationStep::Done(address) = self.decides(&request, Some(who)).await else {
            panic!("no code for {application:?}")
        };
        parameter(&address, "code").unwrap()
    }

    pub(crate) async fn exchanges(
        &self,
        by: &AuthenticatedApplication,
        code: &str,
    ) -> Result<ApplicationTokens, CodeExchangeError> {
        exchanges_at(&self.accounts, by, code).await
    }

    /// The tokens of the shop for somebody.
    pub(crate) async fn shops(
        &self,
        by: &AuthenticatedApplication,
        scope: &str,
        who: &SignedIn,
    ) -> ApplicationTokens {
        let code = self.code_for(by.application(), scope, who).await;
        self.exchanges(by, &code).await.unwrap()
    }
}

pub(crate) async fn exchanges_at(
    accounts: &Accounts,
    by: &AuthenticatedApplication,
    code: &str,
) -> Result<ApplicationTokens, CodeExchangeError> {
    let given = exchange(code, by.application().redirect_uris[0].as_str());
    accounts.exchange_code(by, given, &client()).await
}
