//! Invitations: an administrator names an address, and its owner chooses the password (T3, S10).

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::actor::Actor;
use crate::domain::access::client::Client;
use crate::domain::access::roles::Roles;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::email::Email;
use crate::domain::ids::{InvitationId, MailId};
use crate::domain::invitation::Invitation;
use crate::domain::mail::kind::MailKind;
use crate::domain::password::{Password, PasswordContext, PasswordError};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::Account;
use crate::domain::user_name::UserName;
use crate::fault::Fault;
use crate::limits::take_admin_mail;
use crate::mail::MailContent;
use crate::ops::admin::error::AdminError;
use crate::ops::admin::users::{new_account, take_address};
use crate::ops::challenge::{LinkError, join, split};
use crate::ops::draft::Draft;
use crate::policy::terms::{Terms, TermsNotAccepted};
use crate::store::Tx;
use crate::store::tables::invitations;
use crate::store::tables::limits::lock;
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::users::{self, Inserted};
use crate::token::root::{Purpose, RootKeys};
use crate::token::subject;
use crate::trail::Entry;

/// Who is invited, and with which roles.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// The address the link is mailed to.
    pub email: Email,
    /// A user name; the invited person may choose another.
    pub user_name: Option<UserName>,
    /// The roles of the future user.
    pub roles: Roles,
    /// The language of the mails, a BCP 47 tag.
    pub locale: Option<String>,
}

