//! Somebody looks at a page or sends its form: in which language, with which cookies, signed in or not.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{AUTHORIZATION, CONTENT_LANGUAGE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use vestibule::{Accounts, AuthenticateError, BrowserSession, Fault, Secret, SignUpMode, SignedIn};

use super::assets::Asset;
use super::i18n::Language;
use super::problems::{Told, with_headers};
use super::render::{POLICY, page};
use crate::extract::cookies::Cookie;
use crate::extract::{Client, Pairs};
use crate::problem::Problem;
use crate::{App, Site, TrustedProxies};

/// How long a browser remembers a language: what browsers keep at most.
const YEAR: std::time::Duration = std::time::Duration::from_hours(400 * 24);

/// A request for a page.
pub(crate) struct Visit {
    pub(crate) accounts: Accounts,
    pub(crate) site: Arc<Site>,
    pub(crate) client: vestibule::Client,
    pub(crate) language: Language,
    headers: HeaderMap,
    /// Path and query to come back to in another language; only what is shown by GET has one.
    here: Option<Uri>,
    /// What the forms of this page are tied to, and whether the browser does not hold it yet.
    holder: (Secret, bool),
    /// A language that was asked for in the address.
    chosen: Option<Language>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let (accounts, site) = (Accounts::from_ref(app), Arc::<Site>::from_ref(app));
        let client = Client::of(parts, &TrustedProxies::from_ref(app), site.cookies);
        let chosen = query(&parts.uri).take("lang").and_then(|tag| Language::of_tag(&tag));
        let holder = match site.cookies.get(&parts.headers, Cookie::Form) {
            Some(held) if held.len() == 22 => (Secret::from(held), false),
            _ => (accounts.new_form_holder(), true),
        };
        Ok(Self {
            language: chosen.unwrap_or_else(|| language(&parts.headers, &site)),
            here: (parts.method == Method::GET).then(|| parts.uri.clone()),
            headers: parts.headers.clone(),
            accounts,
            site,
            client,
            holder,
            chosen,
        })
    }
}

/// The language of a request: chosen before, or liked best.
pub(crate) fn language(headers: &HeaderMap, site: &Site) -> Language {
    let kept = site.cookies.get(headers, Cookie::Language).and_then(Language::of_tag);
    kept.or_else(|| Language::accepted(headers)).unwrap_or(Language::En)
}

/// The parameters of an address. Mail programs add some of their own, so broken ones count as none.
pub(crate) fn query(uri: &Uri) -> Pairs {
    Pairs::parse(uri.query().unwrap_or_default().as_bytes()).unwrap_or_default()
}

impl Visit {
    /// The value of a cookie.
    pub(crate) fn cookie(&self, cookie: Cookie) -> Option<&str> {
        self.site.cookies.get(&self.headers, cookie)
    }

    /// Who is signed in here.
    pub(crate) async fn who(&self) -> Result<Option<SignedIn>, Fault> {
        let Some(secret) = self.cookie(Cookie::Session) else { return Ok(None) };
        match self.accounts.authenticate_browser(secret).await {
            Ok(who) => Ok(Some(who)),
            Err(AuthenticateError::Invalid) => Ok(None),
            Err(AuthenticateError::Fault(fault)) => Err(fault),
        }
    }

    /// The secret of the session that the browser held so far: a sign-in replaces it.
    pub(crate) fn held(&self) -> Option<&str> {
        self.cookie(Cookie::Session)
    }

    /// A page.
    pub(crate) fn page(&self, status: StatusCode, template: &str, values: Value) -> Response {
        self.page_under(POLICY, status, template, values)
    }

