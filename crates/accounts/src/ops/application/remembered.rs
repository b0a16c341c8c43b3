//! What everybody may ask about all applications: the origins that browsers may call from (the Fetch standard's CORS protocol),
//! and the names of their claims (OpenID Connect Discovery §3). What is known of that is at most five seconds old.

use tokio::sync::MutexGuard;

use crate::accounts::Accounts;
use crate::domain::application::remembered::Remembered;
use crate::ops::application::find::all;

impl Accounts {
    /// Whether this is the origin of a site that an application has registered an address of for answers.
    pub async fn is_application_origin(&self, origin: &str) -> bool {
        self.remembered().await.has_origin(origin)
    }

    /// The names of the claims that any application gets, sorted.
    pub async fn application_claim_names(&self) -> Vec<String> {
        self.remembered().await.claims.iter().cloned().collect()
    }

    /// If the store does not answer, what was known goes on counting.
    async fn remembered(&self) -> MutexGuard<'_, Remembered> {
        let now = self.0.now();
        // Others wait here for the first, and then find what it read.
        let mut remembered = self.0.remembered.lock().await;
        if remembered.are_due(now) {
            let core = self.0.clone();
            match self.0.store.read(move |tx| all(tx, &core)).await {
                Ok(known) => remembered.become_known(&known),
                Err(fault) => tracing::warn!(%fault, "the clients were not read"),
            }
        }
        remembered
    }
}
