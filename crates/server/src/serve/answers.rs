//! What answers requests, made from the settings.

use std::sync::Arc;

use axum::Router;
use vestibule::{Accounts, RedirectUri};
use vestibule_http::{CorsOrigins, DevMailbox, HttpOptions, Observer, Part, TrustedProxies};

use super::mailbox::Mailbox;
use super::metrics::counts::Counts;
use crate::config::settings::Config;
use crate::entropy;
use crate::failure::Failure;
use crate::mailer::EchoingMailer;

/// What stays when the settings change.
pub(super) struct Answers {
    pub(super) dev: bool,
    pub(super) accounts: Accounts,
    pub(super) mailer: Arc<EchoingMailer>,
    /// Counts the answers, where somebody reads the numbers.
    pub(super) counts: Option<Arc<Counts>>,
}

impl Answers {
    /// The router of these settings.
    pub(super) fn router(&self, config: &Config) -> Result<Router, Failure> {
        let mut options = http_options(config, self.dev, &self.mailer)?;
        options.observer = self.counts.clone().map(|counts| counts as Arc<dyn Observer>);
        Ok(vestibule_http::router(self.accounts.clone(), options))
    }
}

fn http_options(config: &Config, dev: bool, mailer: &EchoingMailer) -> Result<HttpOptions, Failure> {
    let proxies: Vec<String> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    let mailbox =
        mailer.mailbox().filter(|_| dev).map(|memory| Arc::new(Mailbox(memory)) as Arc<dyn DevMailbox>);
    let clients = config.introspection_clients.iter();
    let cors =
        CorsOrigins::new(config.cors_origins.clone()).map_err(|error| Failure::config(error.to_string()))?;
    Ok(HttpOptions {
        service_name: config.service_name.clone(),
        brand: config.pages.brand.clone(),
        return_urls: config.pages.return_urls.clone(),
        // The client `dev` may be a page at any port of this machine.
        cors: if dev { cors.with_derived(is_of_this_machine) } else { cors },
        parts: Part::ALL.to_vec(),
        trusted_proxies: TrustedProxies::parse(&proxies)
            .map_err(|error| Failure::config(error.to_string()))?,
        dev: mailbox,
        introspection_clients: clients.map(|it| (it.name.clone(), it.secret.clone())).collect(),
        password_grant: dev || config.password_grant,
        request_id_start: entropy::number(),
        observer: None,
    })
}

/// Whether pages of an origin come from this machine.
fn is_of_this_machine(origin: &str) -> bool {
    let page: Result<RedirectUri, _> = format!("{origin}/").parse();
    page.is_ok_and(|page| page.is_loopback())
}
