//! Open sign-ups, as administrators see and assist them.

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::audit::AuditKind;
use crate::domain::email::Email;
use crate::domain::ids::{MailId, RegistrationId};
use crate::domain::registration::OpenRegistration;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::paging::{List, Page, PageSize};
use crate::ops::registration::activation::{Activation, ActivationError};
use crate::ops::registration::resend::{Resent, queue_mail};
use crate::store::Tx;
use crate::store::tables::limits::{Subject, lock};
use crate::store::tables::registrations;
use crate::token::subject;
use crate::trail::Entry;

/// Sorts after every sign-up.
const END: RegistrationId = RegistrationId::from_bytes([0xff; 16]);

/// Which page of the open sign-ups to list.
#[derive(Clone, Debug, Default)]
pub struct RegistrationQuery {
    /// Sign-ups per page, 1 to 200; 50 if `None`.
    pub limit: Option<u32>,
    /// The cursor at the end of the previous page.
    pub cursor: Option<String>,
}

/// Why a sign-up was not assisted.
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
    /// Another user now has the address.
    #[error("a user has this email address by now")]
    EmailTaken,
    /// Another user now has the name, or one that looks like it.
    #[error("a user has this user name by now, or one that looks like it")]
    UserNameTaken,
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<ActivationError> for RegistrationError {
    fn from(error: ActivationError) -> Self {
        match error {
            ActivationError::UserNameTaken => Self::UserNameTaken,
            ActivationError::Fault(fault) => Self::Fault(fault),
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
        let (items, end) = self.0.store.survey(read).await.map_err(AdminError::Fault)?;
        let end = end.map(|id| list.cursor(&id.to_string()));
        Ok(size.page_until(items, end, |last| list.cursor(&last.id.to_string())))
    }

    /// Queues another confirmation mail, within the limits that also apply to the person who signed up (S7).
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
        let (core, now) = (self.0.clone(), self.0.now());
        let mail = MailId::from_bytes(core.settings.env.new_id(now));
        let entry = Entry::by(AuditKind::Assisted, actor).detail("another confirmation mail");
        let queue = move |tx: &mut Tx<'_>| -> Result<Resent, RegistrationError> {
            let (email, address) = lock_open(tx, &core.root, id, now)?;
            let resent = queue_mail(tx, &core, &address, id, mail, now)?;
            if resent == Resent::Queued {
                entry.address(&email).write(tx, &core, now)?;
            }
            Ok(resent)
        };
        let resent = self.0.store.write(queue).await?;
        self.0.mail_queued.notify_one();
        Ok(resent)
    }

    /// Makes a sign-up a user by hand, for someone whose mail does not arrive and who was identified otherwise. The
    /// caller vouches for the address; the password stays that of the sign-up.
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
        let (core, now) = (self.0.clone(), self.0.now());
        let activation = Activation::by_hand(&core, actor, now);
        let confirm = move |tx: &mut Tx<'_>| -> Result<Account, RegistrationError> {
            lock_open(tx, &core.root, id, now)?;
            if registrations::by_id(tx, id)?.is_some_and(|found| found.decoy_at.is_some()) {
                return Err(RegistrationError::Decoy);
            }
            activation.activate(tx, &core, id)?.ok_or(RegistrationError::EmailTaken)
        };
        let account = self.0.store.write(confirm).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }
}

/// The address of an open sign-up, and its subject, which this transaction now has locked.
fn lock_open(
    tx: &mut Tx<'_>,
    root: &crate::token::root::RootKeys,
    id: RegistrationId,
    now: Timestamp,
) -> Result<(Email, Subject), RegistrationError> {
    let email = registrations::by_id(tx, id)?.ok_or(RegistrationError::NotFound)?.email;
    let address = subject::address(root, &email);
    lock(tx, &address, now)?;
    // Another request may have come first while this one waited.
    let found = registrations::by_id(tx, id)?.filter(|found| found.expires_at > now);
    match found {
        None => Err(RegistrationError::NotFound),
        Some(found) if found.activated_at.is_some() => Err(RegistrationError::AlreadyActive),
        Some(_) => Ok((email, address)),
    }
}