/// Why someone with a link did not get an account.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The link has no effect.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The password may not be chosen.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The operator's terms were not accepted.
    #[error(transparent)]
    Terms(#[from] TermsNotAccepted),
    /// The address has an account by now.
    #[error("the address has an account")]
    EmailTaken,
    /// The user name, or one that looks like it, is taken. The link still works.
    #[error("the user name is taken")]
    UserNameTaken,
    /// The operation failed; a later attempt may succeed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Invites an address: mails it a link with which its owner chooses a password and becomes a user. Replaces an
    /// earlier invitation of the address.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`StepUp`](AdminError::StepUp) for roles, [`EmailTaken`](AdminError::EmailTaken),
    /// [`UserNameTaken`](AdminError::UserNameTaken), [`Limited`](AdminError::Limited), [`Fault`](AdminError::Fault).
    pub async fn invite(&self, actor: Actor<'_>, new: NewInvitation) -> Result<Invitation, AdminError> {
        let (core, now) = (self.0.clone(), self.0.now());
        if new.roles.names().is_empty() {
            actor.must_be_admin()?;
        } else {
            actor.must_be_fresh_admin(&core, now).await?;
        }
        let env = &core.settings.env;
        let mail = MailId::from_bytes(env.new_id(now));
        let invitation = Invitation {
            id: InvitationId::from_bytes(env.new_id(now)),
            email: new.email,
            user_name: new.user_name,
            roles: new.roles,
            locale: new.locale,
            invited_by: actor.user(),
            created_at: now,
            expires_at: now + core.policy().admin.invitation_lifetime,
            accepted_at: None,
        };
        let entry = Entry::by(AuditKind::Invited, actor)
            .address(&invitation.email)
            .detail(format!("roles: [{}]", invitation.roles.names().join(" ")));
        let invited = invitation.clone();
        self.0
            .store
            .write(move |tx| {
                queue(tx, &core, &invitation, mail)?;
                entry.write(tx, &core, now).map_err(AdminError::Fault)
            })
            .await?;
        self.0.mail_queued.notify_one();
        Ok(invited)
    }

    /// Creates the user that an invitation is for: its link proves the mailbox, the password is the user's own.
    ///
    /// # Errors
    /// [`JoinError::Link`], [`Password`](JoinError::Password), [`Terms`](JoinError::Terms),
    /// [`EmailTaken`](JoinError::EmailTaken), [`UserNameTaken`](JoinError::UserNameTaken), [`Fault`](JoinError::Fault).
    pub async fn accept_invitation(
        &self,
        token: &str,
        password: &Password,
        user_name: Option<UserName>,
        terms: Terms,
        client: &Client,
    ) -> Result<Account, JoinError> {
        let (core, text, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let opened: Result<Invitation, LinkError> =
            self.0.store.read(move |tx| open(tx, &core, &text, now)).await.map_err(JoinError::Fault)?;
        let invitation = opened?;
        let core = self.0.clone();
        let terms_accepted_at = core.policy().sign_up.consent.accepted_at(terms, now)?;
        let user_name = user_name.or(invitation.user_name);
        let names = PasswordContext {
            email: Some(&invitation.email),
            user_name: user_name.as_ref().map(UserName::as_str),
        };
        let hash = core.choose(password, names).await??;
        let account = new_account(&core, invitation.email, user_name, invitation.roles, now);
        let arrival = Arrival {
            token: token.to_owned(),
            mail: MailId::from_bytes(core.settings.env.new_id(now)),
            entry: Entry::new(AuditKind::InvitationAccepted, AuditActor::User(account.id), client),
            account: Account { locale: invitation.locale, terms_accepted_at, ..account },
            hash,
            now,
        };
        let account = self.0.store.write(move |tx| arrival.settle(tx, &core)).await?;
        self.0.mail_queued.notify_one();
        Ok(account)
    }
}

/// The token of the link: bound to the address that it was mailed to (T1, T5).
pub(crate) fn token(root: &RootKeys, invitation: &Invitation) -> Secret {
    let mac = bound_to(invitation, |parts| root.short_mac(Purpose::Invitation, parts));
    join(invitation.id.as_bytes(), mac)
}

fn bound_to<T>(invitation: &Invitation, hash: impl FnOnce(&[&[u8]]) -> T) -> T {
    hash(&[invitation.id.as_bytes(), invitation.email.key().as_bytes()])
}

/// The invitation behind a token, if it can be accepted now.
pub(crate) fn open(
    tx: &mut Tx<'_>,
    core: &Core,
    token: &str,
    now: Timestamp,
) -> Result<Result<Invitation, LinkError>, Fault> {
    let Some((id, given)) = split(token) else { return Ok(Err(LinkError::Invalid)) };
    let found = invitations::by_id(tx, InvitationId::from_bytes(id))?;
    let Some(invitation) = found else { return Ok(Err(LinkError::Expired)) };
    if !bound_to(&invitation, |parts| core.root.is_short_mac(Purpose::Invitation, parts, &given)) {
        return Ok(Err(LinkError::Invalid));
    }
    if invitation.accepted_at.is_some() {
        return Ok(Err(LinkError::Used));
    }
    // A former administrator must not come back through an invitation made before.
    let inviter = match invitation.invited_by {
        Some(id) => users::by_id(tx, id)?.is_some_and(|found| found.account.administrates()),
        None => true,
    };
    if invitation.expires_at <= now || !inviter {
        return Ok(Err(LinkError::Expired));
    }
    Ok(Ok(invitation))
}

fn queue(tx: &mut Tx<'_>, core: &Core, new: &Invitation, mail: MailId) -> Result<(), AdminError> {
    let now = new.created_at;
    let address = subject::address(&core.root, &new.email);
    lock(tx, &address, now)?;
    if users::email_exists(tx, &new.email)? {
        return Err(AdminError::EmailTaken);
    }
    if let Some(name) = &new.user_name
        && users::name_exists(tx, name)?
    {
        return Err(AdminError::UserNameTaken);
    }
    if let Some(retry_after) = take_admin_mail(tx, core, &address, now)? {
        return Err(AdminError::Limited { retry_after });
    }
    invitations::replace(tx, new)?;
    Ok(outbox::push(tx, mail, MailKind::Invitation, new.id.as_bytes(), now)?)
}

/// An accepted invitation, about to be stored.
struct Arrival {
    token: String,
    account: Account,
    hash: String,
    mail: MailId,
    entry: Entry,
    now: Timestamp,
}

impl Arrival {
    fn settle(&self, tx: &mut Tx<'_>, core: &Core) -> Result<Account, JoinError> {
        let Self { account, now, .. } = self;
        lock(tx, &subject::address(&core.root, &account.email), *now)?;
        let invitation = open(tx, core, &self.token, *now)??;
        if !invitations::accept(tx, invitation.id, *now)? {
            return Err(LinkError::Used.into());
        }
        match users::insert(tx, account, &self.hash)? {
            Inserted::EmailTaken => return Err(JoinError::EmailTaken),
            Inserted::UserNameTaken => return Err(JoinError::UserNameTaken),
            Inserted::Yes => take_address(tx, core, account)?,
        }
        outbox::push_to(tx, self.mail, MailKind::Welcome, account.id.as_bytes(), account.id, *now)?;
        self.entry.about(account).write(tx, core, *now)?;
        Ok(account.clone())
    }
}

/// The invitation mail, unless the invitation was accepted or has expired.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased, now: Timestamp) -> Result<Draft, Fault> {
    let found = invitations::by_id(tx, InvitationId::from_bytes(leased.about))?;
    let Some(invitation) = found.filter(|found| found.accepted_at.is_none() && found.expires_at > now) else {
        return Ok(Draft::Drop);
    };
    let link = core.page_with("invitation", &token(&core.root, &invitation));
    let content = MailContent::Invitation { link, link_expires_at: invitation.expires_at };
    Ok(Draft::send(leased, invitation.email, invitation.locale, content))
}
