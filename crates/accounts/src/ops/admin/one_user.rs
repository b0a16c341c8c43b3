//! Operations on one user by administrators and operators: change, assist, sign out.

use crate::accounts::Accounts;
use crate::domain::access::actor::Actor;
use crate::domain::access::client::Client;
use crate::domain::access::roles::Roles;
use crate::domain::access::session::Session;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::MailId;
use crate::domain::password::Password;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::edit::Edit;
use crate::domain::reason::Reason;
use crate::domain::user::{Account, Expected, UserRef};
use crate::domain::user_name::UserName;
use crate::limits::take_admin_mail;
use crate::ops::account::forgot::queue_reset;
use crate::ops::account::password::{PasswordChange, context};
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::{find, find_locked, must_be_replaceable};
use crate::ops::session_end;
use crate::store::Tx;
use crate::store::tables::limits::lock;
use crate::store::tables::sessions;
use crate::store::tables::users::{self, names};
use crate::token::subject;
use crate::trail::{self, Entry};

/// The changes to a user. `None` and [`Edit::Keep`] leave a property as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// The complete new set of roles.
    pub roles: Option<Roles>,
    /// A new user name.
    pub user_name: Option<UserName>,
    /// What people are to call the user.
    pub display_name: Edit<DisplayName>,
    /// The language of the mails, a BCP 47 tag.
    pub locale: Option<String>,
}

impl Accounts {
    /// Changes a user who is in an expected state. New roles apply from the next request on; no session ends.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`StepUp`](AdminError::StepUp) for roles, [`NotFound`](AdminError::NotFound),
    /// [`Changed`](AdminError::Changed), [`LastAdmin`](AdminError::LastAdmin),
    /// [`UserNameTaken`](AdminError::UserNameTaken), [`Fault`](AdminError::Fault).
    pub async fn change_user(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        expected: &Expected,
        change: UserChange,
        reason: Option<&Reason>,
    ) -> Result<Account, AdminError> {
        let (core, user, expected, now) = (self.0.clone(), user.clone(), expected.clone(), self.0.now());
        match change.roles {
            Some(_) => actor.must_be_fresh_admin(&core, now).await?,
            None => actor.must_be_admin()?,
        }
        let (entry, reason) = (Entry::by(AuditKind::Updated, actor), reason.cloned());
        self.0
            .store
            .write(move |tx| {
                let before = find_locked(tx, &user)?;
                if !expected.is(&before) {
                    return Err(AdminError::Changed);
                }
                let after = change.apply(tx, &before)?;
                let entry = entry.about(&after).detail(difference(&before, &after));
                entry.because(reason.as_ref()).write(tx, &core, now)?;
                trail::announce_update(tx, &core, &before, &after, now)?;
                Ok(after)
            })
            .await
    }

