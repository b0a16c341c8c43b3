//! An application gives a token back (RFC 7009).

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::SessionId;
use crate::fault::Fault;
use crate::ops::application::authenticate::AuthenticatedApplication;
use crate::ops::session_end::{Which, end_given_back};
use crate::store::tables::application::sessions as application_sessions;
use crate::store::tables::sessions::TokenHash;
use crate::store::tables::users;
use crate::token::application::access_token::{self, Whose};
use crate::token::keys::KeySet;
use crate::token::opaque::hash_of;
use crate::trail::Entry;

/// What a token names.
enum Named {
    Refresh(TokenHash),
    Session(SessionId),
}

impl Accounts {
    /// Ends the session that a token of this application belongs to, access or refresh. Nothing else changes anything:
    /// not the token of somebody else, nor the one with which the application speaks for itself, which expires.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn revoke_for_application(
        &self,
        by: &AuthenticatedApplication,
        token: &str,
        client: &Client,
    ) -> Result<(), Fault> {
        let (core, now, id) = (self.0.clone(), self.0.now(), by.id().to_string());
        let named = match hash_of(token) {
            Some(hash) => Some(Named::Refresh(hash)),
            None => self.session_of(&id, token).await?.map(Named::Session),
        };
        let Some(named) = named else { return Ok(()) };
        let entry = Entry::new(AuditKind::SignedOut, AuditActor::Anonymous, client);
        self.0
            .store
            .write(move |tx| {
                let ended = match &named {
                    Named::Refresh(hash) => end_given_back(tx, Which::Token(hash, &id), now)?,
                    Named::Session(session) => {
                        let of = application_sessions::of_application(tx, *session)?;
                        match of.filter(|of| of.id == id) {
                            Some(_) => end_given_back(tx, Which::Id(*session), now)?,
                            None => None,
                        }
                    }
                };
                let Some(user) = ended else { return Ok(()) };
                let Some(found) = users::by_id(tx, user)? else { return Ok(()) };
                let detail = format!("by a token of the application {id}");
                entry.about(&found.account).detail(detail).write(tx, &core, now)
            })
            .await
    }

    /// The session of an access token of this application.
    async fn session_of(&self, application: &str, token: &str) -> Result<Option<SessionId>, Fault> {
        let now = self.0.now();
        let check = |keys: &KeySet| access_token::verify(&self.0.issuer, keys, token, now);
        let verified = self.0.verify_with(now, check).await?;
        Ok(verified.filter(|verified| verified.client_id == application).and_then(|verified| match verified
            .whose
        {
            Whose::User { session, .. } => Some(session),
            Whose::Machine => None,
        }))
    }
}
