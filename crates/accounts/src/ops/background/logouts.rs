//! Telling applications that somebody was signed out (OpenID Connect Back-Channel Logout). A delivery waits, is leased and is
//! repeated as a webhook; its token is signed for each attempt, with the key of then.

use crate::accounts::Accounts;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::ops::application::find::application;
use crate::ops::background::deliver::{Delivered, Delivery};
use crate::ops::background::retry::{BATCH, LEASE};
use crate::store::Tx;
use crate::store::tables::webhooks::{self, Leased};
use crate::token::application::logout_token::{self, SessionEnd};
use crate::webhook::logout::{Logout, LogoutTransport};

/// Deliveries leased for one application at a time.
const OF_ONE_APPLICATION: i64 = 4;

/// A delivery to an application leased by this worker, to be posted immediately: after 15 seconds any worker may lease it
/// again, unless it is being posted.
#[derive(Debug)]
pub struct DueLogout(Leased);

impl DueLogout {
    /// Names the application that it is for.
    pub fn endpoint(&self) -> &str {
        &self.0.endpoint
    }
}

impl Accounts {
    /// Tells applications what is due, at most 16 deliveries, concurrently and in no guaranteed order. Call it again
    /// immediately while it moved any, about once a second otherwise.
    ///
    /// It ends with the slowest of them. A worker that does not want to wait for that leases deliveries with
    /// [`due_logouts`](Self::due_logouts) and posts each separately.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer; leased deliveries become due again when their lease ends.
    pub async fn deliver_logouts(&self, transport: &impl LogoutTransport) -> Result<Delivered, Fault> {
        let due = self.due_logouts(BATCH, &[]).await?;
        let endings = due.into_iter().map(|logout| self.post_logout(logout, transport));
        let mut delivered = Delivered::default();
        for ending in futures_util::future::join_all(endings).await {
            delivered.count(ending?);
        }
        delivered.next_due = self.next_logout_due().await?;
        Ok(delivered)
    }

    /// Leases deliveries to applications that are due, at most `most` and four of each application, those that have waited
    /// longest first. Applications whose [`endpoint`](DueLogout::endpoint) is among the `busy` are left out: one that is slow
    /// to answer occupies four places at most.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn due_logouts(&self, most: usize, busy: &[String]) -> Result<Vec<DueLogout>, Fault> {
        let (now, busy) = (self.0.now(), busy.to_vec());
        let (applications, most) = (most.saturating_add(busy.len()), i64::try_from(most).unwrap_or(i64::MAX));
        let applications = i64::try_from(applications).unwrap_or(i64::MAX);
        let take = move |tx: &mut Tx<'_>| -> Result<Vec<Leased>, Fault> {
            let (mut taken, mut room) = (Vec::new(), most);
            for endpoint in webhooks::due_applications(tx, now, applications)? {
                if room > 0 && !busy.contains(&endpoint) {
                    let leased =
                        webhooks::take(tx, &endpoint, now, now + LEASE, room.min(OF_ONE_APPLICATION))?;
                    room -= i64::try_from(leased.len()).unwrap_or(room);
                    taken.extend(leased);
                }
            }
            Ok(taken)
        };
        let leased = self.0.store.write(take).await?;
        Ok(leased.into_iter().map(DueLogout).collect())
    }

    /// When the next delivery to an application is due, if one waits.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn next_logout_due(&self) -> Result<Option<Timestamp>, Fault> {
        self.0.store.read(webhooks::next_logout_due).await
    }

    /// Posts one delivery to its application and records the outcome. It is dropped if the application is gone or no longer
    /// has a `logout_uri`. Otherwise as [`post_webhook`](Self::post_webhook): at least once, for three days.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer, or no key signs; the delivery becomes due again when its lease ends.
    pub async fn post_logout(
        &self,
        logout: DueLogout,
        transport: &impl LogoutTransport,
    ) -> Result<Delivery, Fault> {
        let (core, leased) = (&self.0, logout.0);
        let Some(logout) = self.logout(&leased).await? else {
            core.store.write(move |tx| webhooks::forget(tx, &leased)).await?;
            return Ok(Delivery::Dropped);
        };
        self.conclude(leased, transport.post(&logout)).await
    }

    /// What is to be posted now; `None`: nobody is there for it.
    async fn logout(&self, leased: &Leased) -> Result<Option<Logout>, Fault> {
        let (core, endpoint) = (self.0.clone(), leased.endpoint.clone());
        let found = move |tx: &mut Tx<'_>| match webhooks::application_of(&endpoint) {
            Some(id) => application(tx, &core, id),
            None => Ok(None),
        };
        let Some(found) = self.0.store.read(found).await? else { return Ok(None) };
        let (Some(uri), Some(session)) = (found.logout_uri, leased.session_id) else { return Ok(None) };
        // Read now: a key that was retired on another instance signs nothing any more.
        let keys = self.0.read_keys().await?;
        let end =
            SessionEnd { id: leased.event_id, application: found.id.as_str(), user: leased.user_id, session };
        let token = logout_token::sign(&self.0.issuer, &keys, &end, self.0.now());
        let no_key =
            || Fault::Unavailable("no signing key opens with the secret key of this instance".into());
        Ok(Some(Logout { token: token.ok_or_else(no_key)?, application: found.id, uri }))
    }
}
