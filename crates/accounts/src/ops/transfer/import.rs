//! Imports users from another system, a batch at a time. No mail goes out.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::Purpose;
use crate::domain::access::client::Client;
use crate::domain::access::roles::Roles;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::UserId;
use crate::domain::profile::display_name::DisplayName;
use crate::domain::profile::external_id::ExternalId;
use crate::domain::profile::user_data::UserData;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::hasher::StoredHash;
use crate::hasher::foreign::imported::ImportedHash;
use crate::ops::session_end;
use crate::ops::transfer::invite::invite;
use crate::ops::transfer::outcome::{ImportRefusal, Imported, ImportedTime};
use crate::store::Tx;
use crate::store::tables::limits::lock;
use crate::store::tables::users::{self, Credentials, Hash, names, transfer};
use crate::store::tables::{challenges, invitations, outbox, registrations, sign_in_challenges};
use crate::token::subject;
use crate::trail::{self, Entry};
use crate::webhook::WebhookEvent;

/// A user of another system.
#[derive(Clone, Debug)]
pub struct ImportedUser {
    /// The address.
    pub email: Email,
    /// What the user was called in the other system.
    pub external_id: Option<ExternalId>,
    /// The hash of the password. Without one the user sets a password by a link.
    pub password_hash: Option<ImportedHash>,
    /// The public name.
    pub user_name: Option<UserName>,
    /// What people are to call the user.
    pub display_name: Option<DisplayName>,
    /// The language of the mails, a BCP 47 tag.
    pub locale: Option<String>,
    /// The roles.
    pub roles: Roles,
    /// When the account was made; `None`: now.
    pub created_at: Option<Timestamp>,
    /// Whether the address is known to be theirs. Otherwise a stranger may have signed up with it.
    pub is_confirmed: bool,
    /// When the address was confirmed; `None`: when the account was made.
    pub email_confirmed_at: Option<Timestamp>,
    /// Since when the account may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// When the operator's terms were accepted.
    pub terms_accepted_at: Option<Timestamp>,
    /// What its owner keeps with it.
    pub data: UserData,
    /// What the application keeps with it.
    pub app_data: UserData,
}

/// How users are imported.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct ImportOptions {
    /// Changes users who are there already; otherwise they are skipped.
    pub update: bool,
    /// Takes salted SHA, wrapped in Argon2id.
    pub allow_weak: bool,
    /// Makes sign-ups of users whose address is not confirmed, and mails them a link to choose a password; otherwise they are
    /// refused.
    pub invite: bool,
    /// Writes nothing.
    pub dry_run: bool,
}

/// Why a batch was not imported.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    /// What would have become of it.
    #[error("nothing is written in a dry run")]
    DryRun(Vec<Imported>),
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A user with what can be known before the transaction.
#[derive(Clone)]
struct Prepared {
    account: Account,
    is_confirmed: bool,
    hash: Option<StoredHash>,
}

impl Accounts {
    /// Imports users in one transaction: all that are not refused, or none. Found again are users by their external id or
    /// their address, so the same users can be given again.
    ///
    /// An update leaves alone what the import does not say, roles, whether a user is disabled, and every password that was
    /// set or used here: a hash is replaced only while it is that of another program.
    ///
    /// For operators only. Give hundreds at a time, not thousands: others wait for the transaction.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn import_users(
        &self,
        users: Vec<ImportedUser>,
        options: ImportOptions,
    ) -> Result<Vec<Imported>, Fault> {
        let (core, now) = (self.0.clone(), self.0.now());
        let mut rows = Vec::with_capacity(users.len());
        for (place, user) in users.into_iter().enumerate() {
            rows.push(prepare(&core, user, options, place, now).await?);
        }
        let written = self.0.store.write(move |tx| {
            lock_addresses(tx, &core, &rows, now)?;
            let done: Result<Vec<_>, Fault> = rows
                .iter()
                .map(|row| match row {
                    Ok(row) => import(tx, &core, row, options, now),
                    Err(refusal) => Ok(Imported::Refused(*refusal)),
                })
                .collect();
            if options.dry_run { Err(Stopped::DryRun(done?)) } else { Ok(done?) }
        });
        match written.await {
            Ok(done) | Err(Stopped::DryRun(done)) => Ok(done),
            Err(Stopped::Fault(fault)) => Err(fault),
        }
    }

    /// Records in the audit trail that an operator imported users.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn note_import(&self, words: &str) -> Result<(), Fault> {
        let (core, now) = (self.0.clone(), self.0.now());
        let entry =
            Entry::new(AuditKind::UsersImported, AuditActor::Operator, &Client::default()).detail(words);
        self.0.store.write(move |tx| entry.write(tx, &core, now)).await
    }
}