    /// A page with a content security policy of its own.
    pub(crate) fn page_under(
        &self,
        policy: HeaderValue,
        status: StatusCode,
        template: &str,
        values: Value,
    ) -> Response {
        let (holder, is_new) = &self.holder;
        let mode = self.accounts.policy().sign_up.mode;
        let own = context! {
            form_token => self.accounts.form_token(holder.expose()).expose(),
            languages => self.languages(),
            url => self.accounts.public_url(),
            min => self.accounts.policy().passwords.min_code_points,
            may_sign_up => mode == SignUpMode::Open,
            by_invitation => mode == SignUpMode::Invitation,
        };
        let values = context! { ..values, ..own, ..frame(&self.site, self.language) };
        let mut response = page(self.language, policy, status, template, values);
        let headers = response.headers_mut();
        if *is_new {
            headers.append(SET_COOKIE, self.site.cookies.set(Cookie::Form, holder.expose(), None));
        }
        if let Some(language) = self.chosen {
            headers.append(SET_COOKIE, self.site.cookies.set(Cookie::Language, language.tag(), Some(YEAR)));
        }
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag()));
        response
    }

    /// The page again, saying what is wrong; other problems than the person's are not for this page.
    pub(crate) fn refused(
        &self,
        problem: Problem,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let Some(told) = Told::of(&problem, self.language) else { return Err(problem) };
        let page = self.page(told.status, template, context! { ..told.values(), ..values });
        Ok(with_headers(page, &problem))
    }

    /// Each language with the address of this page in it.
    fn languages(&self) -> Vec<Value> {
        let Some(here) = &self.here else { return Vec::new() };
        let mut query: Vec<(String, String)> = query(here).0;
        query.retain(|(name, _)| name != "lang");
        let link = |language: Language| {
            let query = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let all: Vec<(&str, &str)> = query.chain([("lang", language.tag())]).collect();
            let query = serde_urlencoded::to_string(all).unwrap_or_default();
            context! {
                tag => language.tag(), name => language.name(), dir => language.direction(),
                href => format!("{}?{query}", here.path()), current => language == self.language,
            }
        };
        Language::ALL.into_iter().map(link).collect()
    }

    /// Signs the browser in and goes on. A sign-up that it was waiting for is over.
    pub(crate) fn sign_in(&self, session: &BrowserSession, to: &str) -> Response {
        let cookies = self.site.cookies;
        let lasts = session.expires_at.since(self.accounts.now());
        let mut response = see(to);
        let lines = [
            cookies.set(Cookie::Session, session.secret.expose(), Some(lasts)),
            cookies.clear(Cookie::SignUp),
        ];
        for line in lines.into_iter().chain(cookies.set_device(session.device_token.as_ref())) {
            response.headers_mut().append(SET_COOKIE, line);
        }
        response
    }
}

/// To another page, by GET. `to` is one of our own paths, or an address that was checked.
pub(crate) fn see(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    response
}

/// Adds a cookie to an answer, or takes it away.
pub(crate) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// What every page shows.
pub(crate) fn frame(site: &Site, language: Language) -> Value {
    let brand = &site.brand;
    // A slash needs no escaping in our own names.
    let own = |asset: &Asset| Value::from_safe_string(asset.path());
    let link = |at: &str| if at.contains("://") { at.to_owned() } else { format!("mailto:{at}") };
    context! {
        service => site.service_name.as_str(),
        lang => language.tag(),
        dir => language.direction(),
        css => own(&site.assets.css),
        js => own(&site.assets.js),
        icon => own(&site.assets.icon),
        logo => own(&site.assets.logo),
        dark_logo => site.assets.dark_logo.as_ref().map(own),
        support => brand.support.as_deref().map(link),
        terms_url => brand.terms_url.as_deref(),
        privacy_url => brand.privacy_url.as_deref(),
        dev => site.dev.is_some(),
    }
}

/// Somebody who is signed in here. Everybody else is sent to sign in first, and comes back.
pub(crate) struct Member {
    pub(crate) visit: Visit,
    pub(crate) who: SignedIn,
}

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Ok(mut visit) = Visit::from_request_parts(parts, app).await;
        let who = visit.who().await.map_err(|fault| Problem::from(fault).into_response())?;
        let Some(who) = who else { return Err(see(&sign_in_first(parts))) };
        // A member's forms are tied to the session, and his setting says which language he reads.
        if let Some(secret) = visit.cookie(Cookie::Session).map(Secret::from) {
            visit.holder = (secret, false);
        }
        let own = who.account.locale.as_deref().and_then(Language::of_tag);
        visit.language = visit.chosen.or(own).unwrap_or(visit.language);
        Ok(Self { visit, who })
    }
}

/// The sign-in, which leads back to what was asked for. A form that was not taken is shown again, empty.
fn sign_in_first(parts: &Parts) -> String {
    let path = parts.uri.path();
    let back = match (&parts.method, parts.uri.path_and_query()) {
        (&Method::GET | &Method::HEAD, Some(here)) => here.as_str(),
        _ if path.starts_with("/admin") => "/admin",
        _ => "/account",
    };
    format!("/login?{}", serde_urlencoded::to_string([("return_to", back)]).unwrap_or_default())
}

/// Whoever the cookie of a session names, if the request says nothing else about its sender.
pub(crate) struct Visitor(pub(crate) Result<Option<SignedIn>, Fault>);

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        if parts.headers.contains_key(AUTHORIZATION) {
            return Ok(Self(Ok(None)));
        }
        let Ok(visit) = Visit::from_request_parts(parts, app).await;
        Ok(Self(visit.who().await))
    }
}
