//! What [`router`](crate::router) is given besides the accounts.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use vestibule::{Secret, Timestamp};

use crate::extract::TrustedProxies;
use crate::pages::frame::brand::Brand;

/// How the server presents itself, and to whom it listens.
#[derive(Clone)]
pub struct HttpOptions {
    /// The name on the pages.
    pub service_name: String,
    /// Who the pages belong to.
    pub brand: Brand,
    /// Addresses outside that a sign-in may lead to, compared as they are (B3). Own paths need no entry.
    pub return_urls: Vec<String>,
    /// Which parts the router has: all, unless some are the application's own.
    pub parts: Vec<Part>,
    /// Whose `X-Forwarded-For` and `X-Request-Id` are believed. A request that does not tell its peer's address is
    /// refused unless this says otherwise: the limits per client count addresses.
    pub trusted_proxies: TrustedProxies,
    /// The mailbox behind `/dev/mail`; those routes exist only with it.
    pub dev: Option<Arc<dyn DevMailbox>>,
    /// The names and secrets of the services that may ask `POST /v1/introspect`; nobody may where there are none.
    pub introspection_clients: Vec<(String, Secret)>,
    /// Where request ids begin to count. Random, so that two starts and two instances never give the same one.
    pub request_id_start: u64,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            service_name: "Vestibule".to_owned(),
            brand: Brand::default(),
            return_urls: Vec::new(),
            parts: Part::ALL.to_vec(),
            trusted_proxies: TrustedProxies::default(),
            dev: None,
            introspection_clients: Vec::new(),
            request_id_start: 0,
        }
    }
}

/// What a router may be without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The API under `/v1`, the keys and the description of it, and the probes `/livez` and `/readyz`.
    Api,
    /// The pages for people: sign-up, sign-in, account, administration. They need the API for a check of passwords.
    Pages,
    /// The description to read, `/docs`, and the pages of the error codes, where the `type` of a problem leads.
    Docs,
    /// `/`.
    Home,
    /// 404 for every path that no route has.
    Fallback,
}

impl Part {
    /// A whole server.
    pub const ALL: [Self; 5] = [Self::Api, Self::Pages, Self::Docs, Self::Home, Self::Fallback];
    /// What stands beside an application that has its own `/` and its own fallback.
    pub const BESIDE_OTHERS: [Self; 3] = [Self::Api, Self::Pages, Self::Docs];
}

/// A mail that went to the mailbox of the development mode instead of its receiver.
#[derive(Clone, Debug)]
pub struct DevMail {
    /// Names it in the mailbox; later ones have greater numbers.
    pub number: u64,
    /// The receiver.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The message as it would travel.
    pub source: String,
    /// The code in it.
    pub code: Option<String>,
    /// The link in it.
    pub link: Option<String>,
    /// When its cause happened.
    pub created_at: Timestamp,
}

/// What the mailbox pretends to be, to see what an application makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DevFault {
    /// A relay that works.
    None,
    /// A relay that is not there.
    Unreachable,
    /// A relay that asks to try again later: 4xx.
    Temporary,
    /// A relay that refuses for good: 5xx.
    Permanent,
    /// A relay that takes the message and never answers, until the fault is changed.
    Stall,
}

/// The mailbox of the development mode.
pub trait DevMailbox: Send + Sync {
    /// All mails, newest first.
    fn list(&self) -> Vec<DevMail>;

    /// Forgets all mails.
    fn clear(&self);

    /// What it pretends to be.
    fn fault(&self) -> DevFault;

    /// Makes it pretend.
    fn set_fault(&self, fault: DevFault);

    /// The newest mail to an address; waits until there is one, at most so long.
    fn latest<'a>(
        &'a self,
        to: &'a str,
        wait: Duration,
    ) -> Pin<Box<dyn Future<Output = Option<DevMail>> + Send + 'a>>;
}
