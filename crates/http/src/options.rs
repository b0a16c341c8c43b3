//! The options of [`router`](crate::router) besides the accounts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use vestibule::{Secret, Timestamp};

use crate::catalogue::Code;
use crate::cors::CorsOrigins;
use crate::extract::TrustedProxies;
use crate::pages::frame::look::brand::Brand;

/// How the server presents itself, and which proxies and services it trusts.
#[derive(Clone)]
pub struct HttpOptions {
    /// The name shown on the pages.
    pub service_name: String,
    /// The look of the pages, and the links of their owner.
    pub brand: Brand,
    /// External addresses that a sign-in may lead to, compared literally (B3). Our own paths need no entry.
    pub return_urls: Vec<String>,
    /// The origins whose pages may read the answers of the API, never with cookies: none, unless some are named.
    pub cors: CorsOrigins,
    /// The parts of the router: all, unless some are the application's own.
    pub parts: Vec<Part>,
    /// The proxies whose `X-Forwarded-For` and `X-Request-Id` are trusted. A request without a known peer address is
    /// refused unless this says otherwise: the limits per client count addresses.
    pub trusted_proxies: TrustedProxies,
    /// The mailbox behind `/dev/mail`; those routes exist only with it.
    pub dev: Option<Arc<dyn DevMailbox>>,
    /// The names and secrets of the services that may use `POST /v1/introspect`; without any, nobody may.
    pub introspection_clients: Vec<(String, Secret)>,
    /// Whether `POST /v1/token` exchanges passwords (`grant_type=password`), as it does with [`dev`](Self::dev) in any case.
    /// `POST /v1/login` signs in without it.
    pub password_grant: bool,
    /// The start of request ids. Random, so that no two starts and no two instances issue the same one.
    pub request_id_start: u64,
    /// Is told of every answer. None, unless somebody counts.
    pub observer: Option<Arc<dyn Observer>>,
}

/// Is told of every answer. Called on the threads that answer: it must be quick.
pub trait Observer: Send + Sync {
    /// An answer was given.
    fn answered(&self, answer: &Answered<'_>);
}

/// An answer, without anything that came from its request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Answered<'a> {
    /// The template of the route, as `/v1/admin/users/{id}`; `None` where there is no route.
    pub route: Option<&'a str>,
    /// `GET`, `POST` and so on; `OTHER` where it is none of those that are routed.
    pub method: &'static str,
    /// The status.
    pub status: u16,
    /// Why it was refused, if it was.
    pub code: Option<Code>,
    /// The limit that refused it, if one did.
    pub limit: Option<&'static str>,
    /// From the head of the request to the head of the answer.
    pub took: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            service_name: "Vestibule".to_owned(),
            brand: Brand::default(),
            return_urls: Vec::new(),
            cors: CorsOrigins::default(),
            parts: Part::ALL.to_vec(),
            trusted_proxies: TrustedProxies::default(),
            dev: None,
            introspection_clients: Vec::new(),
            password_grant: false,
            request_id_start: 0,
            observer: None,
        }
    }
}

/// An optional part of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The API under `/v1`, its keys and its description, and the probes `/livez` and `/readyz`.
    Api,
    /// The pages for people: sign-up, sign-in, account, administration. They need the API to check passwords.
    Pages,
    /// The readable description, `/docs`, and the pages of the error codes, which the `type` of a problem links to.
    Docs,
    /// `/`.
    Home,
    /// 404 for every path without a route.
    Fallback,
}

impl Part {
    /// A whole server.
    pub const ALL: [Self; 5] = [Self::Api, Self::Pages, Self::Docs, Self::Home, Self::Fallback];
    /// For use beside an application that has its own `/` and its own fallback.
    pub const BESIDE_OTHERS: [Self; 3] = [Self::Api, Self::Pages, Self::Docs];
}

/// A mail delivered to the mailbox of the development mode instead of its recipient.
#[derive(Clone, Debug)]
pub struct DevMail {
    /// Its number in the mailbox; later mails have greater ones.
    pub number: u64,
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The message as it would be transmitted.
    pub source: String,
    /// The code in it.
    pub code: Option<String>,
    /// The link in it.
    pub link: Option<String>,
    /// When its cause happened.
    pub created_at: Timestamp,
}

/// The kind of relay the mailbox simulates, to see how an application copes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DevFault {
    /// A working relay.
    None,
    /// An unreachable relay.
    Unreachable,
    /// A relay that asks to try again later: 4xx.
    Temporary,
    /// A relay that refuses permanently: 5xx.
    Permanent,
    /// A relay that accepts the message and never answers, until the fault is changed.
    Stall,
}

/// The mailbox of the development mode.
pub trait DevMailbox: Send + Sync {
    /// All mails, newest first.
    fn list(&self) -> Vec<DevMail>;

    /// Deletes all mails.
    fn clear(&self);

    /// The simulated fault.
    fn fault(&self) -> DevFault;

    /// Simulates a fault.
    fn set_fault(&self, fault: DevFault);

    /// The newest mail to an address; waits for one up to this long.
    fn latest<'a>(
        &'a self,
        to: &'a str,
        wait: Duration,
    ) -> Pin<Box<dyn Future<Output = Option<DevMail>> + Send + 'a>>;
}
