//! Operations on users by administrators and operators.

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::access::challenge::Purpose;
use crate::domain::access::roles::Roles;
use crate::domain::audit::AuditKind;
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::password::{Password, PasswordContext};
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::user_data::UserData;
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::domain::user::{Account, Expected, UserRef};
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::ops::admin::error::AdminError;
use crate::ops::session_end;
use crate::store::Tx;
use crate::store::tables::limits::lock;
use crate::store::tables::users::{self, Inserted};
use crate::store::tables::{challenges, invitations, outbox, registrations, sign_in_challenges};
use crate::token::subject;
use crate::trail::{self, Entry};
use crate::webhook::WebhookEvent;

/// A user created by an operator.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The address, taken as confirmed.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The public name.
    pub user_name: Option<UserName>,
    /// What people are to call the user.
    pub display_name: Option<DisplayName>,
    /// The roles, e.g. `admin`, as [`Roles`](crate::Roles) accepts them: at most 16, each 1 to 32 of a-z, 0-9, `_` and
    /// `-`, beginning with a letter.
    pub roles: Vec<String>,
}

impl Accounts {
    /// Finds a user.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn find_user(&self, actor: Actor<'_>, user: &UserRef) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let user = user.clone();
        self.0.store.read(move |tx| find(tx, &user)).await
    }

    /// Creates a user whose address counts as confirmed; its open sign-ups become decoys.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`Roles`](AdminError::Roles), [`Password`](AdminError::Password),
    /// [`EmailTaken`](AdminError::EmailTaken), [`UserNameTaken`](AdminError::UserNameTaken), [`Fault`](AdminError::Fault).
    pub async fn create_user(&self, actor: Actor<'_>, user: NewUser) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let core = self.0.clone();
        let now = core.now();
        let names = PasswordContext {
            email: Some(&user.email),
            user_name: user.user_name.as_ref().map(UserName::as_str),
        };
        let roles = Roles::new(&user.roles)?;
        let password_hash = core.choose(&user.password, names).await??;
        let account = Account {
            display_name: user.display_name,
            ..new_account(&core, user.email, user.user_name, roles, now)
        };
        let entry = Entry::by(AuditKind::Created, actor).about(&account);
        self.0
            .store
            .write(move |tx| {
                let account = create(tx, &core, &account, &password_hash)?;
                entry.write(tx, &core, now)?;
                Ok(account)
            })
            .await
    }

    /// Disables a user, ends all sessions and voids the links, immediately and on every instance (R6). Repeating it
    /// changes nothing.
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
        let (core, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Disabled, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find_replaceable(tx, &user)?;
                if users::disable(tx, account.id, now)? {
                    trail::announce(tx, &core, WebhookEvent::UserDisabled, account.id, now)?;
                }
                session_end::end_all(tx, &core, account.id, now)?;
                sign_in_challenges::void(tx, account.id)?;
                for purpose in [Purpose::PasswordReset, Purpose::EmailChange, Purpose::Enrolment] {
                    challenges::void(tx, account.id, purpose)?;
                }
                entry.about(&account).write(tx, &core, now)?;
                Ok(Account { disabled_at: account.disabled_at.or(Some(now)), ..account })
            })
            .await
    }

    /// Lets a disabled user sign in again. Repeating it changes nothing.
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
        let (core, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::Enabled, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find(tx, &user)?;
                users::enable(tx, account.id)?;
                entry.about(&account).write(tx, &core, now)?;
                Ok(Account { disabled_at: None, ..account })
            })
            .await
    }

    /// Deletes a user and everything stored about them; the address may sign up again, under a new id.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`StepUp`](AdminError::StepUp), [`NotFound`](AdminError::NotFound),
    /// [`Changed`](AdminError::Changed), [`LastAdmin`](AdminError::LastAdmin), [`Fault`](AdminError::Fault).
    pub async fn delete_user(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        expected: &Expected,
        reason: Option<&Reason>,
    ) -> Result<(), AdminError> {
        let (core, user, expected, now) = (self.0.clone(), user.clone(), expected.clone(), self.0.now());
        actor.must_be_fresh_admin(&core, now).await?;
        let entry = Entry::by(AuditKind::Deleted, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find(tx, &user)?;
                lock(tx, &subject::address(&core.root, &account.email), now)?;
                let account = find_locked(tx, &UserRef::Id(account.id))?;
                if !expected.is(&account) {
                    return Err(AdminError::Changed);
                }
                must_be_replaceable(tx, &account)?;
                registrations::delete_activated(tx, &account.email)?;
                invitations::delete_of(tx, &account.email)?;
                entry.about(&account).write(tx, &core, now)?;
                if session_end::delete_user(tx, &core, account.id, now)? {
                    trail::announce(tx, &core, WebhookEvent::UserDeleted, account.id, now)?;
                }
                Ok(())
            })
            .await
    }
}

