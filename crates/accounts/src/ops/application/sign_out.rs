//! Signing out at the wish of an application (OpenID Connect RP-Initiated Logout).

use crate::accounts::Accounts;
use crate::domain::access::session::SignedIn;
use crate::domain::application::registered::Application;
use crate::fault::Fault;
use crate::ops::application::find::application;
use crate::store::tables::application::sessions;
use crate::token::application::id_token::{Hint, read_hint};
use crate::token::keys::KeySet;

/// The parameters of an application that sends somebody here to sign out.
#[derive(Clone, Debug, Default)]
pub struct SignOutParameters {
    /// `id_token_hint`: an ID token of the sign-in that ends, which may have expired.
    pub id_token_hint: Option<String>,
    /// `client_id`
    pub client_id: Option<String>,
    /// `post_logout_redirect_uri`
    pub post_logout_redirect_uri: Option<String>,
    /// `state`, which comes back as it is
    pub state: Option<String>,
}

/// What is known of a wish to sign out.
#[derive(Clone, Debug)]
pub struct SignOutWish {
    /// Who sends the user.
    pub application: Option<Application>,
    /// Whether it is the sign-in of this browser that the application has an ID token of: then nobody has to be asked.
    pub is_own: bool,
    /// Where the user goes afterwards: only an address that the application has registered.
    pub redirect: Option<String>,
}

impl Accounts {
    /// Reads the wish of an application that the user sign out. What is wrong in it is left out: then the user is asked, and
    /// stays here afterwards.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn check_sign_out(
        &self,
        parameters: SignOutParameters,
        who: Option<&SignedIn>,
    ) -> Result<SignOutWish, Fault> {
        let SignOutParameters { id_token_hint, client_id, post_logout_redirect_uri, state } = parameters;
        let hint = self.hint(id_token_hint.as_deref()).await?;
        // RP-Initiated Logout §2: the two must name the same application.
        let named = client_id.as_deref();
        let hint = hint.filter(|hint| named.is_none_or(|named| named == hint.application));
        let id = hint.as_ref().map(|hint| hint.application.clone()).or(client_id);
        let who = who.map(|who| (who.account.id, who.session_id));
        let core = self.0.clone();
        let read = move |tx: &mut crate::store::Tx<'_>| -> Result<_, Fault> {
            let found = id.as_deref().map_or(Ok(None), |id| application(tx, &core, id))?;
            let began = match &hint {
                Some(hint) => sessions::of_application(tx, hint.session)?.map(|of| (hint.user, of.parent)),
                None => None,
            };
            Ok((found, began.is_some() && began == who))
        };
        let (found, is_own) = self.0.store.read(read).await?;
        let registered = found.iter().flat_map(|found| &found.post_logout_redirect_uris);
        let allowed = post_logout_redirect_uri.as_deref().and_then(|presented| {
            registered.into_iter().find(|uri| uri.allows(presented)).and(presented.parse().ok())
        });
        let redirect =
            allowed.map(|uri: crate::domain::application::redirect_uri::RedirectUri| match &state {
                Some(state) => uri.with(&[("state", state)]),
                None => uri.as_str().to_owned(),
            });
        Ok(SignOutWish { application: found, is_own, redirect })
    }

    /// What an ID token says that an application gives back; `None` where it is none of ours.
    pub(super) async fn hint(&self, token: Option<&str>) -> Result<Option<Hint>, Fault> {
        let Some(token) = token else { return Ok(None) };
        let now = self.0.now();
        let check = |keys: &KeySet| read_hint(&self.0.issuer, keys, token, now);
        self.0.verify_with(now, check).await
    }
}
