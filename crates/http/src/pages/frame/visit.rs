//! A visit: a request for a page or by its form, with its language, its cookies, and who is signed in.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use vestibule::{
    Accounts, AuthenticateError, AuthorizationRequest, BrowserSession, DisplayName, Fault, Secret,
    SignUpMode, SignUpPolicy, SignedIn, TermsConsent,
};

use super::content_policy::{WayToApplication, leading_to};
use super::error_view::{ErrorView, with_headers};
use super::i18n::Language;
use super::look::face::initials;
use super::render::{OPENER_POLICY, page};
use crate::app::{App, Site};
use crate::base::Base;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::{Client, TrustedProxies};
use crate::pages::frame::i18n::choice::LanguageChoice;
use crate::problem::Problem;

/// Where an application's request goes on, with its name behind it.
pub(crate) const GO_ON: &str = "/oauth/authorize?request=";

/// How long it waits.
pub(crate) const REQUEST_WAITS: Duration = Duration::from_hours(1);

/// A request for a page.
pub(crate) struct Visit {
    pub(crate) accounts: Accounts,
    pub(crate) site: Arc<Site>,
    pub(crate) client: vestibule::Client,
    pub(super) choice: LanguageChoice,
    headers: HeaderMap,
    /// What the forms of this page are tied to while nobody is signed in, and whether the browser does not have it yet.
    browser: (Secret, bool),
    /// The secret of a member's session, which their forms are tied to.
    session: Option<Secret>,
    /// Where this visit leads in the end: one of our paths, or a registered URL.
    pub(crate) return_to: Option<String>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let (accounts, site) = (Accounts::from_ref(app), Arc::<Site>::from_ref(app));
        let client = Client::of(parts, &TrustedProxies::from_ref(app), site.cookies)?;
        let choice = LanguageChoice::of(&parts.method, &parts.uri, &parts.headers, site.cookies);
        let browser = match site.cookies.get(&parts.headers, Cookie::Form) {
            Some(held) if held.len() == 22 => (Secret::from(held), false),
            _ => (accounts.new_form_holder(), true),
        };
        let headers = parts.headers.clone();
        Ok(Self { choice, headers, accounts, site, client, browser, session: None, return_to: None })
    }
}

impl Visit {
    /// The language of the page.
    pub(crate) fn language(&self) -> Language {
        self.choice.language()
    }

    /// The request of an application that this visit leads back to.
    pub(crate) fn request(&self) -> Option<&str> {
        self.return_to.as_deref()?.strip_prefix(self.site.base.path())?.strip_prefix(GO_ON)
    }

    /// The request of an application that this visit leads back to, if it waits in this browser.
    pub(crate) async fn kept(&self) -> Result<Option<AuthorizationRequest>, Fault> {
        let Some(id) = self.request() else { return Ok(None) };
        self.accounts.kept_authorization(self.browser(), id).await
    }

    /// Makes the browser use the first of these languages that is spoken here, unless the reader has chosen one.
    pub(crate) fn suggested_language(&self, tags: &str) -> Option<HeaderValue> {
        self.choice.suggested(tags, self.site.cookies)
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, cookie: Cookie) -> Option<&str> {
        self.site.cookies.get(&self.headers, cookie)
    }

    /// The user signed in here.
    pub(crate) async fn who(&self) -> Result<Option<SignedIn>, Fault> {
        let Some(secret) = self.cookie(Cookie::Session) else { return Ok(None) };
        match self.accounts.authenticate_browser(secret).await {
            Ok(who) => Ok(Some(who)),
            Err(AuthenticateError::Invalid) => Ok(None),
            Err(AuthenticateError::Fault(fault)) => Err(fault),
        }
    }

    /// The secret that names this browser, signed in or not; see [`Self::knowing_browser`].
    pub(crate) fn browser(&self) -> &str {
        self.browser.0.expose()
    }

