//! What a session gives to a program: an access token, a refresh token, and what its device is known by.

use std::time::Duration;

use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::secret::Secret;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::limits;
use crate::ops::sign_in::admit::Opened;
use crate::store::tables::users::Credentials;
use crate::token::device::{Device, device_token};
use crate::token::jwt::OfSession;
use crate::token::keys::KeySet;

/// A session's tokens. The refresh token works once.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// A JWT (RFC 9068) for `Authorization: Bearer`.
    pub access_token: Secret,
    /// How long the access token works.
    pub expires_in: Duration,
    /// Opaque, 256 bit; buys the next pair of tokens.
    pub refresh_token: Secret,
    /// What this device may keep to be known again: its owner gets in while strangers try the account (L4). It opens
    /// nothing by itself. Only a sign-in gives one, and only to a device that is not known yet.
    pub device_token: Option<Secret>,
    /// Who signed in.
    pub account: Account,
}

impl Core {
    /// The answer to a sign-in.
    pub(crate) fn signed_in(
        &self,
        keys: &KeySet,
        opened: Opened,
        refresh_token: Secret,
        client: &Client,
    ) -> Result<Tokens, Fault> {
        let device_token = self.new_device(&opened.user, client);
        let Opened { user, session, proven, began_at, .. } = opened;
        let of = OfSession { id: session, auth_time: began_at, amr: proven.amr };
        let tokens = self.tokens(keys, user.account, of, refresh_token)?;
        Ok(Tokens { device_token, ..tokens })
    }

    /// The answer to a sign-in or a refresh.
    pub(crate) fn tokens(
        &self,
        keys: &KeySet,
        account: Account,
        session: OfSession,
        refresh_token: Secret,
    ) -> Result<Tokens, Fault> {
        let now = self.now();
        let (env, carried) = (&self.settings.env, self.policy().claims.of(&account));
        let access_token =
            self.issuer.issue(keys, env, &account, session, &carried, now).ok_or_else(|| {
                Fault::Unavailable("no signing key opens with the secret key of this instance".into())
            })?;
        let expires_in = self.policy().tokens.access_lifetime;
        Ok(Tokens { access_token, expires_in, refresh_token, device_token: None, account })
    }

    /// What makes a device known where this user signs in; `None` where it is (L4).
    pub(crate) fn new_device(&self, user: &Credentials, client: &Client) -> Option<Secret> {
        if limits::known_device(self, user, client).is_some() {
            return None;
        }
        let (id, version) = (user.account.id, user.credential_version);
        let held = client.device_token.as_ref();
        let before = held.and_then(|held| Device::of_user(&self.root, held.expose(), id));
        Some(device_token(&self.root, &self.settings.env, id, version, before))
    }
}