/// A user whose address counts as confirmed.
pub(crate) fn new_account(
    core: &Core,
    email: Email,
    user_name: Option<UserName>,
    roles: Roles,
    now: Timestamp,
) -> Account {
    Account {
        id: UserId::from_bytes(core.settings.env.new_id(now)),
        email,
        user_name,
        display_name: None,
        email_confirmed_at: now,
        created_at: now,
        disabled_at: None,
        locale: None,
        roles: roles.into_names(),
        data: UserData::default(),
        app_data: UserData::default(),
        external_id: None,
        terms_accepted_at: None,
    }
}

fn create(
    tx: &mut Tx<'_>,
    core: &Core,
    account: &Account,
    password_hash: &str,
) -> Result<Account, AdminError> {
    lock(tx, &subject::address(&core.root, &account.email), account.created_at)?;
    match move_in(tx, core, account, password_hash)? {
        Inserted::EmailTaken => Err(AdminError::EmailTaken),
        Inserted::UserNameTaken => Err(AdminError::UserNameTaken),
        Inserted::Yes => Ok(account.clone()),
    }
}

/// Inserts a user and takes the address, so that nothing else waiting for it can get it. The caller has the lock of the
/// address.
pub(crate) fn move_in(
    tx: &mut Tx<'_>,
    core: &Core,
    account: &Account,
    password_hash: &str,
) -> Result<Inserted, Fault> {
    let inserted = users::insert(tx, account, password_hash)?;
    if inserted == Inserted::Yes {
        invitations::delete_of(tx, &account.email)?;
        take_address(tx, core, account)?;
    }
    Ok(inserted)
}

/// A user was created, and the address is taken: its other sign-ups become decoys, webhooks are queued, and the mails
/// that were sent to it become the user's.
pub(crate) fn take_address(tx: &mut Tx<'_>, core: &Core, account: &Account) -> Result<(), Fault> {
    registrations::make_decoys(tx, &account.email, account.created_at)?;
    trail::announce(tx, core, WebhookEvent::UserCreated, account.id, account.created_at)?;
    outbox::inherit(tx, account)
}

pub(crate) fn find(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    let found = match user {
        UserRef::Id(id) => users::by_id(tx, *id)?,
        UserRef::Email(email) => users::by_email(tx, email)?,
        UserRef::UserName(name) => users::by_name(tx, name)?,
    };
    found.map(|found| found.account).ok_or(AdminError::NotFound)
}

/// Finds a user and locks it until this transaction ends, together with all administrators: two administrators who
/// remove each other at the same moment wait for each other here.
pub(crate) fn find_locked(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    users::lock_admins(tx)?;
    let account = find(tx, user)?;
    users::lock(tx, account.id)?;
    // Read again: it may have changed before the lock was granted.
    find(tx, &UserRef::Id(account.id))
}

/// Refuses to remove the last active administrator.
pub(crate) fn must_be_replaceable(tx: &mut Tx<'_>, account: &Account) -> Result<(), AdminError> {
    if account.administrates() && users::other_admins(tx, account.id)? == 0 {
        return Err(AdminError::LastAdmin);
    }
    Ok(())
}

/// Finds a user who may be removed.
pub(crate) fn find_replaceable(tx: &mut Tx<'_>, user: &UserRef) -> Result<Account, AdminError> {
    let account = find_locked(tx, user)?;
    must_be_replaceable(tx, &account)?;
    Ok(account)
}
