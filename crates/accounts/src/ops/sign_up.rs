//! Sign-up: a registration and the mail that confirms it.

use std::sync::Arc;
use std::time::Duration;

use crate::accounts::Inner;
use crate::domain::password::{PasswordContext, PasswordError};
use crate::domain::registration::Registration;
use crate::limits::{self, DAY, mail_wait, take_mail};
use crate::ops::audit::Entry;
use crate::policy::{Disclosure, SignUpMode};
use crate::store::keys::{Idempotency, remember};
use crate::store::limits::{Rule, count, lock, record};
use crate::store::{Tx, outbox, registrations, users};
use crate::token::root::Purpose;
use crate::{
    Accounts, AuditActor, AuditKind, Client, Email, Fault, MailId, Password, RegistrationId, Timestamp,
    UserName,
};

/// What somebody asks for who signs up.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// The address to confirm.
    pub email: Email,
    /// The password the account will have.
    pub password: Password,
    /// The public name the account shall have.
    pub user_name: Option<UserName>,
    /// The language of the mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// Names this attempt: a repetition under the same key is answered alike and causes no second mail.
    pub idempotency_key: Option<String>,
}

/// A sign-up waits for its confirmation. The same for free, pending and taken addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The address the mail goes to, as typed.
    pub email: Email,
    /// What the mail carries.
    pub methods: Vec<ConfirmMethod>,
    /// When the sign-up is forgotten unless it was confirmed.
    pub expires_at: Timestamp,
    /// When a further mail can be asked for, if this one is handed over at once.
    pub resend_after: Timestamp,
}

/// How a sign-up is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmMethod {
    /// The digits of the mail, sent back with the password.
    Code,
    /// The link of the mail, and the password.
    Link,
}

/// Why a sign-up was refused.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Somebody has this user name, or one that looks like it.
    #[error("the user name is taken")]
    UserNameTaken,
    /// Only with another [`SignUpMode`] than [`Open`](SignUpMode::Open).
    #[error("nobody can sign up here")]
    Closed,
    /// Only with [`Disclosure::Friendly`].
    #[error("the address has an account")]
    EmailTaken,
    /// This client asked for too many mails.
    #[error("too many requests that cost a mail")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Registers an address and queues the mail that confirms it.
    ///
    /// Free, pending and taken addresses look alike in answer and time; the owner of a taken one learns of it by mail
    /// (OWASP Authentication Cheat Sheet, "Authentication and Error Messages").
    ///
    /// # Errors
    /// [`SignUpError::Closed`]; [`SignUpError::Password`] when the policy refuses it; [`SignUpError::UserNameTaken`];
    /// [`SignUpError::Limited`]; [`SignUpError::IdempotencyKeyReused`]; [`SignUpError::Fault`] when a queue is full or
    /// the store does not answer.
    pub async fn sign_up(&self, wish: SignUp, client: &Client) -> Result<Pending, SignUpError> {
        Ok(self.register(wish, client).await?.0)
    }

    /// The answer, and the name of the sign-up, which nobody but the browser that sent it may use.
    pub(crate) async fn register(
        &self,
        wish: SignUp,
        client: &Client,
    ) -> Result<(Pending, RegistrationId), SignUpError> {
        let inner = self.0.clone();
        if inner.policy().sign_up.mode != SignUpMode::Open {
            return Err(SignUpError::Closed);
        }
        let now = inner.now();
        let names = PasswordContext {
            email: Some(&wish.email),
            user_name: wish.user_name.as_ref().map(UserName::as_str),
        };
        inner.policy().passwords.check(&wish.password, names)?;
        self.may_ask(client, now).await?;
        let password_hash = inner.hasher.hash(&wish.password).await?;
        let entry = Entry::new(AuditKind::SignedUp, AuditActor::Anonymous, client).address(&wish.email);
        let attempt = Attempt::new(&inner, &wish, password_hash, entry, now);
        let (id, client) = (attempt.registration.id, client.clone());
        let pending = inner.clone().store.write(move |tx| attempt.register(tx, &inner, &client)).await?;
        self.0.mail_queued.notify_one();
        Ok((pending, id))
    }

    /// Before the hash, which is dear; whether it may is decided after it.
    async fn may_ask(&self, client: &Client, now: Timestamp) -> Result<(), SignUpError> {
        let (inner, client) = (self.0.clone(), client.clone());
        let wait: Option<Duration> = self
            .0
            .store
            .read(move |tx| mail_wait(tx, &inner, &client, now))
            .await
            .map_err(SignUpError::Fault)?;
        wait.map_or(Ok(()), |retry_after| Err(SignUpError::Limited { retry_after }))
    }
}