    /// Mails a user a link that sets a new password. Nobody else sees it: nobody chooses a password for a user, and no
    /// link is passed on by others (P7, ASVS 6.4.6).
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`NotFound`](AdminError::NotFound), [`Disabled`](AdminError::Disabled),
    /// [`Limited`](AdminError::Limited), [`Fault`](AdminError::Fault).
    pub async fn mail_reset_link(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        reason: Option<&Reason>,
    ) -> Result<(), AdminError> {
        actor.must_be_admin()?;
        let (core, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let env = &core.settings.env;
        let (id, mail) = (env.new_id(now), MailId::from_bytes(env.new_id(now)));
        let entry = Entry::by(AuditKind::ResetRequested, actor).because(reason);
        self.0
            .store
            .write(move |tx| {
                let address = subject::address(&core.root, &find(tx, &user)?.email);
                lock(tx, &address, now)?;
                let account = find(tx, &user)?;
                if account.disabled_at.is_some() {
                    return Err(AdminError::Disabled);
                }
                if let Some(retry_after) = take_admin_mail(tx, &core, &address, now)? {
                    return Err(AdminError::Limited { retry_after });
                }
                queue_reset(tx, &core, &account, id, mail, now)?;
                Ok(entry.about(&account).write(tx, &core, now)?)
            })
            .await?;
        self.0.mail_queued.notify_one();
        Ok(())
    }

    /// Ends all sessions of a user, immediately and on every instance. The user may sign in again.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn end_sessions(
        &self,
        actor: Actor<'_>,
        user: &UserRef,
        reason: Option<&Reason>,
    ) -> Result<Account, AdminError> {
        actor.must_be_admin()?;
        let (core, user, now) = (self.0.clone(), user.clone(), self.0.now());
        let entry = Entry::by(AuditKind::SignedOut, actor).detail("all sessions").because(reason);
        self.0
            .store
            .write(move |tx| {
                let account = find(tx, &user)?;
                session_end::end_all(tx, &core, account.id, now)?;
                entry.about(&account).write(tx, &core, now)?;
                Ok(account)
            })
            .await
    }

    /// The active sessions of a user, newest first, at most 200.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`], [`AdminError::Fault`].
    pub async fn sessions_of(&self, actor: Actor<'_>, user: &UserRef) -> Result<Vec<Session>, AdminError> {
        actor.must_be_admin()?;
        let (user, now) = (user.clone(), self.0.now());
        let idle = now - self.0.policy().tokens.session_idle;
        let read = move |tx: &mut Tx<'_>| {
            let id = find(tx, &user)?.id;
            Ok(sessions::list(tx, id, now, idle)?)
        };
        self.0.store.read(read).await
    }

    /// Sets a new password, ends all sessions and every wait, and notifies the user by mail: for the operator, when
    /// neither mail nor an administrator can help. Administrators cannot do this (P7).
    ///
    /// # Errors
    /// [`AdminError::NotFound`], [`Password`](AdminError::Password), [`Fault`](AdminError::Fault).
    pub async fn set_password(&self, user: &UserRef, new: &Password) -> Result<Account, AdminError> {
        let wanted = user.clone();
        let account = self.0.store.read(move |tx| find(tx, &wanted)).await?;
        let hash = self.0.choose(new, context(&account)).await??;
        let entry = Entry::new(AuditKind::PasswordSet, AuditActor::Operator, &Client::default());
        let change = PasswordChange::new(&self.0, account.clone(), hash, &entry, self.0.now());
        let core = self.0.clone();
        let set = self.0.store.write(move |tx| change.by_operator(tx, &core)).await;
        self.0.mail_queued.notify_one();
        if set.map_err(AdminError::Fault)? { Ok(account) } else { Err(AdminError::NotFound) }
    }
}

impl UserChange {
    fn apply(&self, tx: &mut Tx<'_>, before: &Account) -> Result<Account, AdminError> {
        if let Some(roles) = &self.roles {
            if !roles.has_admin() {
                must_be_replaceable(tx, before)?;
            }
            users::set_roles(tx, before.id, roles)?;
        }
        if let Some(name) = &self.user_name
            && !names::set_name(tx, before.id, name)?
        {
            return Err(AdminError::UserNameTaken);
        }
        if let Some(name) = self.display_name.to_store() {
            names::set_display_name(tx, before.id, name)?;
        }
        if let Some(locale) = &self.locale {
            users::set_locale(tx, before.id, locale)?;
        }
        find(tx, &UserRef::Id(before.id))
    }
}

/// The trail's description of a change: the roles, which decide what the user may do, and the names of the other
/// properties.
fn difference(before: &Account, after: &Account) -> String {
    let roles = format!("roles: [{}] to [{}]", before.roles.join(" "), after.roles.join(" "));
    let parts = [
        (before.roles != after.roles).then_some(roles.as_str()),
        (before.user_name != after.user_name).then_some("user name"),
        (before.display_name != after.display_name).then_some("display name"),
        (before.locale != after.locale).then_some("language"),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join("; ") }
}
