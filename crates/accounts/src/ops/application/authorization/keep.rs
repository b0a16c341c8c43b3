//! Requests that wait while their user signs in or is asked: kept here, for the browser that brought them.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::application::request::AuthorizationRequest;
use crate::fault::Fault;
use crate::limits::limited_client;
use crate::ops::application::authorization::issue::{from_json, to_json};
use crate::store::tables::application::requests::{self, Waiting};
use crate::token::opaque::sha256;

/// How long a request waits: time enough to sign up and to confirm on another device.
const LIFETIME: Duration = Duration::from_hours(1);
/// Of one browser, the newest so many wait.
const PER_BROWSER: i64 = 10;
/// Of one network, so many wait at most.
const PER_CLIENT: i64 = 200;
/// As long as a request is kept.
const OCTETS_MAX: usize = 8 * 1024;

/// Why a request is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Too many requests from this network wait.
    #[error("too many requests of this kind wait")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// It is longer than 8 KiB.
    #[error("the request is longer than 8 KiB")]
    TooLong,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Keeps a request for the browser that `holder` names, for an hour; returns the name of the request.
    ///
    /// # Errors
    /// [`KeepError`]
    pub async fn keep_authorization(
        &self,
        request: &AuthorizationRequest,
        holder: &str,
        client: &Client,
    ) -> Result<String, KeepError> {
        let core = self.0.clone();
        let (now, id) = (core.now(), core.settings.env.random::<16>());
        let request = to_json(request)?;
        if request.len() > OCTETS_MAX {
            return Err(KeepError::TooLong);
        }
        let waiting = Waiting {
            id,
            holder: holder_hash(holder),
            client: limited_client(&core, client),
            request,
            created_at: now,
            expires_at: now + LIFETIME,
        };
        self.0
            .store
            .write(move |tx| {
                let of_client = match &waiting.client {
                    Some(client) => requests::count_of_client(tx, client, now, PER_CLIENT)?,
                    None => 0,
                };
                if of_client >= PER_CLIENT {
                    return Err(KeepError::Limited { retry_after: Duration::from_mins(5) });
                }
                requests::insert(tx, &waiting)?;
                Ok(requests::keep_newest(tx, &waiting.holder, PER_BROWSER)?)
            })
            .await?;
        Ok(BASE64URL_NOPAD.encode(&id))
    }

    /// The request of this name, in the browser that brought it.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn kept_authorization(
        &self,
        holder: &str,
        id: &str,
    ) -> Result<Option<AuthorizationRequest>, Fault> {
        let Some(id) = read_id(id) else { return Ok(None) };
        let (holder, now) = (holder_hash(holder), self.0.now());
        let found = self.0.store.read(move |tx| requests::find(tx, &id, &holder, now)).await?;
        found.as_deref().map(from_json).transpose()
    }
}

pub(super) fn holder_hash(holder: &str) -> [u8; 32] {
    sha256(holder.as_bytes())
}

pub(super) fn read_id(text: &str) -> Option<[u8; 16]> {
    let bytes = (text.len() == 22).then(|| BASE64URL_NOPAD.decode(text.as_bytes()).ok()).flatten()?;
    bytes.try_into().ok()
}
