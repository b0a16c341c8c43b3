//! Sign-up: a registration and the mail that confirms it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::mail::kind::MailKind;
use crate::domain::password::{Password, PasswordContext, PasswordError};
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::user_data::UserData;
use crate::domain::registration::Registration;
use crate::domain::time::Timestamp;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::limits::{MailsLeft, mail_wait, mails_left, take_mail, waited};
use crate::policy::sign_up_data::SignUpDataError;
use crate::policy::terms::{Terms, TermsNotAccepted};
use crate::policy::{Disclosure, SignUpMode};
use crate::store::Tx;
use crate::store::tables::keys::{Idempotency, forget, remember};
use crate::store::tables::limits::{Rule, Subject, lock, record};
use crate::store::tables::{outbox, registrations, users};
use crate::token::root::Purpose;
use crate::token::subject;
use crate::trail::Entry;

/// The data of a sign-up.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// The address to confirm.
    pub email: Email,
    /// The password of the future account.
    pub password: Password,
    /// The user name of the future account.
    pub user_name: Option<UserName>,
    /// What people are to call its owner.
    pub display_name: Option<DisplayName>,
    /// What the [schema](crate::Policy::data_schema) asks for at a sign-up: the first of the user's own data.
    pub data: Map<String, Value>,
    /// The language of the mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// What they say to the operator's terms.
    pub terms: Terms,
    /// Identifies this attempt: a repetition with the same key gets the same answer and causes no second mail.
    pub idempotency_key: Option<String>,
}

/// The answer to a sign-up that waits for its confirmation. The same for free, pending and taken addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The address the mail goes to, as typed.
    pub email: Email,
    /// What the mail contains.
    pub methods: Vec<ConfirmMethod>,
    /// When the sign-up expires unless it is confirmed.
    pub expires_at: Timestamp,
    /// When another mail can be requested, if this one is sent immediately.
    pub resend_after: Timestamp,
}

/// How a sign-up is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmMethod {
    /// The digits in the mail, entered with the password.
    Code,
    /// The link in the mail, and the password.
    Link,
}

