//! Activation: how a sign-up becomes a user, whoever confirms it.

use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::{MailId, RegistrationId, UserId};
use crate::domain::mail::kind::MailKind;
use crate::domain::profile::user_data::UserData;
use crate::domain::registration::Registration;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::mail::MailContent;
use crate::ops::admin::users::take_address;
use crate::ops::draft::Draft;
use crate::store::Tx;
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::registrations;
use crate::store::tables::users::{self, Inserted};
use crate::trail::Entry;

/// A user about to be created.
pub(crate) struct Activation {
    user: UserId,
    mail: MailId,
    user_name: Option<UserName>,
    /// Who confirmed it and how, for the audit trail.
    activated: Entry,
    pub(crate) now: Timestamp,
}

/// Why a sign-up did not become a user.
#[derive(Debug)]
pub(crate) enum ActivationError {
    UserNameTaken,
    Fault(Fault),
}

impl From<Fault> for ActivationError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Activation {
    pub(crate) fn new(
        core: &Core,
        user_name: Option<UserName>,
        client: &Client,
        way: &'static str,
        now: Timestamp,
    ) -> Self {
        let env = &core.settings.env;
        let user = UserId::from_bytes(env.new_id(now));
        let activated = Entry::new(AuditKind::Activated, AuditActor::User(user), client).detail(way);
        Self { user, mail: MailId::from_bytes(env.new_id(now)), user_name, activated, now }
    }

    /// An administrator confirmed it: without a code, a link or a password.
    pub(crate) fn by_hand(core: &Core, actor: Actor<'_>, now: Timestamp) -> Self {
        let activated = Entry::by(AuditKind::Activated, actor).detail("by hand");
        Self { activated, ..Self::new(core, None, &Client::default(), "by hand", now) }
    }

    /// Makes the registration a user and the others of the address decoys, in one commit (S5). `None`: another request
    /// came first. The caller has the lock of the address.
    pub(crate) fn activate(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        id: RegistrationId,
    ) -> Result<Option<Account>, ActivationError> {
        let Some(registration) = registrations::by_id(tx, id)? else { return Ok(None) };
        if users::email_exists(tx, &registration.email)? || !registrations::activate(tx, id, self.now)? {
            return Ok(None);
        }
        self.make_user(tx, core, registration).map(Some)
    }

    /// Creates a user from what the owner of the mailbox chose at the link of a sign-up, and makes decoys of all
    /// sign-ups of the address, including that one: no browser that waits for it is signed in. `None`: another request
    /// came first. The caller has the lock of the address.
    pub(crate) fn choose(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        chosen: &Registration,
    ) -> Result<Option<Account>, ActivationError> {
        let open = registrations::by_id(tx, chosen.id)?.filter(|found| found.decoy_at.is_none());
        if open.is_none() || users::email_exists(tx, &chosen.email)? {
            return Ok(None);
        }
        self.make_user(tx, core, chosen.clone()).map(Some)
    }

    fn make_user(
        &self,
        tx: &mut Tx<'_>,
        core: &Core,
        registration: Registration,
    ) -> Result<Account, ActivationError> {
        let account = Account {
            id: self.user,
            email: registration.email,
            user_name: self.user_name.clone().or(registration.user_name),
            display_name: registration.display_name,
            email_confirmed_at: self.now,
            created_at: self.now,
            disabled_at: None,
            locale: registration.locale,
            roles: Vec::new(),
            data: registration.data,
            app_data: UserData::default(),
            external_id: None,
            terms_accepted_at: registration.terms_accepted_at,
        };
        match users::insert(tx, &account, &registration.password_hash)? {
            Inserted::Yes => {}
            Inserted::UserNameTaken => return Err(ActivationError::UserNameTaken),
            Inserted::EmailTaken => return Err(Fault::Unavailable("two activations met".into()).into()),
        }
        take_address(tx, core, &account)?;
        outbox::push_to(tx, self.mail, MailKind::Welcome, account.id.as_bytes(), account.id, self.now)?;
        self.activated.about(&account).write(tx, core, self.now)?;
        Ok(account)
    }
}

/// The welcome mail.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased) -> Result<Draft, Fault> {
    Draft::notice(tx, leased, MailContent::Welcome { sign_in: core.page("login") })
}
