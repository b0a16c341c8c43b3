//! What administrators and operators do with users.

use std::time::Duration;

use crate::accounts::Inner;
use crate::domain::challenge::Purpose;
use crate::domain::password::PasswordContext;
use crate::ops::audit::Entry;
use crate::ops::webhooks;
use crate::store::limits::lock;
use crate::store::users::{self, Inserted};
use crate::store::{Tx, challenges, invitations, outbox, registrations, sessions};
use crate::{
    Account, Accounts, AuditKind, Client, Email, Expected, Fault, Password, PasswordError, Reason, Roles,
    RolesError, SignedIn, Timestamp, UserId, UserName, WebhookEvent, limits,
};

/// On whose behalf an administrative operation runs.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    /// Whoever may run the program on the server.
    Operator,
    /// A signed-in user, who needs the role `admin`, and from where.
    User(&'a SignedIn, &'a Client),
}

/// A user made by an operator.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The address, taken as confirmed.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The public name.
    pub user_name: Option<UserName>,
    /// The roles, e.g. `admin`: each 1 to 64 visible ASCII characters, without comma, quote and backslash.
    pub roles: Vec<String>,
}

/// Why an administrative operation was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The actor does not have the role `admin`.
    #[error("this needs the role admin")]
    Forbidden,
    /// It is too long since the actor gave the password.
    #[error("this needs a sign-in that is only minutes old")]
    Stale,
    /// There is no such user.
    #[error("there is no such user")]
    NotFound,
    /// Another user has the address.
    #[error("another user has this e-mail address")]
    EmailTaken,
    /// Another user has the name, or one that looks like it.
    #[error("another user has this user name, or one that looks like it")]
    UserNameTaken,
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The roles are not names, or too many.
    #[error(transparent)]
    Roles(#[from] RolesError),
    /// It would leave nobody who can administrate.
    #[error("this is the last active administrator")]
    LastAdmin,
    /// The user is in another state than expected: somebody else was faster.
    #[error("the user was changed meanwhile")]
    Changed,
    /// The user is disabled, so a link would be of no use.
    #[error("the user is disabled")]
    Disabled,
    /// The address was sent too much already.
    #[error("this address was sent too many mails today")]
    Limited {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The cursor was not made here, or for another query.
    #[error("the cursor does not belong to this list")]
    CursorInvalid,
    /// The limit is not 1 to 200.
    #[error("the limit is not between 1 and 200")]
    LimitInvalid,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// How to find one user.
#[derive(Clone, Debug)]
pub enum UserRef {
    /// By id.
    Id(UserId),
    /// By e-mail address.
    Email(Email),
    /// By user name.
    UserName(UserName),
}

impl Accounts {
    /// One user.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn find_user(&self, actor: Actor<'_>, user: &UserRef) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let user = user.clone();
        self.0.store.read(move |tx| find(tx, &user)).await
    }

    /// Makes a user whose address counts as confirmed; its open sign-ups are forgotten.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`Roles`](AdminError::Roles), [`Password`](AdminError::Password),
    /// [`EmailTaken`](AdminError::EmailTaken), [`UserNameTaken`](AdminError::UserNameTaken), [`Fault`](AdminError::Fault).
    pub async fn create_user(&self, actor: Actor<'_>, user: NewUser) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let inner = self.0.clone();
        let now = inner.now();
        let names = PasswordContext {
            email: Some(&user.email),
            user_name: user.user_name.as_ref().map(UserName::as_str),
        };
        let roles = Roles::new(&user.roles)?;
        inner.policy().passwords.check(&user.password, names)?;
        let password_hash = inner.hasher.hash(&user.password).await?;
        let account = new_account(&inner, user.email, user.user_name, roles, now);
        let entry = Entry::by(AuditKind::Created, actor).about(&account);
        self.0
            .store
            .write(move |tx| {
                let account = create(tx, &inner, &account, &password_hash)?;
                entry.write(tx, &inner, now)?;
                Ok(account)
            })
            .await
    }

    /// Disables a user, ends all sessions and voids the links, at once and on every instance (R6). A second time changes
    /// nothing.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`LastAdmin`](AdminError::LastAdmin),
    /// [`Fault`](AdminError::Fault).
    pub async fn disable_user(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        reason: Option<&Reason>,
    ) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let (inner, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Disabled, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find_replaceable(tx, &user)?;
                if users::disable(tx, account.id, now)? {
                    webhooks::queue(tx, &inner, WebhookEvent::UserDisabled, account.id, now)?;
                }
                sessions::end_all(tx, account.id, now)?;
                challenges::void(tx, account.id, Purpose::PasswordReset)?;
                challenges::void(tx, account.id, Purpose::EmailChange)?;
                entry.about(&account).write(tx, &inner, now)?;
                Ok(Account { disabled_at: account.disabled_at.or(Some(now)), ..account })
            })
            .await
    }

    /// Lets a disabled user sign in again. A second time changes nothing.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn enable_user(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        reason: Option<&Reason>,
    ) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let (inner, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Enabled, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find(tx, &user)?;
                users::enable(tx, account.id)?;
                entry.about(&account).write(tx, &inner, now)?;
                Ok(Account { disabled_at: None, ..account })
            })
            .await
    }

    /// Deletes a user and everything held about it; the address may register anew, under a new id.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`Stale`](AdminError::Stale), [`NotFound`](AdminError::NotFound),
    /// [`Changed`](AdminError::Changed), [`LastAdmin`](AdminError::LastAdmin), [`Fault`](AdminError::Fault).
    pub async fn delete_user(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        expected: &Expected,
        reason: Option<&Reason>,
    ) -> Result<(), AdminError> {
        let (inner, user, expected, now) = (self.0.clone(), user.clone(), expected.clone(), self.0.now());
        actor.must_be_fresh_admin(&inner, now)?;
        let entry = Entry::by(AuditKind::Deleted, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find(tx, &user)?;
                lock(tx, &limits::address(&inner.root, &account.email), now)?;
                let account = find_locked(tx, &UserRef::Id(account.id))?;
                if !expected.is(&account) {
                    return Err(AdminError::Changed);
                }
                must_be_replaceable(tx, &account)?;
                registrations::delete_activated(tx, &account.email)?;
                invitations::delete_of(tx, &account.email)?;
                entry.about(&account).write(tx, &inner, now)?;
                if users::delete(tx, account.id)? {
                    webhooks::queue(tx, &inner, WebhookEvent::UserDeleted, account.id, now)?;
                }
                Ok(())
            })
            .await
    }
}