async fn prepare(
    core: &Core,
    user: ImportedUser,
    options: ImportOptions,
    place: usize,
    now: Timestamp,
) -> Result<Result<Prepared, ImportRefusal>, Fault> {
    if !user.is_confirmed && !options.invite {
        return Ok(Err(ImportRefusal::Unconfirmed));
    }
    // Whoever chose the password of an unconfirmed address may be a stranger.
    let password_hash = user.password_hash.filter(|_| user.is_confirmed);
    if password_hash.as_ref().is_some_and(ImportedHash::is_weak) && !options.allow_weak {
        return Ok(Err(ImportRefusal::WeakHash));
    }
    let created_at = user.created_at.unwrap_or(now);
    let times = [
        (ImportedTime::Created, user.created_at),
        (ImportedTime::EmailConfirmed, user.email_confirmed_at),
        (ImportedTime::Disabled, user.disabled_at),
        (ImportedTime::TermsAccepted, user.terms_accepted_at),
    ];
    if let Some((which, _)) = times.iter().find(|(_, at)| at.is_some_and(|at| at > now)) {
        return Ok(Err(ImportRefusal::NotYet(*which)));
    }
    let account = Account {
        id: UserId::from_bytes(core.settings.env.past_id(created_at, place)),
        email: user.email,
        user_name: user.user_name,
        display_name: user.display_name,
        email_confirmed_at: user.email_confirmed_at.unwrap_or(created_at),
        created_at,
        disabled_at: user.disabled_at,
        locale: user.locale,
        roles: user.roles.into_names(),
        data: user.data,
        app_data: user.app_data,
        external_id: user.external_id,
        terms_accepted_at: user.terms_accepted_at,
    };
    let hash = match password_hash {
        // Wrapping takes as long as a sign-in.
        Some(hash) if !(options.dry_run && hash.is_weak()) => Some(core.hasher.keep(hash).await?),
        _ => None,
    };
    Ok(Ok(Prepared { account, is_confirmed: user.is_confirmed, hash }))
}

/// In one order, so that two imports do not wait for each other.
fn lock_addresses(
    tx: &mut Tx<'_>,
    core: &Core,
    rows: &[Result<Prepared, ImportRefusal>],
    now: Timestamp,
) -> Result<(), Fault> {
    let mut emails: Vec<&Email> = rows.iter().flatten().map(|row| &row.account.email).collect();
    emails.sort_by_key(|email| email.key());
    emails.into_iter().try_for_each(|email| lock(tx, &subject::address(&core.root, email), now))
}