/// Why a sign-up was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The data is not what the [schema](crate::Policy::data_schema) asks for.
    #[error(transparent)]
    Data(#[from] SignUpDataError),
    /// The operator's terms were not accepted.
    #[error(transparent)]
    Terms(#[from] TermsNotAccepted),
    /// The user name, or one that looks like it, is taken.
    #[error("the user name is taken")]
    UserNameTaken,
    /// The [`SignUpMode`] is not [`Open`](SignUpMode::Open).
    #[error("nobody can sign up here")]
    Closed,
    /// Only with [`Disclosure::Friendly`].
    #[error("the address has an account")]
    EmailTaken,
    /// This client requested too many mails.
    #[error("too many requests that cost a mail")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Registers an address and queues the mail that confirms it.
    ///
    /// Free, pending and taken addresses look alike in answer and time; the owner of a taken one is informed by mail
    /// (OWASP Authentication Cheat Sheet, "Authentication and Error Messages").
    ///
    /// # Errors
    /// [`SignUpError::Closed`]; [`SignUpError::Data`], [`SignUpError::Terms`] and [`SignUpError::Password`] if the policy
    /// refuses it;
    /// [`SignUpError::UserNameTaken`];
    /// [`SignUpError::Limited`]; [`SignUpError::IdempotencyKeyReused`]; [`SignUpError::Fault`] if a queue is full or
    /// the store does not answer.
    pub async fn sign_up(&self, wish: SignUp, client: &Client) -> Result<Pending, SignUpError> {
        Ok(self.register(wish, client).await?.0)
    }

    /// The answer, and the id of the sign-up, which only the browser that sent it may use.
    pub(crate) async fn register(
        &self,
        wish: SignUp,
        client: &Client,
    ) -> Result<(Pending, RegistrationId), SignUpError> {
        let core = self.0.clone();
        if core.policy().sign_up.mode != SignUpMode::Open {
            return Err(SignUpError::Closed);
        }
        let data = core.policy().check_sign_up_data(&wish.data)?;
        let now = core.now();
        let terms_accepted_at = core.policy().sign_up.consent.accepted_at(wish.terms, now)?;
        let names = PasswordContext {
            email: Some(&wish.email),
            user_name: wish.user_name.as_ref().map(UserName::as_str),
        };
        self.may_ask(client, now).await?;
        // One salt for all sign-ups of an address: a password is compared with all of them at the cost of one (L1).
        let salt = core.root.short_mac(Purpose::SignUpSalt, &[wish.email.key().as_bytes()]);
        let judge = core.policy().passwords.judge(names);
        let password_hash = core.hasher.choose_with(salt, &wish.password, judge).await??;
        let entry = Entry::new(AuditKind::SignedUp, AuditActor::Anonymous, client).address(&wish.email);
        let attempt = Attempt::new(&core, &wish, data, terms_accepted_at, password_hash, entry, now);
        let (id, client) = (attempt.registration.id, client.clone());
        let pending = core.clone().store.write(move |tx| attempt.register(tx, &core, &client)).await??;
        self.0.mail_queued.notify_one();
        Ok((pending, id))
    }

    /// A first check of the limits, before the expensive judging and hashing; the decision follows after it.
    async fn may_ask(&self, client: &Client, now: Timestamp) -> Result<(), SignUpError> {
        let (core, client) = (self.0.clone(), client.clone());
        let wait: Option<Duration> = self
            .0
            .store
            .read(move |tx| mail_wait(tx, &core, &client, now))
            .await
            .map_err(SignUpError::Fault)?;
        wait.map_or(Ok(()), |retry_after| Err(SignUpError::Limited { retry_after }))
    }
}

/// A sign-up about to be stored.
struct Attempt {
    registration: Registration,
    mail: MailId,
    entry: Entry,
    /// Keyed hashes of the idempotency key and of everything else in the request.
    idempotency: Option<([u8; 32], [u8; 32])>,
}

impl Attempt {
    fn new(
        core: &Arc<Core>,
        wish: &SignUp,
        data: UserData,
        terms_accepted_at: Option<Timestamp>,
        password_hash: String,
        entry: Entry,
        now: Timestamp,
    ) -> Self {
        let env = &core.settings.env;
        let name = wish.user_name.as_ref().map_or("", UserName::as_str);
        let mut parts = vec![
            wish.email.as_str(),
            wish.password.expose(),
            name,
            wish.locale.as_deref().unwrap_or_default(),
            wish.display_name.as_ref().map_or("", DisplayName::as_str),
            data.to_stored().unwrap_or_default(),
        ];
        parts.extend(terms_accepted_at.map(|_| "terms accepted"));
        let idempotency = wish.idempotency_key.as_ref().map(|key| {
            // The address is part of the name, so that nobody can use up someone else's keys.
            let name = [key.as_bytes(), wish.email.key().as_bytes()];
            let request: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
            (core.root.mac(Purpose::Idempotency, &name), core.root.mac(Purpose::Idempotency, &request))
        });
        let registration = Registration {
            id: RegistrationId::from_bytes(env.new_id(now)),
            email: wish.email.clone(),
            user_name: wish.user_name.clone(),
            display_name: wish.display_name.clone(),
            data,
            password_hash,
            locale: wish.locale.clone(),
            created_at: now,
            expires_at: now + core.policy().sign_up.lifetime,
            decoy_at: None,
            crowded_at: None,
            imported_at: None,
            terms_accepted_at,
            activated_at: None,
        };
        Self { registration, mail: MailId::from_bytes(env.new_id(now)), entry, idempotency }
    }

    /// Writes the registration and its mail. Taken and free addresses run the same statements (S3). A refusal is an
    /// `Ok`: the request is counted.
    fn register(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        client: &Client,
    ) -> Result<Result<Pending, SignUpError>, Fault> {
        let policy = &core.policy().sign_up;
        let Registration { email, created_at: now, .. } = &self.registration;
        // Counted first: this also limits guessing the password that was sent under a key before.
        if let Some(retry_after) = take_mail(tx, core, client, *now)? {
            return Ok(Err(SignUpError::Limited { retry_after }));
        }
        match self.known_since(tx, core)? {
            Ok(Some(before)) => return Ok(Ok(self.pending(core, before))),
            Ok(None) => {}
            Err(reused) => return Ok(Err(reused)),
        }
        let address = subject::address(&core.root, email);
        lock(tx, &address, *now)?;
        let taken = users::email_exists(tx, email)?;
        if let Some(refused) = self.refusal(tx, taken && policy.disclosure == Disclosure::Friendly)? {
            // Nothing was done under this key, so it may be tried again.
            if let Some((key, _)) = &self.idempotency {
                forget(tx, key)?;
            }
            return Ok(Err(refused));
        }
        self.wait(tx, core, &address, taken)?;
        Ok(Ok(self.pending(core, *now)))
    }

    /// Stores the sign-up and queues its mail. Above the limits the answer stays the same, and no mailbox is flooded
    /// (M5).
    ///
    /// The first three of an address get a code and a link for their password. A further one, or one that gets the last
    /// mail of the day, is in a crowd: its mail lets the owner of the mailbox choose the password, so that strangers
    /// who sign up with an address keep nobody out. The first such mail is sent immediately, others after the waits of
    /// resending.
    fn wait(&self, tx: &mut Tx<'_>, core: &Core, address: &Subject, taken: bool) -> Result<(), Fault> {
        let Registration { id, email, created_at: now, .. } = &self.registration;
        let (with_code, crowd): (Vec<_>, Vec<_>) = registrations::of_email(tx, email, *now)?
            .into_iter()
            .partition(|before| before.crowded_at.is_none());
        let full =
            i64::try_from(with_code.len()).unwrap_or(i64::MAX) >= core.policy().sign_up.open_per_address;
        let left = mails_left(tx, core, address, *now)?;
        let crowded = full || left != MailsLeft::Some;
        let mail_goes = left != MailsLeft::None
            && (!crowded || crowd.is_empty() || waited(tx, core, address, Rule::MailRequested, *now)?);
        if !mail_goes {
            return Ok(());
        }
        let decoy_at = taken.then_some(*now);
        let crowded_at = crowded.then_some(*now);
        registrations::insert(tx, &Registration { decoy_at, crowded_at, ..self.registration.clone() })?;
        record(tx, address, Rule::MailRequested, *now)?;
        outbox::push(tx, self.mail, MailKind::Confirmation, id.as_bytes(), *now)?;
        self.entry.write(tx, core, *now)
    }

    fn refusal(&self, tx: &mut Tx<'_>, email_taken: bool) -> Result<Option<SignUpError>, Fault> {
        if email_taken {
            return Ok(Some(SignUpError::EmailTaken));
        }
        let name = self.registration.user_name.as_ref();
        let taken = name.map(|name| users::name_exists(tx, name)).transpose()?;
        Ok((taken == Some(true)).then_some(SignUpError::UserNameTaken))
    }

    /// When the same request was received before under this idempotency key.
    fn known_since(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
    ) -> Result<Result<Option<Timestamp>, SignUpError>, Fault> {
        let Some((key, request)) = &self.idempotency else { return Ok(Ok(None)) };
        let now = self.registration.created_at;
        let forgotten = now - core.policy().sign_up.idempotency_lifetime;
        Ok(match remember(tx, key, request, now, forgotten)? {
            Idempotency::New => Ok(None),
            Idempotency::Known { fingerprint, at } if fingerprint == *request => Ok(Some(at)),
            Idempotency::Known { .. } => Err(SignUpError::IdempotencyKeyReused),
        })
    }

    fn pending(&self, core: &Core, since: Timestamp) -> Pending {
        let policy = core.policy();
        let methods =
            [(policy.confirm.code, ConfirmMethod::Code), (policy.confirm.link, ConfirmMethod::Link)];
        Pending {
            email: self.registration.email.clone(),
            methods: methods.into_iter().filter(|(on, _)| *on).map(|(_, method)| method).collect(),
            expires_at: since + policy.sign_up.lifetime,
            resend_after: since + policy.sign_up.resend_waits.first().copied().unwrap_or_default(),
        }
    }
}