impl Actor<'_> {
    /// Which user it is, if it is one.
    pub(super) fn user(self) -> Option<UserId> {
        match self {
            Self::Operator => None,
            Self::User(user, _) => Some(user.account.id),
        }
    }

    /// The role is read with the token at each call, so a demoted administrator is one no longer (J5).
    pub(super) fn must_be_admin(self) -> Result<(), AdminError> {
        match self {
            Self::Operator => Ok(()),
            Self::User(user, _) if user.is_admin() => Ok(()),
            Self::User(..) => Err(AdminError::Forbidden),
        }
    }

    /// Power over others is for administrators who have given the password lately: a session that was left open, or
    /// stolen, is not enough (O4).
    pub(super) fn must_be_fresh_admin(self, inner: &Inner, now: Timestamp) -> Result<(), AdminError> {
        self.must_be_admin()?;
        match self {
            Self::User(user, _) if user.auth_time + inner.policy().admin.reauthenticate_after <= now => {
                Err(AdminError::Stale)
            }
            Self::Operator | Self::User(..) => Ok(()),
        }
    }
}

/// A user whose address counts as confirmed.
pub(super) fn new_account(
    inner: &Inner,
    email: Email,
    user_name: Option<UserName>,
    roles: Roles,
    now: Timestamp,
) -> Account {
    Account {
        id: UserId::from_bytes(inner.settings.env.new_id(now)),
        email,
        user_name,
        email_confirmed_at: now,
        created_at: now,
        disabled_at: None,
        locale: None,
        roles: roles.into_names(),
    }
}

fn create(
    tx: &mut Tx<'_>,
    inner: &Inner,
    account: &Account,
    password_hash: &str,
) -> Result<Account, AdminError> {
    lock(tx, &limits::address(&inner.root, &account.email), account.created_at)?;
    match move_in(tx, inner, account, password_hash)? {
        Inserted::EmailTaken => Err(AdminError::EmailTaken),
        Inserted::UserNameTaken => Err(AdminError::UserNameTaken),
        Inserted::Yes => Ok(account.clone()),
    }
}

/// Inserts a user, whose address nothing else that waited for it can get. The caller holds the lock of the address.
pub(super) fn move_in(
    tx: &mut Tx<'_>,
    inner: &Inner,
    account: &Account,
    password_hash: &str,
) -> Result<Inserted, Fault> {
    let inserted = users::insert(tx, account, password_hash)?;
    if inserted == Inserted::Yes {
        invitations::delete_of(tx, &account.email)?;
        take_address(tx, inner, account)?;
    }
    Ok(inserted)
}

/// A user was born, and the address is taken: its other sign-ups become decoys, applications hear, and the mails that were
/// sent to it become the user's.
pub(super) fn take_address(tx: &mut Tx<'_>, inner: &Inner, account: &Account) -> Result<(), Fault> {
    registrations::make_decoys(tx, &account.email, account.created_at)?;
    webhooks::queue(tx, inner, WebhookEvent::UserCreated, account.id, account.created_at)?;
    outbox::inherit(tx, account)
}

pub(super) fn find(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    let found = match user {
        UserRef::Id(id) => users::by_id(tx, *id)?,
        UserRef::Email(email) => users::by_email(tx, email)?,
        UserRef::UserName(name) => users::by_name(tx, name)?,
    };
    found.map(|found| found.account).ok_or(AdminError::NotFound)
}

/// A user that nobody else changes until this transaction ends, and neither does anybody change who administrates: two
/// administrators who remove each other at the same moment wait for each other here.
pub(super) fn find_locked(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    users::lock_admins(tx)?;
    let account = find(tx, user)?;
    users::lock(tx, account.id)?;
    // Read again: it may have been changed before the lock was given.
    find(tx, &UserRef::Id(account.id))
}

/// Somebody else can administrate, or the user could not anyway.
pub(super) fn must_be_replaceable(tx: &mut Tx<'_>, account: &Account) -> Result<(), AdminError> {
    if account.administrates() && users::other_admins(tx, account.id)? == 0 {
        return Err(AdminError::LastAdmin);
    }
    Ok(())
}

/// A user that may go.
pub(super) fn find_replaceable(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    let account = find_locked(tx, user)?;
    must_be_replaceable(tx, &account)?;
    Ok(account)
}
