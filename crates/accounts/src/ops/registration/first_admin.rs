//! The first administrator: created by a link that the operator sees, or by settings; never by whoever comes first
//! (O3).

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::client::Client;
use crate::domain::access::roles::Roles;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::password::{Password, PasswordContext};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::ops::admin::users::{move_in, new_account};
use crate::ops::challenge::{LinkError, join, split};
use crate::ops::registration::invitation::JoinError;
use crate::store::Tx;
use crate::store::tables::limits::lock;
use crate::store::tables::setup_links;
use crate::store::tables::users::{self, Inserted};
use crate::token::root::{Purpose, RootKeys};
use crate::token::subject;
use crate::trail::Entry;

/// The link that creates the first administrator, once.
#[derive(Clone, Debug)]
pub struct SetupLink {
    /// The address of the page. The key follows the `#`, so that no server or proxy logs it.
    pub link: Secret,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// The first administrator to be created.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// The address, taken as confirmed.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// The public name.
    pub user_name: Option<UserName>,
}

impl Accounts {
    /// The link that creates the first administrator; `None` while there is one. While it works, it stays the same.
    /// Show it to the operator only.
    ///
    /// # Errors
    /// [`Fault`] if the store does not answer.
    pub async fn setup_link(&self) -> Result<Option<SetupLink>, Fault> {
        let (core, now) = (self.0.clone(), self.0.now());
        let id = core.settings.env.new_id(now);
        let expires_at = now + core.policy().admin.setup_lifetime;
        let entry = Entry::new(AuditKind::SetupLinkMade, AuditActor::Operator, &Client::default());
        self.0
            .store
            .write(move |tx| {
                if users::has_admin(tx)? {
                    return Ok(None);
                }
                if setup_links::renew(tx, &id, now, expires_at)? {
                    entry.write(tx, &core, now)?;
                }
                let link = |key: &Secret| format!("{}/setup#k={}", core.settings.public_url, key.expose());
                Ok(setup_links::current(tx)?.map(|right| SetupLink {
                    link: link(&join(&right.id, mac(&core.root, &right.id))).into(),
                    expires_at: right.expires_at,
                }))
            })
            .await
    }

    /// Creates the first administrator with the key of the link, which is used up. Once there is an administrator, no
    /// key works.
    ///
    /// # Errors
    /// [`JoinError::Link`], [`Password`](JoinError::Password), [`EmailTaken`](JoinError::EmailTaken),
    /// [`UserNameTaken`](JoinError::UserNameTaken), [`Fault`](JoinError::Fault).
    pub async fn set_up(&self, key: &str, who: FirstAdmin, client: &Client) -> Result<Account, JoinError> {
        let (core, text, now) = (self.0.clone(), key.to_owned(), self.0.now());
        // Checked before the hash, which is expensive, and claimed after it.
        let opened: Result<[u8; 16], LinkError> =
            self.0.store.read(move |tx| open(tx, &core.root, &text, now)).await.map_err(JoinError::Fault)?;
        let id = opened?;
        let (account, hash) = self.first_admin(who, now).await?;
        let core = self.0.clone();
        let entry = Entry::new(AuditKind::SetUp, AuditActor::User(account.id), client).about(&account);
        self.0
            .store
            .write(move |tx| {
                lock(tx, &subject::address(&core.root, &account.email), now)?;
                if !setup_links::claim(tx, &id, now)? || users::has_admin(tx)? {
                    return Err(LinkError::Used.into());
                }
                settle(tx, &core, &account, &hash)?;
                entry.write(tx, &core, now)?;
                Ok(account.clone())
            })
            .await
    }

    /// Creates an administrator from the settings, unless there is one; `None` then.
    ///
    /// # Errors
    /// [`JoinError::Password`], [`EmailTaken`](JoinError::EmailTaken), [`UserNameTaken`](JoinError::UserNameTaken),
    /// [`Fault`](JoinError::Fault).
    pub async fn bootstrap_admin(&self, who: FirstAdmin) -> Result<Option<Account>, JoinError> {
        // Nothing is hashed at later starts.
        if self.0.store.read(users::has_admin).await.map_err(JoinError::Fault)? {
            return Ok(None);
        }
        let now = self.0.now();
        let (account, hash) = self.first_admin(who, now).await?;
        let core = self.0.clone();
        let entry = Entry::new(AuditKind::Created, AuditActor::System, &Client::default())
            .about(&account)
            .detail("by the settings");
        self.0
            .store
            .write(move |tx| {
                // Instances that start together wait for each other here.
                lock(tx, &subject::address(&core.root, &account.email), now)?;
                if users::has_admin(tx)? {
                    return Ok(None);
                }
                settle(tx, &core, &account, &hash)?;
                entry.write(tx, &core, now)?;
                Ok(Some(account.clone()))
            })
            .await
    }

    async fn first_admin(&self, who: FirstAdmin, now: Timestamp) -> Result<(Account, String), JoinError> {
        let user_name = who.user_name.as_ref().map(UserName::as_str);
        let names = PasswordContext { email: Some(&who.email), user_name };
        let hash = self.0.choose(&who.password, names).await??;
        Ok((new_account(&self.0, who.email, who.user_name, Roles::admin(), now), hash))
    }
}

fn settle(tx: &mut Tx<'_>, core: &Core, account: &Account, hash: &str) -> Result<(), JoinError> {
    match move_in(tx, core, account, hash)? {
        Inserted::EmailTaken => Err(JoinError::EmailTaken),
        Inserted::UserNameTaken => Err(JoinError::UserNameTaken),
        Inserted::Yes => Ok(()),
    }
}

fn mac(root: &RootKeys, id: &[u8; 16]) -> [u8; 16] {
    root.short_mac(Purpose::Setup, &[id])
}

/// The right that a key claims, if it can be used now.
fn open(
    tx: &mut Tx<'_>,
    root: &RootKeys,
    key: &str,
    now: Timestamp,
) -> Result<Result<[u8; 16], LinkError>, Fault> {
    let Some((id, given)) = split(key) else { return Ok(Err(LinkError::Invalid)) };
    if !root.is_short_mac(Purpose::Setup, &[&id], &given) {
        return Ok(Err(LinkError::Invalid));
    }
    let current = setup_links::current(tx)?.filter(|right| right.id == id);
    Ok(match current {
        Some(right) if right.used_at.is_some() => Err(LinkError::Used),
        _ if users::has_admin(tx)? => Err(LinkError::Used),
        Some(right) if right.expires_at > now => Ok(id),
        _ => Err(LinkError::Expired),
    })
}
