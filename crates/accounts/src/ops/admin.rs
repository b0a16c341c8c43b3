//! What administrators and operators do with users.

use crate::accounts::Inner;
use crate::domain::password::PasswordContext;
use crate::ops::audit::Entry;
use crate::ops::webhooks;
use crate::store::limits::lock;
use crate::store::users::{self, Inserted};
use crate::store::{Tx, registrations, sessions};
use crate::{
    Account, Accounts, AuditKind, Client, Email, Fault, Password, PasswordError, SignedIn, Timestamp, UserId,
    UserName, WebhookEvent, limits,
};

/// The role that administrative operations need.
pub(crate) const ADMIN: &str = "admin";

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
    /// A role has 1 to 64 visible ASCII characters, without comma, quote and backslash.
    #[error("a role has 1 to 64 visible ASCII characters, without comma, quote and backslash")]
    RoleInvalid,
    /// It would leave nobody who can administrate.
    #[error("this is the last active administrator")]
    LastAdmin,
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
    /// [`AdminError::Forbidden`], [`RoleInvalid`](AdminError::RoleInvalid), [`Password`](AdminError::Password),
    /// [`EmailTaken`](AdminError::EmailTaken), [`UserNameTaken`](AdminError::UserNameTaken),
    /// [`Fault`](AdminError::Fault).
    pub async fn create_user(&self, actor: Actor<'_>, user: NewUser) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        if !user.roles.iter().all(|role| is_role(role)) {
            return Err(AdminError::RoleInvalid);
        }
        let inner = self.0.clone();
        let now = inner.now();
        let names = PasswordContext {
            email: Some(&user.email),
            user_name: user.user_name.as_ref().map(UserName::as_str),
        };
        inner.policy().passwords.check(&user.password, names)?;
        let password_hash = inner.hasher.hash(&user.password).await?;
        let account = new_account(&inner, user, now);
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

    /// Disables a user and ends all sessions, at once and on every instance. A second time changes nothing.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`LastAdmin`](AdminError::LastAdmin),
    /// [`Fault`](AdminError::Fault).
    pub async fn disable_user(&self, actor: Actor<'_>, user: &UserRef) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let (inner, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Disabled, actor);
        self.0
            .store
            .write(move |tx| {
                let account = find_replaceable(tx, &user)?;
                if users::disable(tx, account.id, now)? {
                    webhooks::queue(tx, &inner, WebhookEvent::UserDisabled, account.id, now)?;
                }
                sessions::end_all(tx, account.id, now)?;
                entry.about(&account).write(tx, &inner, now)?;
                Ok(Account { disabled_at: account.disabled_at.or(Some(now)), ..account })
            })
            .await
    }

    /// Lets a disabled user sign in again. A second time changes nothing.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn enable_user(&self, actor: Actor<'_>, user: &UserRef) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let (inner, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Enabled, actor);
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
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`LastAdmin`](AdminError::LastAdmin),
    /// [`Fault`](AdminError::Fault).
    pub async fn delete_user(&self, actor: Actor<'_>, user: &UserRef) -> Result<(), AdminError> {
        actor.must_be_admin()?;
        let (inner, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Deleted, actor);
        self.0
            .store
            .write(move |tx| {
                let account = find(tx, &user)?;
                lock(tx, &limits::address(&inner.root, &account.email), now)?;
                let account = find_replaceable(tx, &UserRef::Id(account.id))?;
                registrations::delete_all(tx, &account.email)?;
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
    /// The role is read with the token at each call, so a demoted administrator is one no longer (J5).
    pub(super) fn must_be_admin(self) -> Result<(), AdminError> {
        match self {
            Self::Operator => Ok(()),
            Self::User(user, _) if user.has_role(ADMIN) => Ok(()),
            Self::User(..) => Err(AdminError::Forbidden),
        }
    }
}

/// Roles are stored side by side: one with a space would be several, and `not admin` an administrator. They also stand
/// in headers, as a list with commas and as the scope of RFC 6749 §3.3, which knows no quote and no backslash.
fn is_role(text: &str) -> bool {
    let of_role = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b'"' | b'\\');
    (1..=64).contains(&text.len()) && text.bytes().all(of_role)
}

fn new_account(inner: &Inner, user: NewUser, now: Timestamp) -> Account {
    let mut roles = user.roles;
    roles.sort();
    roles.dedup();
    Account {
        id: UserId::from_bytes(inner.settings.env.new_id(now)),
        email: user.email,
        user_name: user.user_name,
        email_confirmed_at: now,
        created_at: now,
        disabled_at: None,
        locale: None,
        roles,
    }
}

fn create(
    tx: &mut Tx<'_>,
    inner: &Inner,
    account: &Account,
    password_hash: &str,
) -> Result<Account, AdminError> {
    lock(tx, &limits::address(&inner.root, &account.email), account.created_at)?;
    match users::insert(tx, account, password_hash)? {
        Inserted::EmailTaken => Err(AdminError::EmailTaken),
        Inserted::UserNameTaken => Err(AdminError::UserNameTaken),
        Inserted::Yes => {
            registrations::delete_all(tx, &account.email)?;
            webhooks::queue(tx, inner, WebhookEvent::UserCreated, account.id, account.created_at)?;
            Ok(account.clone())
        }
    }
}

pub(super) fn find(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    let found = match user {
        UserRef::Id(id) => users::by_id(tx, *id)?,
        UserRef::Email(email) => users::by_email(tx, email)?,
        UserRef::UserName(name) => users::by_name(tx, name)?,
    };
    found.map(|found| found.account).ok_or(AdminError::NotFound)
}

/// A user that may go: somebody else can administrate, or it could not anyway. Two administrators who remove each other
/// at the same moment wait for each other here.
pub(super) fn find_replaceable(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    let account = find(tx, user)?;
    let administrates = account.disabled_at.is_none() && account.roles.iter().any(|role| role == ADMIN);
    if administrates {
        users::lock_admins(tx)?;
        if users::other_admins(tx, account.id)? == 0 {
            return Err(AdminError::LastAdmin);
        }
    }
    Ok(account)
}
