//! The origins of applications: where browsers may call from (the Fetch standard's CORS protocol).

use std::collections::HashSet;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::registered::Application;
use crate::fault::Fault;
use crate::ops::application::find::configured;
use crate::store::Tx;
use crate::store::tables::application::registered;

impl Accounts {
    /// Whether this is the origin of a site that an application has registered an address of for answers. What is known of
    /// that is at most five seconds old. If the store does not answer, what was known goes on counting.
    pub async fn is_application_origin(&self, origin: &str) -> bool {
        let now = self.0.now();
        // Others wait here for the first, and then find what it read.
        let mut origins = self.0.origins.lock().await;
        if origins.are_due(now) {
            let core = self.0.clone();
            match self.0.store.read(move |tx| read(tx, &core)).await {
                Ok(known) => origins.become_known(known),
                Err(fault) => tracing::warn!(%fault, "the origins of the clients were not read"),
            }
        }
        origins.has(origin)
    }
}

fn read(tx: &mut Tx<'_>, core: &Core) -> Result<HashSet<String>, Fault> {
    let stored = registered::list(tx, i64::MAX)?.into_iter().map(|stored| stored.application);
    let stored = stored.filter(|application| configured(core, application.id.as_str()).is_none());
    let of_settings = core.policy().applications.iter().map(|configured| &configured.application);
    Ok(stored.flat_map(|application| origins(&application)).chain(of_settings.flat_map(origins)).collect())
}

fn origins(application: &Application) -> Vec<String> {
    application.redirect_uris.iter().filter_map(RedirectUri::origin).collect()
}