/// A sign-up on its way into the store.
struct Attempt {
    registration: Registration,
    mail: MailId,
    entry: Entry,
    /// Keyed hashes of the idempotency key and of everything else that was asked for.
    idempotency: Option<([u8; 32], [u8; 32])>,
}

impl Attempt {
    fn new(inner: &Arc<Inner>, wish: &SignUp, password_hash: String, entry: Entry, now: Timestamp) -> Self {
        let env = &inner.settings.env;
        let name = wish.user_name.as_ref().map_or("", UserName::as_str);
        let parts =
            [wish.email.as_str(), wish.password.expose(), name, wish.locale.as_deref().unwrap_or_default()];
        let idempotency = wish.idempotency_key.as_ref().map(|key| {
            // The address is part of the name, so that nobody can use up another's keys.
            let name = [key.as_bytes(), wish.email.key().as_bytes()];
            let request = parts.map(str::as_bytes);
            (inner.root.mac(Purpose::Idempotency, &name), inner.root.mac(Purpose::Idempotency, &request))
        });
        let registration = Registration {
            id: RegistrationId::from_bytes(env.new_id(now)),
            email: wish.email.clone(),
            user_name: wish.user_name.clone(),
            password_hash,
            locale: wish.locale.clone(),
            created_at: now,
            expires_at: now + inner.policy().sign_up.lifetime,
            decoy_at: None,
            activated_at: None,
        };
        Self { registration, mail: MailId::from_bytes(env.new_id(now)), entry, idempotency }
    }

    /// Writes the registration and its mail. Taken and free addresses take the same statements (S3).
    fn register(&self, tx: &mut Tx<'_>, inner: &Inner, client: &Client) -> Result<Pending, SignUpError> {
        let policy = &inner.policy().sign_up;
        let Registration { email, created_at: now, .. } = &self.registration;
        if let Some(before) = self.known_since(tx, inner)? {
            return Ok(self.pending(inner, before));
        }
        if let Some(retry_after) = take_mail(tx, inner, client, *now)? {
            return Err(SignUpError::Limited { retry_after });
        }
        let address = limits::address(&inner.root, email);
        lock(tx, &address, *now)?;
        let taken = users::email_exists(tx, email)?;
        if taken && policy.disclosure == Disclosure::Friendly {
            return Err(SignUpError::EmailTaken);
        }
        if let Some(name) = &self.registration.user_name
            && users::name_exists(tx, name)?
        {
            return Err(SignUpError::UserNameTaken);
        }
        // Above the limit the answer stays the same, and nobody's mailbox is flooded (M5).
        if count(tx, &address, Rule::MailRequested, *now - DAY)?.number < policy.mails_per_day {
            let decoy_at = taken.then_some(*now);
            registrations::insert(tx, &Registration { decoy_at, ..self.registration.clone() })?;
            registrations::displace(tx, email, policy.open_per_address)?;
            record(tx, &address, Rule::MailRequested, *now)?;
            outbox::push(tx, self.mail, "confirm", self.registration.id.as_bytes(), *now)?;
            self.entry.write(tx, inner, *now)?;
        }
        Ok(self.pending(inner, *now))
    }

    /// When the same request came before under this idempotency key.
    fn known_since(&self, tx: &mut Tx<'_>, inner: &Inner) -> Result<Option<Timestamp>, SignUpError> {
        let Some((key, request)) = &self.idempotency else { return Ok(None) };
        let now = self.registration.created_at;
        let forgotten = now - inner.policy().sign_up.idempotency_lifetime;
        match remember(tx, key, request, now, forgotten)? {
            Idempotency::New => Ok(None),
            Idempotency::Known { fingerprint, at } if fingerprint == *request => Ok(Some(at)),
            Idempotency::Known { .. } => Err(SignUpError::IdempotencyKeyReused),
        }
    }

    fn pending(&self, inner: &Inner, since: Timestamp) -> Pending {
        let policy = inner.policy();
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