fn import(
    tx: &mut Tx<'_>,
    core: &Arc<Core>,
    row: &Prepared,
    options: ImportOptions,
    now: Timestamp,
) -> Result<Imported, Fault> {
    let (account, external_id) = (&row.account, row.account.external_id.as_ref());
    let by_id = external_id.map_or(Ok(None), |id| transfer::by_external_id(tx, id))?;
    let found = match (by_id, users::by_email(tx, &account.email)?) {
        (None, None) if row.is_confirmed => return create(tx, core, row, now),
        (None, None) => return invite(tx, core, &row.account, now),
        (Some(by_id), Some(by_email)) if by_id.account.id == by_email.account.id => by_id,
        (Some(_), _) => return Ok(Imported::Refused(ImportRefusal::ExternalIdTaken)),
        (None, Some(found)) => {
            if external_id.is_some() && found.account.external_id.is_some() {
                return Ok(Imported::Refused(ImportRefusal::EmailTaken));
            }
            found
        }
    };
    if options.update { update(tx, core, row, &found, now) } else { Ok(Imported::Skipped(found.account.id)) }
}

fn create(tx: &mut Tx<'_>, core: &Core, row: &Prepared, now: Timestamp) -> Result<Imported, Fault> {
    let account = &row.account;
    let hash = row.hash.as_ref().map(as_stored);
    if let Some(name) = &account.user_name
        && users::name_exists(tx, name)?
    {
        return Ok(Imported::Refused(ImportRefusal::UserNameTaken));
    }
    if !users::insert_with(tx, account, hash)? {
        // Somebody else was quicker: the name is the only one of the three without a lock.
        return Ok(Imported::Refused(ImportRefusal::UserNameTaken));
    }
    invitations::delete_of(tx, &account.email)?;
    registrations::make_decoys(tx, &account.email, now)?;
    outbox::inherit(tx, &Account { created_at: now, ..account.clone() })?;
    trail::announce(tx, core, WebhookEvent::UserCreated, account.id, now)?;
    audited(account, "created").write(tx, core, now)?;
    Ok(Imported::Created(account.id))
}

fn update(
    tx: &mut Tx<'_>,
    core: &Core,
    row: &Prepared,
    found: &Credentials,
    now: Timestamp,
) -> Result<Imported, Fault> {
    let (wanted, before) = (&row.account, &found.account);
    let id = before.id;
    users::lock(tx, id)?;
    if let Some(name) = wanted.user_name.as_ref()
        && !names::set_name(tx, id, name)?
    {
        return Ok(Imported::Refused(ImportRefusal::UserNameTaken));
    }
    if let Some(name) = &wanted.display_name {
        names::set_display_name(tx, id, Some(name))?;
    }
    if let Some(locale) = &wanted.locale {
        users::set_locale(tx, id, locale)?;
    }
    if !wanted.data.is_empty() {
        users::data::set_own(tx, id, &wanted.data)?;
    }
    if !wanted.app_data.is_empty() {
        users::data::set_app(tx, id, &wanted.app_data)?;
    }
    if let Some(external_id) = &wanted.external_id {
        transfer::set_external_id(tx, id, external_id)?;
    }
    if let Some(at) = wanted.terms_accepted_at {
        transfer::accept_terms(tx, id, at)?;
    }
    let has_new_hash = match row.hash.as_ref().map(as_stored) {
        Some(hash) => transfer::set_hash(tx, id, hash)?,
        None => false,
    };
    let after = users::by_id(tx, id)?.map_or_else(|| before.clone(), |found| found.account);
    if after == *before && !has_new_hash {
        return Ok(Imported::Skipped(id));
    }
    users::change_credentials(tx, id)?;
    session_end::end_all(tx, core, id, now)?;
    sign_in_challenges::void(tx, id)?;
    for purpose in [Purpose::PasswordReset, Purpose::EmailChange, Purpose::Enrolment] {
        challenges::void(tx, id, purpose)?;
    }
    trail::announce_update(tx, core, before, &after, now)?;
    audited(&after, "updated").write(tx, core, now)?;
    Ok(Imported::Updated(id))
}

fn as_stored(hash: &StoredHash) -> Hash<'_> {
    Hash { text: &hash.text, class: hash.class.as_deref() }
}

fn audited(account: &Account, what: &str) -> Entry {
    Entry::new(AuditKind::Imported, AuditActor::Operator, &Client::default()).about(account).detail(what)
}