    /// Makes a new browser keep its secret.
    pub(crate) fn knowing_browser(&self, mut response: Response) -> Response {
        if self.browser.1 {
            let cookie = self.site.cookies.set(Cookie::Form, self.browser(), None);
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// The visit of a user who is signed in, whose forms are tied to the session.
    pub(crate) fn of(mut self, who: SignedIn) -> Member {
        self.session = self.cookie(Cookie::Session).map(Secret::from);
        self.choice.of_account(who.account.locale.as_deref());
        Member { visit: self, who }
    }

    /// The secret of the browser's session so far: a sign-in replaces it.
    pub(crate) fn held(&self) -> Option<&str> {
        self.cookie(Cookie::Session)
    }

    /// A page. Its forms may lead to where the visit does.
    pub(crate) fn page(&self, status: StatusCode, template: &str, values: Value) -> Response {
        let policy = leading_to(self.return_to.as_deref());
        self.page_under(policy, status, template, values)
    }

    /// A page with a content security policy of its own.
    pub(crate) fn page_under(
        &self,
        policy: HeaderValue,
        status: StatusCode,
        template: &str,
        values: Value,
    ) -> Response {
        let holder = self.session.as_ref().unwrap_or(&self.browser.0);
        let SignUpPolicy { mode, consent, .. } = &self.accounts.policy().sign_up;
        let own = context! {
            form_token => self.accounts.form_token(holder.expose()).expose(),
            return_to => self.return_to.as_deref(),
            url => self.accounts.public_url(),
            min => self.accounts.policy().passwords.min_code_points,
            may_sign_up => *mode == SignUpMode::Open,
            by_invitation => *mode == SignUpMode::Invitation,
            consent => match consent {
                TermsConsent::Off => None,
                TermsConsent::Line => Some("line"),
                TermsConsent::Checkbox => Some("checkbox"),
            },
            with_passkeys => self.accounts.relying_party().is_some(),
        };
        let values = context! { ..values, ..context! { ..own, ..self.choice.values() } };
        let mut response = page(&self.site, self.language(), policy, status, template, values);
        self.choice.note(&mut response, self.site.cookies);
        if let Some(request) = self.request() {
            let (accounts, browser) = (self.accounts.clone(), self.browser.0.clone());
            response.extensions_mut().insert(WayToApplication {
                accounts,
                browser,
                request: request.to_owned(),
            });
        }
        if self.session.is_some() { response } else { self.knowing_browser(response) }
    }

    /// The page's view of a problem, if the person can correct it here; no error if only another language or theme
    /// was requested.
    pub(crate) fn error_view(&self, problem: &Problem) -> Option<ErrorView> {
        let only_language = self.choice.is_asked() && problem.code() == Code::FormExpired;
        if only_language {
            Some(ErrorView::nothing())
        } else {
            ErrorView::of(problem, self.language(), self.accounts.policy().sign_up_fields())
        }
    }

    /// The page again, with the error; problems that the person cannot correct are not for this page.
    pub(crate) fn refused(
        &self,
        problem: Problem,
        template: &str,
        values: Value,
    ) -> Result<Response, Problem> {
        let Some(view) = self.error_view(&problem) else { return Err(problem) };
        let page = self.page(view.status, template, context! { ..view.values(), ..values });
        Ok(with_headers(page, &problem))
    }

    /// Where the visit leads: to a checked place of the host, or to a page of ours.
    pub(crate) fn destination(&self, otherwise: &str) -> String {
        let place = self.return_to.as_deref().map(|place| self.site.base.leading_to(place));
        place.unwrap_or_else(|| otherwise.to_owned())
    }

    /// Redirects to the sign-in, which leads on to where the visit does, and shows what has happened.
    pub(crate) fn to_sign_in(&self, said: &str) -> Response {
        let to = self.return_to.as_deref().map(|to| ("return_to", to));
        let query: Vec<_> = [("said", said)].into_iter().chain(to).collect();
        see_other(&format!("/login?{}", serde_urlencoded::to_string(query).unwrap_or_default()))
    }

    /// Signs the browser in and redirects to where the visit leads, or to a page of ours. A sign-up it was waiting for
    /// is over.
    pub(crate) fn sign_in(&self, session: &BrowserSession, otherwise: &str) -> Response {
        let cookies = self.site.cookies;
        let lasts = session.expires_at.since(self.accounts.now());
        let mut response = see_other(&self.destination(otherwise));
        let lines = [
            cookies.set(Cookie::Session, session.secret.expose(), Some(lasts)),
            cookies.clear(Cookie::SignUp),
            cookies.clear(Cookie::Return),
            cookies.clear(Cookie::SecondFactor),
        ];
        for line in lines.into_iter().chain(cookies.set_device(session.device_token.as_ref())) {
            response.headers_mut().append(SET_COOKIE, line);
        }
        response
    }
}

/// Redirects to another page, by GET. `to` is one of our own paths, or a checked URL.
pub(crate) fn see_other(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let location = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, location);
    // As pages have it: a redirect without would part a window from the page that has opened it.
    let (name, value) = OPENER_POLICY;
    response.headers_mut().insert(name, value);
    response
}

/// Adds a cookie to an answer, or deletes one.
pub(crate) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// A user who is signed in here. All others are sent to sign in first, and return.
pub(crate) struct Member {
    pub(crate) visit: Visit,
    pub(crate) who: SignedIn,
}

impl Member {
    /// Two letters of their name, or of their address.
    pub(crate) fn initials(&self) -> String {
        let account = &self.who.account;
        initials(account.display_name.as_ref().map_or(account.email.as_str(), DisplayName::as_str))
    }
}

impl FromRequestParts<App> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await;
        let visit = visit.map_err(IntoResponse::into_response)?;
        let who = visit.who().await.map_err(|fault| Problem::from(fault).into_response())?;
        let Some(who) = who else { return Err(see_other(&sign_in_first(parts, &visit.site.base))) };
        if who.must_enrol && !is_for_enrolment(parts.uri.path()) {
            return Err(see_other("/account?said=enrol#security"));
        }
        Ok(visit.of(who))
    }
}

/// Whether a session may go here that is only good for setting up a second factor.
fn is_for_enrolment(path: &str) -> bool {
    let part = path.strip_prefix("/account/").and_then(|rest| rest.split('/').next());
    let parts = ["verify", "passkeys", "authenticator", "recovery-codes"];
    matches!(path, "/account" | "/logout") || part.is_some_and(|part| parts.contains(&part))
}

/// The sign-in page, which leads back to the requested page, or to the page of the form that came too late.
fn sign_in_first(parts: &Parts, base: &Base) -> String {
    let (path, here) = (parts.uri.path(), parts.uri.path_and_query());
    let query = match (&parts.method, here) {
        (&Method::GET | &Method::HEAD, Some(here)) => vec![("return_to", base.on_host(here.as_str()))],
        // A user whose session has ended is signed out already.
        _ if path == "/logout" => vec![("said", "signed_out".into())],
        _ => vec![("said", "unsaved".into()), ("return_to", base.on_host(&page_of(path)))],
    };
    format!("/login?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}

/// The page with the form that is sent to this path.
fn page_of(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts[..] {
        ["account", part, ..] => format!("/account#{part}"),
        ["admin", "users", user, ..] => format!("/admin/users/{user}"),
        ["admin", list, ..] => format!("/admin/{list}"),
        _ => "/account".to_owned(),
    }
}
