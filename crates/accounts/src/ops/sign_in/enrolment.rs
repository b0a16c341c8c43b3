//! The mailed link to a second factor: where one is demanded and overdue, or the ones of before were removed, nobody enrols one
//! by the password alone (ASVS 6.4.4).

use crate::accounts::Accounts;
use crate::core::Core;
use crate::domain::access::challenge::{Challenge, Purpose};
use crate::domain::access::client::Client;
use crate::domain::audit::{AuditActor, AuditKind};
use crate::domain::ids::MailId;
use crate::domain::mail::kind::MailKind;
use crate::domain::password::Password;
use crate::domain::time::{HOUR, Timestamp};
use crate::fault::Fault;
use crate::mail::MailContent;
use crate::ops::challenge::{LinkError, open};
use crate::ops::draft::{Draft, Linked, linked};
use crate::ops::sign_in::admit::{Admission, Opened, Proofs, Refusal, admit};
use crate::ops::sign_in::attempt::{NotCompared, Verdict};
use crate::ops::sign_in::browser::{BrowserSession, Opening};
use crate::store::Tx;
use crate::store::tables::challenges;
use crate::store::tables::limits::{Rule, count, lock, record};
use crate::store::tables::outbox::{self, Leased};
use crate::store::tables::users::{self, Credentials};
use crate::token::subject;
use crate::trail::Entry;

/// Why an enrolment link opened nothing.
#[derive(Debug, thiserror::Error)]
pub enum EnrolmentError {
    /// The link does nothing.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The password is wrong.
    #[error("the password is wrong")]
    Refused,
    /// Too many wrong passwords.
    #[error("too many wrong passwords")]
    Limited {
        /// When it is worth trying again.
        retry_after: std::time::Duration,
    },
    /// Not now.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<NotCompared> for EnrolmentError {
    fn from(error: NotCompared) -> Self {
        match error {
            NotCompared::Limited { retry_after } => Self::Limited { retry_after },
            NotCompared::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl Accounts {
    /// Signs a browser in with an enrolment link and the password, for long enough to enrol a second factor.
    ///
    /// # Errors
    /// [`EnrolmentError::Link`], [`Refused`](EnrolmentError::Refused), [`Limited`](EnrolmentError::Limited),
    /// [`Fault`](EnrolmentError::Fault).
    pub async fn enrol_in_browser(
        &self,
        token: &str,
        password: &Password,
        held: Option<&str>,
        client: &Client,
    ) -> Result<BrowserSession, EnrolmentError> {
        let (core, text, now) = (self.0.clone(), token.to_owned(), self.0.now());
        let opened = self.0.store.read(move |tx| open(tx, &core, &text, Purpose::Enrolment, now)).await;
        let (_, user) = opened.map_err(EnrolmentError::Fault)??;
        let (compared, _) = self.compare_own(user.id, password, client).await?;
        let opening = Opening::new(&self.0, held);
        let (core, text, from, key) = (self.0.clone(), token.to_owned(), client.clone(), opening.key);
        let enter = move |tx: &mut Tx<'_>| -> Result<Result<Opened, EnrolmentError>, EnrolmentError> {
            let right = match compared.judge(tx, &core)? {
                Verdict::Right(right) => right,
                Verdict::Wrong => return Ok(Err(EnrolmentError::Refused)),
                Verdict::Limited { retry_after } => return Ok(Err(EnrolmentError::Limited { retry_after })),
            };
            let (challenge, user) = open(tx, &core, &text, Purpose::Enrolment, now)??;
            let Some(user) = users::by_id(tx, user.id)? else { return Err(LinkError::Expired.into()) };
            if !challenges::consume(tx, &challenge.id, now)? {
                return Err(LinkError::Used.into());
            }
            match admit(tx, &core, &Proofs::enrolment(&right, &user, now), key, &from)? {
                Admission::Session(opened) => Ok(Ok(*opened)),
                // There is a second factor by now, so the link is of no use.
                Admission::SecondFactor(_)
                | Admission::Refused(Refusal::Changed | Refusal::Disabled | Refusal::EnrolmentRequired) => {
                    Err(LinkError::Expired.into())
                }
            }
        };
        let opened = self.0.store.write(enter).await??;
        Ok(opening.opened(&self.0, opened, client))
    }
}

/// Mails a link to whoever has just given the right password, at most one an hour.
pub(crate) fn request(
    tx: &mut Tx<'_>,
    core: &Core,
    user: &Credentials,
    client: &Client,
) -> Result<(), Fault> {
    let now = core.now();
    let address = subject::address(&core.root, &user.account.email);
    lock(tx, &address, now)?;
    if count(tx, &address, Rule::EnrolmentMailed, now - HOUR)?.number > 0 {
        return Ok(());
    }
    record(tx, &address, Rule::EnrolmentMailed, now)?;
    queue(tx, core, user, now)?;
    let entry = Entry::new(AuditKind::EnrolmentRequested, AuditActor::User(user.account.id), client);
    entry.about(&user.account).write(tx, core, now)
}

/// Mails the link. The one before stops working.
pub(crate) fn queue(tx: &mut Tx<'_>, core: &Core, user: &Credentials, now: Timestamp) -> Result<(), Fault> {
    let env = &core.settings.env;
    let account = &user.account;
    challenges::void(tx, account.id, Purpose::Enrolment)?;
    let challenge = Challenge {
        id: env.new_id(now),
        purpose: Purpose::Enrolment,
        user_id: account.id,
        session_id: None,
        email: account.email.clone(),
        credential_version: user.credential_version,
        created_at: now,
        expires_at: now + core.policy().second_factor.enrolment_lifetime,
        used_at: None,
    };
    challenges::insert(tx, &challenge)?;
    let mail = MailId::from_bytes(env.new_id(now));
    outbox::push_to(tx, mail, MailKind::Enrolment, &challenge.id, account.id, now)
}

/// The link to a second factor.
pub(crate) fn compose(tx: &mut Tx<'_>, core: &Core, leased: &Leased, now: Timestamp) -> Result<Draft, Fault> {
    let Some(Linked { challenge, user, link }) = linked(tx, core, leased, "enrol", now)? else {
        return Ok(Draft::Drop);
    };
    let content = MailContent::Enrolment { link, link_expires_at: challenge.expires_at };
    Ok(Draft::send(leased, challenge.email, user.locale, content))
}
