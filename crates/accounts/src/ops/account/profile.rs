//! The account itself: its profile, its data, its deletion.

use crate::accounts::Accounts;
use crate::domain::access::client::Client;
use crate::domain::access::session::{Session, SignedIn};
use crate::domain::application::grant::Grant;
use crate::domain::audit::{AuditActor, AuditEvent, AuditKind};
use crate::domain::ids::UserId;
use crate::domain::password::Password;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::edit::Edit;
use crate::domain::time::Timestamp;
use crate::domain::user::{Account, UserRef};
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::ops::account::password::ChangeError;
use crate::ops::account::ways_in::{WaysIn, ways_in};
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::find_replaceable;
use crate::ops::application::grants;
use crate::ops::session_end;
use crate::store::Tx;
use crate::store::tables::audit::{self, Filter};
use crate::store::tables::limits::lock;
use crate::store::tables::users::{self, names};
use crate::store::tables::{invitations, outbox, registrations, sessions, webhooks as deliveries};
use crate::token::subject;
use crate::trail::{self, Entry};
use crate::webhook::WebhookEvent;

/// What a user may change without giving the password. `None` and [`Edit::Keep`] leave a property as it is.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// Another public name.
    pub user_name: Option<UserName>,
    /// What people are to call the user.
    pub display_name: Edit<DisplayName>,
    /// The language of the mails, a BCP 47 tag.
    pub locale: Option<String>,
}

/// Why a profile was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The user name, or one that looks like it, is taken.
    #[error("the user name is taken")]
    UserNameTaken,
    /// The user was deleted meanwhile.
    #[error("there is no such user")]
    Gone,
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Everything stored about a user, except what would grant access.
#[derive(Clone, Debug)]
pub struct Export {
    /// The account.
    pub account: Account,
    /// Its active sessions.
    pub sessions: Vec<Session>,
    /// Messages about it: kind, when queued, and when sent.
    pub mails: Vec<(String, Timestamp, Option<Timestamp>)>,
    /// Entries of the audit trail about it, newest first, at most a thousand.
    pub events: Vec<AuditEvent>,
    /// What it signs in with.
    pub ways_in: WaysIn,
    /// The applications it has let in.
    pub grants: Vec<Grant>,
    /// Webhooks about it: the event, when it happened, and when the endpoint accepted it.
    pub webhooks: Vec<(String, Timestamp, Option<Timestamp>)>,
}

/// Entries of the audit trail in an export, at most.
const EVENTS: i64 = 1000;

impl Accounts {
    /// Changes the user's own names or language.
    ///
    /// # Errors
    /// [`ProfileError::UserNameTaken`], [`Gone`](ProfileError::Gone), [`Fault`](ProfileError::Fault).
    pub async fn update_profile(
        &self,
        who: &SignedIn,
        change: ProfileChange,
        client: &Client,
    ) -> Result<Account, ProfileError> {
        let (core, id, now) = (self.0.clone(), who.account.id, self.0.now());
        let entry = Entry::new(AuditKind::ProfileChanged, AuditActor::User(id), client);
        self.0
            .store
            .write(move |tx| {
                users::lock(tx, id)?;
                let before = find(tx, id)?;
                if let Some(name) = &change.user_name {
                    // A user may change the spelling of their own name.
                    if !names::set_name(tx, id, name)? {
                        return Err(ProfileError::UserNameTaken);
                    }
                }
                if let Some(name) = change.display_name.to_store() {
                    names::set_display_name(tx, id, name)?;
                }
                if let Some(locale) = &change.locale {
                    users::set_locale(tx, id, locale)?;
                }
                let account = find(tx, id)?;
                entry.about(&account).write(tx, &core, now)?;
                trail::announce_update(tx, &core, &before, &account, now)?;
                Ok(account)
            })
            .await
    }

    /// Deletes the user, who gives the password, and everything stored about them, immediately (X4).
    ///
    /// # Errors
    /// [`ChangeError::Refused`], [`Limited`](ChangeError::Limited), [`LastAdmin`](ChangeError::LastAdmin),
    /// [`Fault`](ChangeError::Fault).
    pub async fn delete_account(
        &self,
        who: &SignedIn,
        password: impl Into<Option<&Password>> + Send,
        client: &Client,
    ) -> Result<(), ChangeError> {
        self.prove_own(who, password.into(), client).await?;
        let (core, account, now) = (self.0.clone(), who.account.clone(), self.0.now());
        let entry = Entry::new(AuditKind::Deleted, AuditActor::User(account.id), client);
        self.0
            .store
            .write(move |tx| {
                lock(tx, &subject::address(&core.root, &account.email), now)?;
                let account = match find_replaceable(tx, &UserRef::Id(account.id)) {
                    Ok(account) => account,
                    Err(AdminError::LastAdmin) => return Err(ChangeError::LastAdmin),
                    Err(AdminError::Fault(fault)) => return Err(fault.into()),
                    // Another request deleted it first, as was asked.
                    Err(_) => return Ok(()),
                };
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

    /// Everything stored about the user.
    ///
    /// # Errors
    /// [`Fault`] when the store does not answer.
    pub async fn export_account(&self, who: &SignedIn, client: &Client) -> Result<Export, Fault> {
        let (core, account, now) = (self.0.clone(), who.account.clone(), self.0.now());
        let entry = Entry::new(AuditKind::Exported, AuditActor::User(account.id), client).about(&account);
        let idle = now - self.0.policy().tokens.session_idle;
        self.0
            .store
            .write(move |tx| {
                entry.write(tx, &core, now)?;
                Ok(Export {
                    ways_in: ways_in(tx, &core, account.id)?.unwrap_or_default(),
                    grants: grants::of_user(tx, &core, account.id)?,
                    sessions: sessions::list(tx, account.id, now, idle)?,
                    mails: outbox::of_user(tx, account.id)?,
                    events: events(tx, account.id)?,
                    webhooks: deliveries::about(tx, account.id)?,
                    account: account.clone(),
                })
            })
            .await
    }
}

/// Which operator it was is no business of the user.
fn events(tx: &mut Tx<'_>, id: UserId) -> Result<Vec<AuditEvent>, Fault> {
    let events = audit::before(tx, &Filter::User(id), audit::END, EVENTS)?;
    Ok(events.into_iter().map(|event| AuditEvent { operator: None, ..event }).collect())
}

fn find(tx: &mut Tx<'_>, id: UserId) -> Result<Account, ProfileError> {
    users::by_id(tx, id)?.map(|found| found.account).ok_or(ProfileError::Gone)
}
