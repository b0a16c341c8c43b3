//! Sign-ups that wait, as administrators see and help them.

use crate::ops::admin::{Actor, AdminError};
use crate::ops::audit::Entry;
use crate::ops::confirm::{Birth, BirthError};
use crate::ops::cursor::{List, PageSize};
use crate::ops::list_users::Page;
use crate::ops::resend::{Resent, queue_mail};
use crate::store::limits::{Subject, lock};
use crate::store::{Tx, registrations};
use crate::{
    Account, Accounts, AuditKind, Email, Fault, MailId, RegistrationId, Timestamp, UserName, limits,
};

/// Sorts behind every sign-up.
const END: RegistrationId = RegistrationId::from_bytes([0xff; 16]);

/// A sign-up that waits for its confirmation. Neither its password nor its code or link can be had from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRegistration {
    /// Names the sign-up.
    pub id: RegistrationId,
    /// The address that was given.
    pub email: Email,
    /// The public name that was wished for.
    pub user_name: Option<UserName>,
    /// The language of its mails.
    pub locale: Option<String>,
    /// When somebody signed up.
    pub created_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// When the newest mail was handed over.
    pub mailed_at: Option<Timestamp>,
    /// The address has or had an account: this can never become a user (S3).
    pub decoy: bool,
}

/// Which page of the open sign-ups to list.
#[derive(Clone, Debug, Default)]
pub struct RegistrationQuery {
    /// Sign-ups per page, 1 to 200; 50 where it is `None`.
    pub limit: Option<u32>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// Why a sign-up was not helped.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The actor does not have the role `admin`.
    #[error("this needs the role admin")]
    Forbidden,
    /// There is no such sign-up, or it has expired.
    #[error("there is no such sign-up")]
    NotFound,
    /// The address has or had an account.
    #[error("this sign-up stands for an address that has or had an account: it can never become one")]
    Decoy,
    /// It is a user already.
    #[error("this sign-up was confirmed before")]
    AlreadyActive,
    /// A user has got the address since.
    #[error("a user has this e-mail address by now")]
    EmailTaken,
    /// A user has got the name since, or one that looks like it.
    #[error("a user has this user name by now, or one that looks like it")]
    UserNameTaken,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<BirthError> for RegistrationError {
    fn from(error: BirthError) -> Self {
        match error {
            BirthError::UserNameTaken => Self::UserNameTaken,
            BirthError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Accounts {
    /// A page of the sign-ups that wait for their confirmation, newest first.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`LimitInvalid`](AdminError::LimitInvalid),
    /// [`CursorInvalid`](AdminError::CursorInvalid), [`Fault`](AdminError::Fault).
    pub async fn list_registrations(
        &self,
        actor: Actor<'_>,
        query: &RegistrationQuery,
    ) -> Result<Page<OpenRegistration>, AdminError> {
        actor.must_be_admin()?;
        let (size, now) = (PageSize::new(query.limit)?, self.0.now());
        let list = List { root: &self.0.root, conditions: &[b"registrations"] };
        let from = match &query.cursor {
            None => END,
            Some(cursor) => list.open(cursor)?.parse().map_err(|_| AdminError::CursorInvalid)?,
        };
        let read = move |tx: &mut Tx<'_>| registrations::open_before(tx, from, now, size.and_one_more());
        let items = self.0.store.read(read).await.map_err(AdminError::Fault)?;
        Ok(size.page(items, |last| list.cursor(&last.id.to_string())))
    }

    /// Queues another confirmation mail, within the limits that hold for whoever signed up, too (S7).
    ///
    /// # Errors
    /// [`RegistrationError::Forbidden`], [`NotFound`](RegistrationError::NotFound),
    /// [`AlreadyActive`](RegistrationError::AlreadyActive), [`Fault`](RegistrationError::Fault).
    pub async fn resend_registration(
        &self,
        actor: Actor<'_>,
        id: RegistrationId,
    ) -> Result<Resent, RegistrationError> {
        actor.must_be_admin().map_err(|_| RegistrationError::Forbidden)?;
        let (inner, now) = (self.0.clone(), self.0.now());
        let mail = MailId::from_bytes(inner.settings.env.new_id(now));
        let entry = Entry::by(AuditKind::Assisted, actor).detail("another confirmation mail");
        let queue = move |tx: &mut Tx<'_>| -> Result<Resent, RegistrationError> {
            let (email, address) = lock_open(tx, &inner.root, id, now)?;
            let resent = queue_mail(tx, &inner, &address, id, mail, now)?;
            if resent == Resent::Queued {
                entry.address(&email).write(tx, &inner, now)?;
            }
            Ok(resent)
        };
        let resent = self.0.store.write(queue).await?;
        self.0.mail_queued.notify_one();
        Ok(resent)
    }

    /// Makes a sign-up a user by hand, for somebody whose mail does not arrive and who was recognised otherwise. Whoever
    /// calls this vouches for the address; the password stays the one of the sign-up.
    ///
    /// # Errors
    /// [`RegistrationError::Forbidden`], [`NotFound`](RegistrationError::NotFound), [`Decoy`](RegistrationError::Decoy),
    /// [`AlreadyActive`](RegistrationError::AlreadyActive), [`EmailTaken`](RegistrationError::EmailTaken),
    /// [`UserNameTaken`](RegistrationError::UserNameTaken), [`Fault`](RegistrationError::Fault).
    pub async fn confirm_registration(
        &self,
        actor: Actor<'_>,
        id: RegistrationId,
    ) -> Result<Account, RegistrationError> {
        actor.must_be_admin().map_err(|_| RegistrationError::Forbidden)?;
        let (inner, now) = (self.0.clone(), self.0.now());
        let birth = Birth::by_hand(&inner, actor, now);
        let confirm = move |tx: &mut Tx<'_>| -> Result<Account, RegistrationError> {
            lock_open(tx, &inner.root, id, now)?;
            if registrations::by_id(tx, id)?.is_some_and(|found| found.decoy_at.is_some()) {
                return Err(RegistrationError::Decoy);
            }
            birth.activate(tx, &inner, id)?.ok_or(RegistrationError::EmailTaken)
        };
        let account = self.0.store.write(confirm).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }
}

/// The address of an open sign-up, and its subject, whose lock this transaction holds from now on.
fn lock_open(
    tx: &mut Tx<'_>,
    root: &crate::token::root::RootKeys,
    id: RegistrationId,
    now: Timestamp,
) -> Result<(Email, Subject), RegistrationError> {
    let email = registrations::by_id(tx, id)?.ok_or(RegistrationError::NotFound)?.email;
    let address = limits::address(root, &email);
    lock(tx, &address, now)?;
    // Somebody else may have been faster while this waited.
    let found = registrations::by_id(tx, id)?.filter(|found| found.expires_at > now);
    match found {
        None => Err(RegistrationError::NotFound),
        Some(found) if found.activated_at.is_some() => Err(RegistrationError::AlreadyActive),
        Some(_) => Ok((email, address)),
    }
}
