//! The state shared by every operation.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::Notify;

use crate::domain::application::remembered::Remembered;
use crate::domain::ids::UserId;
use crate::domain::password::{Password, PasswordContext, PasswordError};
use crate::domain::secret::Secret;
use crate::domain::stats::PastDays;
use crate::domain::tally::Tally;
use crate::domain::time::Timestamp;
use crate::fault::Fault;
use crate::hasher::Hasher;
use crate::policy::Policy;
use crate::policy::limits::Limits;
use crate::policy::relying_party::RelyingParty;
use crate::settings::Settings;
use crate::store::Store;
use crate::throttle::Throttle;
use crate::token::doctor::Answered;
use crate::token::jwt::Issuer;
use crate::token::keys::KeySet;
use crate::token::root::RootKeys;
use crate::traffic::Traffic;

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) hasher: Hasher,
    pub(crate) root: RootKeys,
    pub(crate) issuer: Issuer,
    pub(crate) keys: RwLock<Arc<KeySet>>,
    /// When the signing keys were last read because of a token that named an unknown one.
    pub(crate) keys_read_at: tokio::sync::Mutex<Timestamp>,
    /// Wakes the mail worker of this instance.
    pub(crate) mail_queued: Notify,
    pub(crate) traffic: Traffic,
    pub(crate) past_days: PastDays,
    /// What has happened since the start.
    pub(crate) tally: Tally,
    /// The users up to this one were looked at for whether they know when a second factor is due; `None`: begin with the first.
    pub(crate) in_step_until: Mutex<Option<UserId>>,
    /// How many passwords each client recently had judged.
    pub(crate) judgements: Throttle,
    /// What `vestibule doctor` asked through the public URL.
    pub(crate) doctor_answered: Answered,
    /// The limits in force that may change.
    pub(crate) limits: RwLock<Arc<Limits>>,
    /// What everybody may ask about the applications.
    pub(crate) remembered: tokio::sync::Mutex<Remembered>,
    /// Who passkeys belong to, where there are any.
    pub(crate) relying_party: Option<RelyingParty>,
}

impl Core {
    pub(crate) fn now(&self) -> Timestamp {
        self.settings.env.now()
    }

    /// The address of a page.
    pub(crate) fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.settings.public_url)
    }

    /// The address of a page, with a mailed token that it opens.
    pub(crate) fn page_with(&self, name: &str, token: &Secret) -> Secret {
        Secret::from(format!("{}?token={}", self.page(name), token.expose()))
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    /// The hash of a newly chosen password. Outer error: it failed; inner error: why the password is refused.
    pub(crate) async fn choose(
        &self,
        password: &Password,
        whose: PasswordContext<'_>,
    ) -> Result<Result<String, PasswordError>, Fault> {
        self.hasher.choose(password, self.policy().passwords.judge(whose)).await
    }

    pub(crate) fn limits(&self) -> Arc<Limits> {
        self.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_limits(&self, limits: Limits) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(limits);
    }

    pub(crate) fn keys(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_keys(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}
